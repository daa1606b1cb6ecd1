"""The form of the blind tables: sentences that judge the red flags, by people who saw no rule.

`data/blind.tsv` was written before any rule existed. `data/blind2.tsv` was written afterwards, by
somebody who had not seen them, and of the first table only its first four rows; so was
`data/blind3.tsv`, before the rules were widened on the second. The authors of the later tables
saw neither rules nor tables. A table stops being a fair judge
once its misses have been read, and the next one takes its place.

Columns of all, separated by tabs, with nothing quoted:

- expect: `call` (call emergency services now), `today` (be seen today, which includes what
  guidance sends to a hospital the same day), `crisis` (suicide, self-harm, harm by others) or
  `none`. An overdose or a bleeding self-injury is `call`; its note says that it is a crisis too.
- mode: how the program was running, `patient` or `clinician`.
- who: who typed it, `patient`, `relative`, `carer` or `clinician`.
- text: as it was typed, mistakes and all.
- note: what the sentence is there to try.

A later edit to a row is named in the message of its commit: a row that was changed to suit a rule
is no longer blind.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"
COLUMNS = ["expect", "mode", "who", "text", "note"]
LEAST = {
    "blind.tsv": {"call": 80, "today": 25, "crisis": 20, "none": 65},
    "blind2.tsv": {"call": 60, "today": 20, "crisis": 20, "none": 50},
    "blind3.tsv": {"call": 90, "today": 30, "crisis": 30, "none": 90},
    "blind4.tsv": {"call": 70, "today": 25, "crisis": 50, "none": 75},
    "blind5.tsv": {"call": 70, "today": 20, "crisis": 30, "none": 80},
    "blind6.tsv": {"call": 75, "today": 25, "crisis": 45, "none": 75},
    "blind7.tsv": {"call": 75, "today": 25, "crisis": 45, "none": 75},
    "blind8.tsv": {"call": 75, "today": 25, "crisis": 45, "none": 75},
    "blind9.tsv": {"call": 75, "today": 25, "crisis": 45, "none": 75},
    "blind10.tsv": {"call": 75, "today": 25, "crisis": 45, "none": 75},
}
"""How many rows of each level a recall or a false-alarm rate of each table rests on."""
LEVELS = {"call", "today", "crisis", "none"}
SPEAKERS = {"patient", "relative", "carer", "clinician"}
_SHORT = 5
"""Words. "What is a stroke?" comes to more than one author."""

each_table = pytest.mark.parametrize("table", LEAST)


def lines(table: str) -> list[str]:
    """The header and every row of a table, as they stand."""
    return (DATA / table).read_text(encoding="utf-8").splitlines()


def rows(table: str) -> list[dict[str, str]]:
    """Every row of a table by column name."""
    return [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines(table)[1:]]


@each_table
def test_the_header_names_the_columns(table: str) -> None:
    assert lines(table)[0].split("\t") == COLUMNS


@each_table
def test_no_cell_is_empty_or_padded(table: str) -> None:
    for row in rows(table):
        for name, cell in row.items():
            assert cell and cell == cell.strip(), (name, row)


@each_table
def test_every_row_uses_the_known_words(table: str) -> None:
    for row in rows(table):
        assert row["expect"] in LEVELS, row
        assert row["mode"] in {"patient", "clinician"}, row
        assert row["who"] in SPEAKERS, row


@each_table
def test_there_are_enough_rows_of_every_level(table: str) -> None:
    counts = Counter(row["expect"] for row in rows(table))
    assert all(counts[level] >= least for level, least in LEAST[table].items()), counts


@each_table
def test_patients_and_relatives_bring_every_level(table: str) -> None:
    seen = {(row["who"], row["expect"]) for row in rows(table)}
    assert seen >= {(who, level) for who in ("patient", "relative") for level in LEVELS}
    assert "clinician" in {who for who, _ in seen}


def test_no_sentence_stands_twice_in_one_table_or_in_two() -> None:
    texts = [row["text"].casefold().split() for table in LEAST for row in rows(table)]
    counts = Counter(" ".join(words) for words in texts if len(words) > _SHORT)
    assert [text for text, count in counts.items() if count > 1] == []
