"""Files of questions, as published and compact, and all that can be wrong with them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadInputError, BedsideError, UsageError
from converter.evaluate import rows
from converter.evaluate.sets import read_sets
from tests.shared import shared_path

OPTIONS = {"A": "liver", "B": "heart", "C": "lung", "D": "skin"}


def medqa(number: int, **changed: Any) -> dict[str, Any]:
    """A row as MedQA's authors write it."""
    row = {
        "question": f"Where is it, case {number}?",
        "answer": "heart",
        "options": OPTIONS,
        "meta_info": "step1",
        "answer_idx": "B",
    }
    return row | changed


def medmcqa(number: int, cop: Any, **changed: Any) -> dict[str, Any]:
    """A row as MedMCQA's authors write it."""
    row = {
        "id": f"m{number}",
        "question": f"Which one is it, item {number}?",
        "exp": None,
        "cop": cop,
        **dict(zip(("opa", "opb", "opc", "opd"), OPTIONS.values(), strict=True)),
        "subject_name": "Anatomy",
        "topic_name": None,
        "choice_type": "multi",
    }
    return row | changed


def pubmedqa(decision: str, **changed: Any) -> dict[str, Any]:
    """An entry as PubMedQA's authors write it."""
    entry = {
        "QUESTION": f"Is it {decision}?",
        "CONTEXTS": ["A first part.", "A second."],
        "LABELS": ["BACKGROUND", "RESULTS"],
        "final_decision": decision,
        "LONG_ANSWER": "It is.",
    }
    return entry | changed


def lines(path: Path, written: Sequence[Any]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in written)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_medqa_as_published(tmp_path: Path) -> None:
    fifth = {**OPTIONS, "E": "bone"}
    file = lines(tmp_path / "us.jsonl", [medqa(1), medqa(2, options=fifth)])
    (found,) = read_sets([file])
    assert (found.task, found.labels, found.by_label) == ("medqa", tuple("ABCDE"), False)
    first, second = found.questions
    assert (first.options, first.answer) == (tuple(OPTIONS.values()), 1)
    assert (len(second.options), second.answer) == (5, 1)
    assert first.id != second.id


@pytest.mark.parametrize(("counted", "answers"), [((0, 1, 3), (0, 1, 3)), ((1, 2, 4), (0, 1, 3))])
def test_medmcqa_counts_from_0_or_from_1(
    counted: Sequence[int], answers: Sequence[int], tmp_path: Path
) -> None:
    file = lines(tmp_path / "dev.jsonl.gz", [medmcqa(n, cop) for n, cop in enumerate(counted)])
    (found,) = read_sets([file])
    assert found.task == "medmcqa"
    assert tuple(question.answer for question in found.questions) == tuple(answers)
    assert {(question.id[0], question.subject) for question in found.questions} == {
        ("m", "Anatomy")
    }


def test_pubmedqa_as_published_with_its_answers(tmp_path: Path) -> None:
    entries = {"11": pubmedqa("yes"), "12": pubmedqa("no"), "13": pubmedqa("maybe")}
    everything, truth = tmp_path / "ori_pqal.json", tmp_path / "test_ground_truth.json"
    everything.write_text(json.dumps(entries, indent=4))
    truth.write_text(json.dumps({"13": "maybe", "11": "yes"}))
    (alone,) = read_sets([everything])
    (test,) = read_sets([truth, everything])
    assert [question.id for question in alone.questions] == ["11", "12", "13"]
    assert [question.id for question in test.questions] == ["11", "13"]
    assert [question.answer for question in test.questions] == [0, 2]
    assert test.questions[0].passages == ("A first part.", "A second.")
    assert (test.task, test.by_label, test.labels) == ("pubmedqa", True, ("yes", "no", "maybe"))
    assert test.sha256 != alone.sha256
    everything.write_text(json.dumps(entries))  # the same on one line
    assert read_sets([everything])[0].questions == alone.questions


def test_the_compact_forms(tmp_path: Path) -> None:
    plain = {"question": "Where?", "options": OPTIONS, "answer": "D"}
    found = read_sets(
        [
            lines(tmp_path / "medqa.jsonl", [plain]),
            lines(tmp_path / "medmcqa.jsonl", [{**plain, "id": "7", "subject": "Skin"}]),
            lines(
                tmp_path / "pubmedqa.jsonl",
                [{"id": "9", "question": "Is it?", "contexts": ["So."], "answer": "no"}],
            ),
        ]
    )
    assert [one.task for one in found] == ["medqa", "medmcqa", "pubmedqa"]
    assert [one.questions[0].answer for one in found] == [3, 3, 1]
    assert found[1].questions[0].subject == "Skin"


@pytest.mark.parametrize(
    ("name", "task", "count", "majority"),
    [
        ("medqa_us_4options_test", "medqa", 1273, 353),
        ("medmcqa_dev", "medmcqa", 4183, 1348),
        ("pubmedqa_test", "pubmedqa", 500, 276),
    ],
)
def test_the_real_sets(name: str, task: str, count: int, majority: int) -> None:
    (found,) = read_sets([shared_path(f"data/{name}.jsonl.gz")])
    assert (found.task, len(found.questions)) == (task, count)
    assert sum(question.answer == 0 for question in found.questions) == majority


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ([medqa(1), {"question": "?", "options": OPTIONS}], "Line 2 of .* no field `answer`"),
        ([medqa(1, answer_idx="F")], "answer is `F`, which is none of its options"),
        ([medqa(1, answer_idx=1)], "answer is `1`"),
        ([medqa(1, answer="lung")], "another answer in `answer` than in `answer_idx`"),
        ([medqa(1), medqa(1)], r"Line 2 of .* asks the same as line 1"),
        ([medqa(1), medmcqa(1, 0)], "Line 2 of .* is MedMCQA as published, but line 1"),
        ([medqa(1, options={"A": "one"})], "two to 26 options"),
        ([medqa(1, options={"B": "one", "C": "two"})], "call its options A, B and so on, not B, C"),
        ([medqa(1, options={**OPTIONS, "C": " "})], "must have words in option C"),
        ([medqa(1, question="")], "must have words in its field `question`"),
        ([medqa(1, question="x" * 300_000)], "300,000 characters"),
        ([medqa(1, options="ABCD")], "two to 26 options"),
        ([medmcqa(1, 0), medmcqa(2, 4)], "Line 2 .* `cop` of 4, while line 1 .* has 0"),
        ([medmcqa(1, 1), medmcqa(2, 3)], "cannot be told"),
        ([medmcqa(1, -1)], "keeps its answer secret"),
        ([medmcqa(1, 5)], "no number of an option"),
        ([medmcqa(1, True)], "no number of an option"),
        ([medmcqa(1, 0), {**medmcqa(2, 1), "id": "m1"}], "Line 2 of .* has the id m1 of line 1"),
        ([medmcqa(1, 0, opc=None)], "must have words in its field `opc`"),
        ([{"text": "a novel"}], "has the fields text, so it is no set that Bedside knows"),
        ([["A"]], "one JSON list"),
        (["A"], "holds no JSON object"),
        ([], "is empty"),
    ],
)
def test_wrong_rows_are_refused_by_line_and_field(
    written: Sequence[Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read_sets([lines(tmp_path / "rows.jsonl", written)])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"question": "caf\xe9"}', "not UTF-8"),
        (b'{"question": "half', "not valid JSON"),
        (b'{"question": NaN}', "not valid JSON"),
        (b'{"question": 1, "question": 2}', "twice"),
        (b"[" * 100_000, "one JSON list"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "not valid JSON"),
        (b"\x1f\x8b\x08 no gzip", "gzip"),
        (b"{}", "has the fields none"),
        (b"{\n}", "empty"),
        (b'{"1": 2}', "entry 1 of .* is no question"),
        (b'{\n"1": {"QUESTION": "Is it?"}\n}', "Entry 1 of .* no field `final_decision`"),
        (b'{"1": "yes"}', "answers of PubMedQA alone"),
    ],
)
def test_what_is_no_set_is_refused(content: bytes, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    file.write_bytes(content)
    with pytest.raises(BadInputError, match=sentence):
        read_sets([file])


@pytest.mark.parametrize(
    ("truth", "sentence"),
    [({"99": "yes"}, "lacks 1 of the test questions"), ({"11": "no"}, "another answer than")],
)
def test_answers_that_belong_to_other_questions(
    truth: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    questions, answers = tmp_path / "ori_pqal.json", tmp_path / "truth.json"
    questions.write_text(json.dumps({"11": pubmedqa("yes")}))
    answers.write_text(json.dumps(truth))
    with pytest.raises(BadInputError, match=sentence):
        read_sets([questions, answers])


def test_one_set_in_two_files_and_missing_files(tmp_path: Path) -> None:
    first = lines(tmp_path / "a.jsonl", [medqa(1)])
    second = lines(tmp_path / "b.jsonl", [medqa(2)])
    with pytest.raises(UsageError, match="both hold medqa"):
        read_sets([first, second])
    with pytest.raises(BadInputError, match="not a file"):
        read_sets([tmp_path / "none.jsonl"])


def test_a_training_part_may_repeat_itself(tmp_path: Path) -> None:
    file = lines(tmp_path / "train.jsonl", [medqa(1), medqa(1), medqa(2)])
    (found,) = read_sets([file], repeats=True)
    assert len(found.questions) == 3


def test_a_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LARGEST_FILE", 1000)
    file = tmp_path / "bomb.jsonl.gz"
    file.write_bytes(gzip.compress(b" " * 100_000))
    with pytest.raises(BadInputError, match="oversized gzip"):
        read_sets([file])


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_any_change_to_a_row_is_read_or_refused_in_a_sentence(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    row = data.draw(st.sampled_from([medqa(1), medmcqa(1, 0)]))
    field = data.draw(st.sampled_from(sorted(row)))
    odd = st.none() | st.booleans() | st.integers(-5, 9) | st.text(max_size=5)
    row[field] = data.draw(
        odd | st.lists(odd, max_size=4) | st.dictionaries(st.text(max_size=2), odd)
    )
    file = lines(tmp_path_factory.mktemp("odd") / "odd.jsonl", [row])
    try:
        (found,) = read_sets([file])
    except BedsideError as error:
        assert str(error).endswith(".")
    else:
        (question,) = found.questions
        assert 0 <= question.answer < len(question.options) <= len(found.labels)
