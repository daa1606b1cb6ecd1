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
