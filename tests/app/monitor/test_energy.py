"""The trapezoid, and where it must not be drawn."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.monitor.energy import between


def test_a_window_worked_by_hand() -> None:
    readings = [(0.0, 2.0), (1.0, 4.0), (2.0, 6.0), (3.0, 6.0)]
    # From 0.5 (3 W) to 2.5 (6 W): (3 + 4) / 2 * 0.5 + (4 + 6) / 2 * 1 + 6 * 0.5 = 9.75 J.
    found = between(readings, 0.5, 2.5)
    assert found.joules == pytest.approx(9.75)
    assert (found.samples, found.reason) == (2, None)


@pytest.mark.parametrize(
    ("readings", "start", "end", "reason"),
    [
        ([], 0.0, 5.0, "fewer than two"),
        ([(0.0, 3.0), (1.0, 3.0), (9.0, 3.0)], 0.5, 2.0, "fewer than two"),
        ([(1.0, 3.0), (2.0, 3.0), (3.0, 3.0)], 0.5, 2.5, "span the whole"),
        ([(0.0, 3.0), (1.0, 3.0), (2.0, 3.0)], 0.5, 2.5, "span the whole"),
        ([(0.0, 3.0), (1.0, 3.0), (5.0, 3.0), (6.0, 3.0)], 0.5, 5.5, "not read for 4.0 s"),
        ([(0.0, 3.0), (1.0, None), (2.0, None), (3.0, 3.0)], 0.0, 3.0, None),
    ],
)
def test_what_is_not_known_is_not_invented(
    readings: list[tuple[float, float | None]], start: float, end: float, reason: str | None
) -> None:
    found = between(readings, start, end)
    if reason is None:
        assert found.joules == pytest.approx(9.0)
    else:
        assert found.joules is None and reason in (found.reason or "")


@given(
    st.lists(st.floats(0.1, 2.5), min_size=3, max_size=40),
    st.floats(0, 100),
    st.floats(-5, 5),
    st.data(),
)
def test_a_straight_line_is_integrated_exactly(
    steps: list[float], base: float, slope: float, data: st.DataObject
) -> None:
    times = [0.0]
    for step in steps:
        times.append(times[-1] + step)
    start = data.draw(st.floats(0, times[-1]))
    end = data.draw(st.floats(start, times[-1]))
    assume(sum(1 for at in times if start <= at <= end) >= 2)
    found = between([(at, base + slope * at) for at in times], start, end)
    exact = base * (end - start) + slope * (end**2 - start**2) / 2
    assert found.joules == pytest.approx(exact, rel=1e-6, abs=1e-6)


TRACE = (
    (0.000, 2.61),
    (1.013, 2.58),
    (2.004, 5.92),
    (3.021, 6.04),
    (4.017, 6.11),
    (5.002, 5.87),
    (6.031, 2.66),
)
"""Seconds and watts as a sampler takes them: never quite a second apart."""


def test_a_recorded_trace_worked_by_hand_to_a_thousandth() -> None:
    """The window from 1.5 to 5.5 s, with a desk calculator.

    At 1.5 s: 2.58 + 3.34 * 0.487 / 0.991 = 4.22135 W; at 5.5 s: 5.87 - 3.21 * 0.498 / 1.029 =
    4.31648 W. Trapezoids: 0.504 s of 5.07067 W, 1.017 of 5.98, 0.996 of 6.075, 0.985 of 5.99 and
    0.498 of 5.09324 W, together 23.12456 J.
    """
    found = between(TRACE, 1.5, 5.5)
    assert found.joules == pytest.approx(23.12456, rel=1e-5)
    assert found.samples == 4
