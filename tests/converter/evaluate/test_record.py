"""The JSON of evaluations: whole, read back, and refused when it is anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError
from converter.evaluate.evaluation import Evaluation, Settings
from converter.evaluate.paired import pair
from converter.evaluate.record import read_record, record
from tests.converter.evaluate.evaluations import MIXED, evaluation, outcome

FULL = replace(
    evaluation(MIXED),
    settings=Settings(mode="text", shots=3, system="Be “brief”.", limit=5, seed=7),
    train_sha256="e" * 64,
    versions=MappingProxyType({"numpy": "2"}),
    outcomes=(*MIXED[:-1], replace(MIXED[-1], sums=(-1.0, -2.0, -3.0, -4.0), lengths=(1, 2, 3, 4))),
)


def kept(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_written_is_read_back_whole(tmp_path: Path) -> None:
    other = evaluation([outcome(0, 1, 1)], task="other", model="nom é \udcff.gguf")
    assert read_record(kept(tmp_path / "e.json", record([FULL, other]))) == (FULL, other)


def test_what_a_model_wrote_is_not_published(tmp_path: Path) -> None:
    wrote = replace(FULL, outcomes=(replace(MIXED[0], written="The question was"), *MIXED[1:]))
    text = record([wrote])
    assert "The question was" not in text
    assert read_record(kept(tmp_path / "e.json", text))[0].outcomes[0].written == ""


def test_the_only_clock_stands_apart_at_the_end() -> None:
    text, later = record([FULL]), record([replace(FULL, seconds=99.5)])
    assert text.splitlines()[:-1] == later.splitlines()[:-1]
    assert later.endswith('"seconds": [99.5]}\n')


def test_results_and_pairs_are_there_for_other_programs() -> None:
    told = json.loads(record([FULL], [pair(FULL, FULL)]))
    results = told["evaluations"][0]["results"]
    assert results["whole"]["metrics"]["accuracy"] == 0.4
    assert results["whole"]["baseline"]["commonest"] == "A"
    assert results["fitting"]["metrics"]["questions"] == 4
    assert results["too_long"] == ["q3"]
    assert set(results["subjects"]) == {"Heart", "Lung"}
    assert len(results["calibration"]["bins"]) == 10
    assert results["errors"][0] == {"by": "subject", "name": "Heart", "questions": 3, "errors": 1}
    assert told["pairs"][0]["p_value"] == 1


Change = Callable[[dict[str, Any]], object]
DAMAGE: dict[str, tuple[Change, str]] = {
    "newer": (lambda told: told.update(bedside_evaluation=2), "newer Bedside"),
    "foreign": (lambda told: told.pop("bedside_evaluation"), "is no evaluation"),
    "true for a version": (lambda told: told.update(bedside_evaluation=True), "is no evaluation"),
    "more": (lambda told: told.update(more=1), "is no evaluation"),
    "no seconds": (lambda told: told.update(seconds=[]), "how long"),
    "seconds as text": (lambda told: told.update(seconds=["2"]), "“seconds” is not of the right"),
    "no object": (lambda told: told.update(evaluations=[1]), "is not whole"),
    "no results": (lambda told: told["evaluations"][0].pop("results"), "is not whole"),
    "seconds below 0": (lambda told: told.update(seconds=[-1]), "no evaluation can"),
    "seconds beyond all": (lambda told: told.update(seconds=[10**400]), "not of the right kind"),
    "too many labels": (
        lambda told: told["evaluations"][0].update(labels=[str(n) for n in range(27)]),
        "no evaluation can",
    ),
    "a field less": (lambda told: told["evaluations"][0].pop("task"), "lacks “task”"),
    "a field more": (lambda told: told["evaluations"][0].update(zeal=1), "“zeal”"),
    "a hash": (lambda told: told["evaluations"][0].update(model_sha256=""), "no evaluation can"),
    "a mode": (
        lambda told: told["evaluations"][0]["settings"].update(mode="guess"),
        "“mode” is not of the right kind",
    ),
    "labels twice": (
        lambda told: told["evaluations"][0].update(labels=list("AACD")),
        "no evaluation can",
    ),
    "no outcomes": (lambda told: told["evaluations"][0].update(outcomes=[]), "no evaluation can"),
    "an outcome twice": (
        lambda told: told["evaluations"][0]["outcomes"].append(
            told["evaluations"][0]["outcomes"][0]
        ),
        "no evaluation can",
    ),
    "versions": (
        lambda told: told["evaluations"][0].update(versions={"numpy": 2}),
        "“versions” is not of the right kind",
    ),
}
OUTCOMES: dict[str, tuple[dict[str, object], str]] = {
    "truth": ({"truth": 4}, "no evaluation can"),
    "negative": ({"truth": -1}, "no evaluation can"),
    "choice": ({"choice": 9}, "no evaluation can"),
    "choice of what did not fit": ({"fits": False}, "no evaluation can"),
    "scores": ({"scores": [-1.0]}, "no evaluation can"),
    "options": ({"options": 5}, "no evaluation can"),
    "a score beyond all": ({"scores": [-1.0, -2.0, -3.0, -1e300]}, "no evaluation can"),
    "lengths without sums": ({"lengths": [1, 2, 3, 4]}, "no evaluation can"),
    "a count beyond all": ({"tokens": 10**400}, "“tokens” is not of the right kind"),
    "text for a score": ({"scores": list("abcd")}, "“scores” is not of the right kind"),
    "boolean": ({"truth": True}, "“truth” is not of the right kind"),
    "id": ({"id": 3}, "“id” is not of the right kind"),
}


def refused(told: dict[str, Any], words: str, path: Path) -> None:
    with pytest.raises(BadInputError, match=words) as error:
        read_record(kept(path, json.dumps(told)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", DAMAGE)
def test_anything_else_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    change, words = DAMAGE[name]
    told = json.loads(record([FULL]))
    change(told)
    refused(told, words, tmp_path / "e.json")


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_outcome_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    change, words = OUTCOMES[name]
    told = json.loads(record([FULL]))
    told["evaluations"][0]["outcomes"][0].update(change)
    refused(told, words, tmp_path / "e.json")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"bedside_evaluation": 1, "bedside_evaluation": 1}', "NaN", "\x00"]
)
def test_what_is_no_json_object_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"e\.json"):
        read_record(kept(tmp_path / "e.json", text))


def test_a_missing_file_and_an_infinite_score_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        read_record(tmp_path / "none.json")
    text = record([FULL]).replace("-9.5", "-1e999")
    with pytest.raises(BadInputError, match="“scores” is not of the right kind"):
        read_record(kept(tmp_path / "e.json", text))


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    """Of any texts and any finite scores."""
    texts = st.text(max_size=8)
    scores = st.lists(st.floats(-1e6, 0), min_size=4, max_size=4).map(tuple)
    held = [
        replace(
            outcome(number, draw(st.integers(0, 3)), draw(st.none() | st.integers(0, 3))),
            subject=draw(texts),
            scores=draw(st.just(()) | scores),
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    return evaluation(held, task=draw(texts), model=draw(texts))


@given(evaluations())
def test_any_evaluation_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, given: Evaluation
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    assert read_record(kept(path, record([given]))) == (given,)
