"""The form of the lay questions, by which retrieval is measured.

Each line of `data/lay_questions.jsonl` holds a question as someone with the problem would ask it,
and the address and question type of the MedQuAD row (../shared/data/medquad_val.jsonl.gz) whose
answer it was written from. Relevant is every row of the same topic and type. The questions were
written before any thesaurus or ranking existed; no text of the data set stands in the file.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.shared import shared_path

QUESTIONS = Path(__file__).parent / "data" / "lay_questions.jsonl"
LEAST_QUESTIONS = 120
LEAST_TOPICS = 50
COPIED_RUN = 6
"""So many words in the order of the answer are a copy and no longer someone's own words."""

Row = dict[str, str]
Rows = dict[tuple[str, str], list[Row]]


def questions() -> list[Row]:
    """Every line of the file, in its order."""
    return [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]


def words(text: str) -> list[str]:
    """The words of a text, folded, without punctuation."""
    return re.findall(r"[^\W_]+", text.casefold())


def runs(text: str) -> set[tuple[str, ...]]:
    """Every run of COPIED_RUN words that a text holds."""
    found = words(text)
    return {tuple(found[i : i + COPIED_RUN]) for i in range(len(found) - COPIED_RUN + 1)}


@pytest.fixture(scope="module")
def rows() -> Rows:
    """MedQuAD's held-out rows by address and type: a page may answer one type several times."""
    held_out: Rows = defaultdict(list)
    with gzip.open(shared_path("data/medquad_val.jsonl.gz"), "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            held_out[row["url"], row["qtype"]].append(row)
    return dict(held_out)


def test_each_line_holds_a_question_and_its_source_and_no_more() -> None:
    for line in questions():
        assert set(line) == {"question", "url", "qtype"}
        assert all(
            isinstance(value, str) and value == value.strip() != "" for value in line.values()
        )
        assert line["question"].endswith("?")


def test_there_are_enough_and_none_stands_twice() -> None:
    asked = [" ".join(words(line["question"])) for line in questions()]
    assert len(asked) == len(set(asked)) >= LEAST_QUESTIONS


def test_every_source_exists(rows: Rows) -> None:
    unknown = [line for line in questions() if (line["url"], line["qtype"]) not in rows]
    assert unknown == []


def test_the_questions_spread_over_topics(rows: Rows) -> None:
    topics = {rows[line["url"], line["qtype"]][0]["focus"].casefold() for line in questions()}
    assert len(topics) >= LEAST_TOPICS


def test_no_question_names_its_topic(rows: Rows) -> None:
    for line in questions():
        focus = words(rows[line["url"], line["qtype"]][0]["focus"])
        named = {word for word in focus if len(word) > 4} & set(words(line["question"]))
        assert not named, line["question"]


def test_no_question_copies_its_answer(rows: Rows) -> None:
    for line in questions():
        for row in rows[line["url"], line["qtype"]]:
            assert runs(line["question"]).isdisjoint(runs(row["answer"])), line["question"]
