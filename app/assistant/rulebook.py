"""The rule file, read into the values that `app.safety` is given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import BadInputError
from app.safety import RedFlags
from app.safety.rules import Complaint, Level, Measure, Question, Rule, Rulebook, Sign, Weighed
from app.safety.weighing import Weights, parse
from app.sanitise import one_line
from app.toml_file import read_toml, read_written

SHIPPED = Path(__file__).resolve().parents[1] / "safety" / "rules.toml"
WEIGHTS = SHIPPED.with_name("weights.tsv")
_LEVELS = {"call": Level.CALL, "crisis": Level.CRISIS, "today": Level.TODAY}


def red_flags(path: Path = SHIPPED) -> RedFlags:
    """The checks, ready for use; it takes some tens of milliseconds, so do it once.

    Raises:
        BadInputError: the file cannot be read, or a part of it makes no sense.
    """
    tables = read_toml(path)
    try:
        return RedFlags(_rulebook(tables, parse(read_written(WEIGHTS))))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(
            f"The rule file {one_line(str(path))} cannot be used: {one_line(str(error))}. "
            "Correct that place, or install Bedside again."
        ) from error


def _rulebook(tables: Mapping[str, Any], weights: Weights) -> Rulebook:
    return Rulebook(
        signs=tuple(_sign(name, table) for name, table in tables["signs"].items()),
        rules=tuple(_rule(rule, tables["reviewed"]) for rule in tables["rule"]),
        lists={name: _phrases(text) for name, text in tables["lists"].items()},
        cues={name: _phrases(text) for name, text in tables["cues"].items()},
        measures=tuple(Measure(**measure) for measure in tables["measures"]),
        weighed=tuple(Weighed(**weighed) for weighed in tables["weighed"]),
        weights=weights,
        complaints=tuple(map(_complaint, tables["complaint"])),
        fillers=frozenset(tables["fillers"].split()),
        common=frozenset(tables["common"].split()),
        softer=tables["softer"],
    )


def _phrases(text: str) -> tuple[str, ...]:
    """The phrases of a list, which stand between bars."""
    phrases = (" ".join(phrase.split()) for phrase in text.split("|"))
    return tuple(phrase for phrase in phrases if phrase)


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    """TOML's lists as tuples, so that the values can be frozen."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in table.items()
    }


def _sign(name: str, table: Mapping[str, Any]) -> Sign:
    values = _tuples(table)
    return Sign(name, values.pop("say"), **values)


def _rule(table: Mapping[str, Any], reviewed: str) -> Rule:
    values = {"reviewed": reviewed} | _tuples(table)
    level = _LEVELS[values.pop("level")]
    return Rule(level=level, **values)


def _complaint(table: Mapping[str, Any]) -> Complaint:
    questions = tuple(Question(**question) for question in table["questions"])
    return Complaint(table["id"], tuple(table["when"]), questions)
