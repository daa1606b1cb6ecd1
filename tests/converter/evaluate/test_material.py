"""Which questions, examples and passages a seed draws."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import BadInputError, UsageError
from converter.evaluate.evaluation import Settings
from converter.evaluate.material import gather
from converter.evaluate.passages import read_passages
from tests.converter.evaluate.asking import questions


def drawn(count: int, seed: int) -> list[str]:
    material = gather(questions(40), Settings(limit=count, seed=seed))
    assert material.available == 40
    return [question.id for question in material.questions.questions]


def test_a_seed_draws_the_same_questions_in_the_sets_order() -> None:
    ten = drawn(10, 1)
    assert drawn(10, 1) == ten == sorted(ten, key=lambda name: int(name[1:]))
    assert set(drawn(20, 1)) > set(ten), "a larger sample holds the smaller"
    assert drawn(10, 2) != ten
    assert drawn(0, 1) == [f"q{number}" for number in range(40)]


def test_examples_are_none_of_the_questions() -> None:
    some = questions(45)
    train = replace(some, questions=some.questions * 2, sha256="9" * 64)
    material = gather(questions(40), Settings(shots=3, limit=2), train)
    assert {example.id for example in material.examples} <= {f"q{n}" for n in range(40, 45)}
    assert len(set(material.examples)) == 3, "a repeated one is shown once"
    assert (len(material.examples), material.left_out, material.train_sha256) == (3, 40, "9" * 64)
    with pytest.raises(UsageError, match="has 5 questions that are not asked themselves"):
        gather(questions(40), Settings(shots=6), train)
    with pytest.raises(UsageError, match="name their file with --train"):
        gather(questions(40), Settings(shots=1))


def test_retrieved_passages_by_id_or_by_text(tmp_path: Path) -> None:
    file = tmp_path / "found.jsonl"
    rows = [
        {"id": "q0", "passages": ["One.", "Two."]},
        {"question": "Which is organ 1?", "passages": []},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    found = read_passages(file)
    settings = Settings(passages="reference")
    material = gather(questions(2), settings, None, found)
    first, second = material.questions.questions
    assert material.passages(first, settings) == ("One.", "Two.")
    assert material.passages(second, settings) == ()
    with pytest.raises(BadInputError, match="no row for the question q2"):
        gather(questions(3), settings, None, found)
    for settings, passages in ((Settings(passages="reference"), None), (Settings(), found)):
        with pytest.raises(UsageError, match="give both"):
            gather(questions(2), settings, None, passages)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"id": "1", "passages": ["a"]}\n' * 2, "second row for 1"),
        ('{"id": "1", "passages": "a"}', "must list texts"),
        ('{"id": "1"}', "no field `passages`"),
        ('{"1": {}}', "one JSON object"),
    ],
)
def test_files_of_passages_that_are_none(content: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "found.jsonl"
    file.write_text(content)
    with pytest.raises(BadInputError, match=sentence):
        read_passages(file)
