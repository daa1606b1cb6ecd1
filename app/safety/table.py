"""Rules against a table of sentences: what was found, what was missed, what was a false alarm.

The table has tabs between `expect`, `mode`, `who`, `text` and `note`, and a header line. `expect`
is call, today, crisis or none; a `note` with `known_miss` names a miss that is written down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from app.safety.check import RedFlags
from app.safety.rules import Level, Mode

COLUMNS = ("expect", "mode", "who", "text", "note")
EXPECTED = {"call": Level.CALL, "crisis": Level.CRISIS, "today": Level.TODAY, "none": None}
_MODES = ("patient", "clinician")


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence, and what the rules should make of it."""

    line: int
    expect: str
    mode: Mode
    who: str
    text: str
    note: str

    @property
    def known_miss(self) -> bool:
        """Whether it is written down that the rules get this one wrong."""
        return "known_miss" in self.note


@dataclass(frozen=True, slots=True)
class Result:
    """What the rules made of it."""

    row: Row
    found: str
    """call, crisis, today or none. A text in another language was not understood: none."""
    rule: str
    """Id of the rule, empty for none."""

    @property
    def missed(self) -> bool:
        """Less urgent than it should be."""
        return _urgency(self.found) < _urgency(self.row.expect)

    @property
    def false_alarm(self) -> bool:
        """An alarm where there should be none, or "call now" where today would do."""
        if self.row.expect == "none":
            return self.found != "none"
        return self.found == "call" and self.row.expect == "today"


@dataclass(frozen=True, slots=True)
class Score:
    """The figures over a table."""

    results: tuple[Result, ...]

    def expecting(self, expect: str) -> list[Result]:
        """The results of the rows that expect one thing."""
        return [one for one in self.results if one.row.expect == expect]

    def recall(self, *expect: str) -> float | None:
        """The share that was found at least as urgent as expected; None where there is no row."""
        rows = [one for one in self.results if one.row.expect in expect]
        return sum(not one.missed for one in rows) / len(rows) if rows else None

    def found_in(self, expect: str, found: str) -> int:
        """How many rows that expect the one were taken for the other."""
        return sum(one.found == found for one in self.expecting(expect))


def parse(text: str) -> tuple[Row, ...]:
    """The rows of a table. Raises ValueError, naming the line, where it is none."""
    lines = text.splitlines()
    if not lines or tuple(lines[0].split("\t")) != COLUMNS:
        raise ValueError(f"its first line must be {', '.join(COLUMNS)} with tabs between")
    return tuple(_rows(lines[1:]))


def score(rows: Sequence[Row], flags: RedFlags) -> Score:
    """Check every sentence, each as the only turn of a conversation."""
    return Score(tuple(_result(row, flags) for row in rows))


def _rows(lines: Sequence[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) != len(COLUMNS):
            raise ValueError(f"line {number} has {len(cells)} columns instead of {len(COLUMNS)}")
        expect, mode, who, text, note = cells
        if expect not in EXPECTED or mode not in _MODES:
            raise ValueError(f"line {number} expects “{expect}” in the mode “{mode}”")
        yield Row(number, expect, cast(Mode, mode), who, text, note)


def _result(row: Row, flags: RedFlags) -> Result:
    alert = flags.check([row.text], row.mode)
    if alert is None or alert.level is Level.UNREAD:
        return Result(row, "none", alert.id if alert else "")
    return Result(row, alert.level.name.lower(), alert.id)


def _urgency(name: str) -> int:
    level = EXPECTED[name]
    return 0 if level is None else int(level)
