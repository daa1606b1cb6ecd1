"""Confidence and its error, by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate.calibration import BINS, calibrate, confidence
from converter.evaluate.outcome import Outcome
from tests.converter.evaluate.evaluations import outcome


def sure(number: int, share: float, *, right: bool) -> Outcome:
    """An answer among two options, given with this confidence."""
    scores = (math.log(share), math.log(1 - share))
    return outcome(number, 0 if right else 1, 0, scores=scores, options=2)


def test_confidence_is_the_softmax_of_the_scores() -> None:
    one = outcome(0, 0, 1, scores=(-1000.0, -999.0, -1001.0), options=3)
    total = math.exp(-1) + 1 + math.exp(-2)
    assert confidence(one) == pytest.approx(1 / total)
    assert confidence(outcome(0, 0, 2)) is None  # chosen in writing
    assert confidence(outcome(0, 0, None, scores=(-1.0, -2.0))) is None


def test_the_error_by_hand() -> None:
    held = [sure(0, 0.95, right=True), sure(1, 0.93, right=False), sure(2, 0.62, right=True)]
    found = calibrate([*held, outcome(3, 0, None)])
    assert found is not None
    assert found.questions == 3
    assert [one.questions for one in found.bins] == [0, 0, 0, 0, 0, 0, 1, 0, 0, 2]
    assert found.error == pytest.approx((1 * abs(1 - 0.62) + 2 * abs(0.5 - 0.94)) / 3)


def test_a_bin_has_its_upper_end_and_not_its_lower() -> None:
    even = outcome(0, 0, 0, scores=(-1.0, -1.0), options=2)  # exactly a half
    certain = outcome(1, 0, 0, scores=(0.0, -800.0), options=2)
    found = calibrate([even, certain])
    assert found is not None
    assert [index for index, one in enumerate(found.bins) if one.questions] == [4, BINS - 1]
    assert (found.bins[4].low, found.bins[4].high) == (0.4, 0.5)


def test_nothing_sure_is_no_calibration() -> None:
    assert calibrate([outcome(0, 0, None), outcome(1, 0, 2)]) is None


@given(st.lists(st.tuples(st.floats(0.5, 0.999), st.booleans()), min_size=1, max_size=30))
def test_every_answer_is_in_one_bin_and_the_error_is_a_share(
    given: list[tuple[float, bool]],
) -> None:
    found = calibrate(sure(n, share, right=right) for n, (share, right) in enumerate(given))
    assert found is not None
    assert sum(one.questions for one in found.bins) == len(given)
    assert 0 <= found.error <= 1
    for one in found.bins:
        assert not one.questions or one.low < one.confidence <= one.high + 1e-12
