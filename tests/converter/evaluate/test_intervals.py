"""Wilson's interval and McNemar's test against statsmodels and by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate.intervals import Interval, mcnemar, wilson
from tests.converter.evaluate.test_metrics import REFERENCE


@pytest.mark.parametrize("case", REFERENCE["wilson"])
def test_intervals_are_those_of_statsmodels(case: list[float]) -> None:
    successes, trials, low, high = case
    found = wilson(int(successes), int(trials))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("case", REFERENCE["mcnemar"])
def test_the_paired_test_is_that_of_statsmodels(case: list[float]) -> None:
    assert mcnemar(int(case[0]), int(case[1])) == pytest.approx(case[2])


def test_wilson_at_both_ends_follows_its_formula() -> None:
    z2 = 1.959963984540054**2
    none, every = wilson(0, 10), wilson(10, 10)
    assert (none.low, none.high) == pytest.approx((0, z2 / (10 + z2)))
    assert (every.low, every.high) == pytest.approx((10 / (10 + z2), 1))
    assert wilson(0, 0) == Interval(0.0, 1.0)


def test_mcnemar_by_hand() -> None:
    # One of six the other way: twice the tail of six tosses, (1 + 6) / 64.
    assert mcnemar(5, 1) == pytest.approx(2 * (1 + 6) / 2**6)
    assert mcnemar(0, 5) == pytest.approx(2 / 2**5)
    assert mcnemar(4, 4) == 1
    assert mcnemar(0, 0) == 1


def test_an_interval_stands_above_below_or_level() -> None:
    interval = Interval(0.2, 0.3)
    assert [interval.against(value) for value in (0.1, 0.2, 0.25, 0.3, 0.4)] == [
        "above", "level", "level", "level", "below"
    ]  # fmt: skip


@given(st.integers(1, 3000), st.floats(0, 1))
def test_an_interval_holds_its_share_and_narrows_with_more(trials: int, share: float) -> None:
    successes = round(share * trials)
    found, more = wilson(successes, trials), wilson(4 * successes, 4 * trials)
    assert 0 <= found.low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= found.high <= 1
    assert more.high - more.low < found.high - found.low


@given(st.integers(0, 60), st.integers(0, 60))
def test_which_of_two_comes_first_does_not_matter(first: int, second: int) -> None:
    p_value = mcnemar(first, second)
    assert 0 < p_value <= 1
    assert math.isclose(p_value, mcnemar(second, first))
