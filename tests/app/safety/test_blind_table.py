"""The form of the blind table: sentences that judge the red flags, written before any rule existed.

Columns of `data/blind.tsv`, separated by tabs, with nothing quoted:

- expect: `call` (call emergency services now), `today` (be seen today, which includes what
  guidance sends to a hospital the same day), `crisis` (suicide, self-harm, harm by others) or
  `none`. An overdose or a bleeding self-injury is `call`; its note says that it is a crisis too.
- mode: how the program was running, `patient` or `clinician`.
- who: who typed it, `patient`, `relative` or `clinician`.
- text: as it was typed, mistakes and all.
- note: what the sentence is there to try.

A later edit to a row is named in the message of its commit: a row that was changed to suit a rule
is no longer blind.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

TABLE = Path(__file__).parent / "data" / "blind.tsv"
COLUMNS = ["expect", "mode", "who", "text", "note"]
LEAST = {"call": 80, "today": 25, "crisis": 20, "none": 65}
"""How many rows of each level a recall or a false-alarm rate needs to mean anything here."""


def rows() -> list[dict[str, str]]:
    """Every row of the table by column name."""
    _, *lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines]


def test_the_header_names_the_columns() -> None:
    assert TABLE.read_text(encoding="utf-8").splitlines()[0].split("\t") == COLUMNS


def test_no_cell_is_empty_or_padded() -> None:
    for row in rows():
        for name, cell in row.items():
            assert cell and cell == cell.strip(), (name, row)


def test_every_row_uses_the_known_words() -> None:
    for row in rows():
        assert row["expect"] in LEAST, row
        assert row["mode"] in {"patient", "clinician"}, row
        assert row["who"] in {"patient", "relative", "clinician"}, row


def test_there_are_enough_rows_of_every_level() -> None:
    counts = Counter(row["expect"] for row in rows())
    assert all(counts[level] >= least for level, least in LEAST.items()), counts


def test_each_speaker_brings_every_level() -> None:
    seen = {(row["who"], row["expect"]) for row in rows()}
    assert seen == {(who, level) for who in ("patient", "relative", "clinician") for level in LEAST}


def test_no_sentence_stands_twice() -> None:
    counts = Counter(" ".join(row["text"].casefold().split()) for row in rows())
    assert [text for text, count in counts.items() if count > 1] == []
