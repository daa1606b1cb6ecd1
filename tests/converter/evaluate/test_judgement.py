"""What stands beside a model's answers, and what is said of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from converter.evaluate.baseline import chance, majority
from converter.evaluate.evaluation import Settings
from converter.evaluate.judgement import judge, summarise
from converter.evaluate.metrics import measure
from tests.converter.evaluate.evaluations import LABELS, MIXED, evaluation, outcome, outcomes
from tests.shared import shared_path


def test_the_majority_of_medmcqa_is_that_of_the_published_table() -> None:
    path = shared_path("data/medmcqa_dev.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        truths = [LABELS.index(json.loads(line)["answer"]) for line in lines]
    assert len(truths) == 4183
    held = outcomes(truths, [None] * len(truths))
    label, found = majority(held, LABELS)
    figures = (found.accuracy, found.weighted.precision, found.weighted.recall, found.weighted.f1)
    assert [round(figure, 4) for figure in figures] == [0.3223, 0.1038, 0.3223, 0.1571]
    assert label == "A"
    assert chance(held) == pytest.approx(0.25)


def test_the_majority_is_by_truth_and_the_first_of_equals() -> None:
    label, found = majority(outcomes([2, 1, 1, 2], [0, 0, 0, 0]), LABELS)
    assert label == "B"
    assert found == measure([2, 1, 1, 2], [1, 1, 1, 1], LABELS)


def test_chance_is_averaged_over_questions_of_unlike_length() -> None:
    held = [outcome(0, 0, 0, options=2), outcome(1, 0, 0, options=4), outcome(2, 0, 0, options=3)]
    assert chance(held) == pytest.approx((1 / 2 + 1 / 4 + 1 / 3) / 3)


def answered(right: int, wrong: int) -> Sequence[tuple[int, int]]:
    """Truths that go round, so that the majority is no more than chance."""
    return [(n % 4, n % 4 if n < right else (n + 1) % 4) for n in range(right + wrong)]


@pytest.mark.parametrize(
    ("right", "wrong", "words", "skilled"),
    [
        (30, 70, "not to be told from chance (25.0%), and not to be told from always", False),
        (60, 40, "better than chance (25.0%), and better than always answering A (25.0%)", True),
        (4, 96, "worse than chance (25.0%), and worse than always answering A (25.0%)", False),
    ],
)
def test_the_words_follow_the_interval(right: int, wrong: int, words: str, skilled: bool) -> None:
    truths, choices = zip(*answered(right, wrong), strict=True)
    found = judge(outcomes(truths, choices), LABELS)
    assert words in found.sentence
    assert f"{right} of 100 right" in found.sentence
    assert found.skilled is skilled


def test_what_did_not_fit_is_wrong_in_the_main_row_and_absent_from_the_second() -> None:
    found = summarise(evaluation(MIXED))
    assert (found.whole.metrics.correct, found.whole.metrics.questions) == (2, 5)
    assert found.fitting is not None
    assert (found.fitting.metrics.correct, found.fitting.metrics.questions) == (2, 4)
    assert found.too_long == ("q3",)
    assert found.whole.margin == pytest.approx((2 + 0.5 + 7.5 + 0.1) / 4)
    assert [(name, one.metrics.questions) for name, one in found.subjects] == [
        ("Heart", 3), ("Lung", 2)
    ]  # fmt: skip
    assert found.subjects[1][1].majority == "B"  # of its own questions, not of the set


def test_scores_that_did_not_decide_are_judged_too() -> None:
    # Divided by bytes the first option is best, summed the second.
    one = replace(
        outcome(0, 1, 0, scores=(-0.1, -1.0)), sums=(-2.0, -1.0), lengths=(20, 1), options=2
    )
    other = outcome(1, 0, None)
    by_text = replace(evaluation([one, other]), settings=Settings(mode="text"))
    found = summarise(by_text)
    assert found.otherwise is not None
    assert (found.whole.metrics.correct, found.otherwise.metrics.correct) == (0, 1)
    summed = replace(one, choice=1, scores=one.sums)
    by_sum = replace(by_text, settings=Settings(mode="text", normalised=False), outcomes=(summed,))
    back = summarise(by_sum).otherwise
    assert back is not None
    assert back.metrics.correct == 0
    assert summarise(evaluation(MIXED)).otherwise is None


def test_a_second_row_is_made_only_where_it_differs() -> None:
    assert summarise(evaluation(outcomes([0, 1], [0, 0]))).fitting is None
    none_fits = summarise(evaluation(outcomes([0, 1], [None, None])))
    assert none_fits.fitting is None
    assert none_fits.calibration is None
    assert none_fits.whole.margin is None
    assert none_fits.subjects == ()
