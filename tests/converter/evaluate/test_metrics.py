"""Metrics against scikit-learn's figures, by hand, and what holds of all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate.metrics import Metrics, Scores, measure

REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "metrics.json").read_text()
)
ABC = ("A", "B", "C")

Answers = tuple[list[int], list[int | None]]


def three(scores: Scores) -> list[float]:
    return [scores.precision, scores.recall, scores.f1]


@pytest.mark.parametrize("case", REFERENCE["answers"])
def test_figures_are_those_of_scikit_learn(case: dict[str, Any]) -> None:
    choices = [None if choice < 0 else choice for choice in case["choices"]]
    found = measure(case["truths"], choices, [str(label) for label in range(case["labels"])])
    assert three(found.macro) == pytest.approx(case["macro"])
    assert three(found.weighted) == pytest.approx(case["weighted"])
    assert [three(one.scores) for one in found.classes] == [
        pytest.approx(scores) for scores in case["classes"]
    ]
    assert [list(row) for row in found.confusion] == case["confusion"]


def test_a_case_by_hand() -> None:
    # A is true three times and chosen twice, once rightly; B and its one answer agree; C is empty.
    found = measure([0, 0, 0, 1], [0, None, 1, 0], ABC)
    assert found.confusion == ((1, 1, 0, 1), (1, 0, 0, 0), (0, 0, 0, 0))
    assert (found.correct, found.accuracy, found.unchosen) == (1, 0.25, 1)
    assert [(one.label, one.support, one.chosen) for one in found.classes] == [
        ("A", 3, 2), ("B", 1, 1), ("C", 0, 0)
    ]  # fmt: skip
    assert three(found.classes[0].scores) == pytest.approx([1 / 2, 1 / 3, 2 / 5])
    assert three(found.macro) == pytest.approx([1 / 4, 1 / 6, 1 / 5])  # over A and B
    assert three(found.weighted) == pytest.approx([3 / 8, 1 / 4, 3 / 10])


def test_an_empty_class_that_is_chosen_counts_in_the_macro_mean() -> None:
    found = measure([0, 0], [0, 2], ABC)
    assert three(found.macro) == pytest.approx([1 / 2, 1 / 4, 1 / 3])
    assert three(found.weighted) == pytest.approx([1, 1 / 2, 2 / 3])


def test_one_class_only_can_be_met_wholly() -> None:
    found = measure([1, 1, 1], [1, 1, 1], ABC)
    assert three(found.macro) == three(found.weighted) == [1, 1, 1]
    assert found.commonest == ("B", 1.0)


def test_of_labels_chosen_as_often_the_first_is_the_commonest() -> None:
    assert measure([0, 0, 0, 0], [2, 1, 1, 2], ABC).commonest == ("B", 0.5)
    assert measure([0], [None], ABC).commonest == ("", 0.0)


def test_no_question_at_all_is_nothing_and_no_error() -> None:
    found = measure([], [], ABC)
    assert (found.accuracy, three(found.weighted), found.interval.high) == (0, [0, 0, 0], 1)


@st.composite
def answers(draw: st.DrawFn, *, always: bool = False) -> Answers:
    """Truths and choices among three labels; `always` leaves no question without a choice."""
    labels = st.integers(0, 2)
    choices = labels if always else st.none() | labels
    pairs = draw(st.lists(st.tuples(labels, choices), min_size=1, max_size=40))
    return [truth for truth, _ in pairs], [choice for _, choice in pairs]


def all_scores(found: Metrics) -> list[float]:
    held = [found.macro, found.weighted, *(one.scores for one in found.classes)]
    return [value for scores in held for value in three(scores)]


@given(answers())
def test_every_figure_is_a_share_and_the_counts_add_up(given: Answers) -> None:
    found = measure(*given, ABC)
    assert all(0 <= value <= 1 for value in all_scores(found))
    assert found.interval.low <= found.accuracy <= found.interval.high
    assert sum(map(sum, found.confusion)) == found.questions == len(given[0])
    assert sum(one.support for one in found.classes) == found.questions
    assert sum(one.chosen for one in found.classes) + found.unchosen == found.questions


@given(answers())
def test_weighted_recall_is_the_accuracy(given: Answers) -> None:
    found = measure(*given, ABC)
    assert found.weighted.recall == pytest.approx(found.accuracy)


@given(answers(), st.permutations([0, 1, 2]))
def test_naming_the_labels_otherwise_changes_no_average(given: Answers, order: list[int]) -> None:
    truths, choices = given
    found = measure(truths, choices, ABC)
    other = measure(
        [order[truth] for truth in truths],
        [None if choice is None else order[choice] for choice in choices],
        ABC,
    )
    assert three(other.macro) == pytest.approx(three(found.macro))
    assert three(other.weighted) == pytest.approx(three(found.weighted))
    assert other.correct == found.correct


@given(answers(always=True))
def test_truth_and_choice_exchanged_exchange_precision_and_recall(given: Answers) -> None:
    truths, choices = given
    chosen = [choice for choice in choices if choice is not None]
    found, other = measure(truths, chosen, ABC), measure(chosen, truths, ABC)
    assert other.macro.precision == pytest.approx(found.macro.recall)
    assert other.macro.f1 == pytest.approx(found.macro.f1)
