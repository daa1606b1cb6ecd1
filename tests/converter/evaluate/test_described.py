"""Sets that a person describes in TOML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadInputError
from converter.evaluate.described import read_description
from converter.evaluate.question import QuestionSet
from converter.evaluate.sets import read_sets

HEAD = 'task = "anatomy"\nquestion = "input"\nanswer = "target"\n'


def read(tmp_path: Path, description: str, *written: dict[str, Any]) -> QuestionSet:
    toml, file = tmp_path / "set.toml", tmp_path / "set.jsonl"
    toml.write_text(description)
    file.write_text("".join(json.dumps(row) + "\n" for row in written))
    (found,) = read_sets([file], [read_description(toml).form()])
    return found


@pytest.mark.parametrize(
    ("further", "row"),
    [
        ('options = "choices"', {"choices": ["a", "b", "c"], "target": "B"}),
        ('options = "choices"', {"choices": {"A": "a", "B": "b", "C": "c"}, "target": "B"}),
        ('options = ["x", "y", "z"]', {"x": "a", "y": "b", "z": "c", "target": "B"}),
        (
            'options = "choices"\nanswer_is = "number"\nfirst = 1',
            {"choices": ["a", "b", "c"], "target": 2},
        ),
        (
            'options = "choices"\nanswer_is = "text"',
            {"choices": ["a", "b", "c"], "target": "b"},
        ),
    ],
)
def test_each_way_to_hold_options_and_answers(
    further: str, row: dict[str, Any], tmp_path: Path
) -> None:
    found = read(tmp_path, HEAD + further, {"input": "Which?", **row})
    (question,) = found.questions
    assert (question.options, question.answer) == (("a", "b", "c"), 1)
    assert (found.task, found.labels, found.by_label) == ("anatomy", ("A", "B", "C"), False)


def test_ids_subjects_passages_and_labels(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        HEAD + 'labels = ["yes", "no"]\nid = "n"\nsubject = "of"\npassages = "read"',
        {"input": "Is it?", "target": "no", "n": 7, "of": "bones", "read": ["So it is."]},
    )
    (question,) = found.questions
    assert found.by_label
    assert (question.id, question.subject, question.passages) == ("7", "bones", ("So it is.",))
    assert (question.options, question.answer) == (("yes", "no"), 1)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [(3, "counted from 0"), ("1", "counted from 0"), (True, "counted from 0"), (-1, "none of its")],
)
def test_a_number_outside_the_options(target: object, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read(
            tmp_path,
            HEAD + 'options = "choices"\nanswer_is = "number"',
            {"input": "Which?", "choices": ["a", "b", "c"], "target": target},
        )


def test_an_answer_that_stands_twice_among_the_options_is_no_answer(tmp_path: Path) -> None:
    further = HEAD + 'options = "choices"\nanswer_is = "text"'
    row = {"input": "Which?", "choices": ["a", "b", "b"]}
    with pytest.raises(BadInputError, match="answer `b` among its options twice"):
        read(tmp_path, further, {**row, "target": "b"})
    (question,) = read(tmp_path, further, {**row, "target": "a"}).questions
    assert question.answer == 0, "what is wrong twice harms nothing"


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        ("task = ", "no valid TOML"),
        (HEAD, "either `options` or two or more `labels`"),
        (HEAD + 'options = "o"\nlabels = ["a", "b"]', "either `options`"),
        (HEAD + 'labels = ["a"]', "two or more `labels`"),
        (HEAD + 'options = ["o", "o"]', "different texts for `options`"),
        (HEAD + 'options = "o"\nanswer_is = "index"', "letter, number or text"),
        (HEAD + 'options = "o"\nfirst = 2', "0 or 1 for `first`"),
        (HEAD + 'options = "o"\nchoices = "o"', "the key choices, which a description does not"),
        ('task = "a"\nquestion = "q"\noptions = "o"', "does not say `answer`"),
        (HEAD.replace("anatomy", "../up") + 'options = "o"', "small letters, digits and hyphens"),
        (HEAD.replace('"input"', "3") + 'options = "o"', "short text for `question`"),
    ],
)
def test_descriptions_that_describe_nothing(
    description: str, sentence: str, tmp_path: Path
) -> None:
    toml = tmp_path / "set.toml"
    toml.write_text(description)
    with pytest.raises(BadInputError, match=sentence):
        read_description(toml)
