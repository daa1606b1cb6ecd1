"""Rivals, the curve and the verdict, on numbers worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.compare.table import Row, curve_at, frontier, judge, verdicts
from tests.converter.compare.tables import RIVALS, row, table


@pytest.mark.parametrize(
    ("megabytes", "rival"),
    [(40, "Q8_0"), (32, "Q8_0"), (31.9, "Q4_K_M"), (15, "IQ4_XS by importance"),
     (14, "IQ4_XS by importance"), (13.9, "Q2_K"), (8, "Q2_K"), (7.9, None)],
)  # fmt: skip
def test_the_rival_is_the_largest_that_is_not_over_the_bytes(
    megabytes: float, rival: str | None
) -> None:
    """Of two as large as each other, the better one."""
    found = judge(row("cut", megabytes, 9.0, "candidate"), RIVALS).rival
    assert (found and found.name) == rival


def test_the_curve_joins_the_best_and_passes_over_the_beaten() -> None:
    assert [one.name for one in frontier(RIVALS)] == [
        "Q2_K", "IQ4_XS by importance", "Q4_K_M", "Q8_0"
    ]  # fmt: skip
    halfway = curve_at(11_000_000, RIVALS)
    assert halfway == pytest.approx(math.sqrt(16.8 * 8.4))
    assert curve_at(14_000_000, RIVALS) == pytest.approx(8.4)
    assert curve_at(60_000_000, RIVALS) == pytest.approx(8.0)
    assert curve_at(7_999_999, RIVALS) is None


@pytest.mark.parametrize(
    ("megabytes", "perplexity", "wins", "words"),
    [
        (15, 8.1, True, "better than plain quantisation"),
        (15, 8.35, False, "no better than quantisation"),  # better than the rival, not the curve
        (15, 9.0, False, "no better than quantisation"),
        (7, 20.0, None, "no file of the full model is as small"),
    ],
)
def test_a_verdict_says_so_when_the_candidate_loses(
    megabytes: float, perplexity: float, wins: bool | None, words: str
) -> None:
    verdict = judge(row("cut", megabytes, perplexity, "candidate"), RIVALS)
    assert verdict.wins is wins
    assert words in verdict.sentence
    if wins is not None:
        assert "its rival IQ4_XS by importance (14.00 MB) has 8.400" in verdict.sentence


def test_only_quantised_files_of_the_full_model_are_rivals() -> None:
    first, second = row("one", 15, 8.1, "candidate"), row("two", 15, 5.0, "candidate")
    found = verdicts(table(first, second))
    assert [verdict.candidate.name for verdict in found] == ["one", "two"]
    assert all(verdict.rival and verdict.rival.role == "weighed" for verdict in found)


_ROWS = st.lists(
    st.builds(row, st.just("any"), st.floats(1, 100), st.floats(2, 1000)), min_size=1, max_size=12
)


@given(_ROWS, st.floats(0.5, 120))
def test_the_curve_is_never_worse_than_any_file_that_fits(
    rows: list[Row], megabytes: float
) -> None:
    nbytes = round(megabytes * 1e6)
    fitting = [one.perplexity for one in rows if one.nbytes <= nbytes]
    found = curve_at(nbytes, rows)
    assert (found is None) == (not fitting)
    if found is not None:
        assert min(one.perplexity for one in rows) * (1 - 1e-9) <= found
        assert found <= min(fitting) * (1 + 1e-9)


def _windows(one: Row, *nlls: float) -> Row:
    return replace(one, scores=(replace(one.scores[0], window_nlls=nlls),))


@pytest.mark.parametrize(
    ("nlls", "mean", "error", "close"),
    [
        ((2.0, 3.0, 4.0), -0.2, 0.0, False),  # every window better by the same
        ((1.7, 3.2, 4.7), 0.0, 0.5 / 3**0.5, True),
    ],
)
def test_windows_are_compared_one_by_one(
    nlls: tuple[float, ...], mean: float, error: float, close: bool
) -> None:
    """The windows differ by whole units; what counts is how far the two models are apart."""
    candidate = _windows(row("cut", 15, 8.1, "candidate"), *nlls)
    rival = _windows(RIVALS[3], 2.2, 3.2, 4.2)
    verdict = judge(candidate, [rival])
    assert verdict.difference == pytest.approx((mean, error), abs=1e-9)
    assert verdict.close is close
    assert ("too close to its rival to tell" in verdict.sentence) is close
    assert f"{mean:+.4f}"[1:] in verdict.sentence


def test_one_window_tells_no_difference() -> None:
    candidate = _windows(row("cut", 15, 8.1, "candidate"), 2.0)
    verdict = judge(candidate, [_windows(RIVALS[3], 2.2)])
    assert verdict.difference is None
    assert not verdict.close
