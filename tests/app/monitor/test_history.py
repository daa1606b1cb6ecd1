"""The last minute on a screen: numbers, three rows of blocks, the budget and a warning."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.monitor.history import COLUMNS, HEIGHT, History, bars
from app.monitor.live import panel_lines
from app.monitor.panel import machine_rows
from app.monitor.reading import Reading
from app.monitor.sampler import Sampler
from tests.app.monitor.boards import pi5


def _shown(history: History) -> dict[str, str]:
    return {row.label: row.text for row in history.rows() if row.label}


def test_the_minute_in_numbers_and_bars() -> None:
    history = History()
    for second in range(100):
        history.on_reading(Reading(float(second), power_w=9.0 if second == 10 else 3.0))
    assert _shown(history) == {"Last minute": "3.00 to 3.00 W, mean 3.00, peak 9.00 W"}
    rows = [row.text for row in history.rows()]
    assert rows[-HEIGHT:] == ["█" * COLUMNS] * HEIGHT


def test_a_bar_is_in_proportion_and_a_gap_is_blank() -> None:
    powers = [(0.0, 6.0), (1.0, None), (2.0, 2.0), (3.0, 4.0)]
    drawn = [row[-4:] for row in bars(powers, 3.0, 60)]
    assert drawn == ["█   ", "█  █", "█ ██"]


def test_the_budget_stands_first() -> None:
    history = History()
    history.budget_line = lambda: "5.91 of 6.30 W (pmic)"
    history.on_reading(Reading(0.0, power_w=3.0))
    assert list(_shown(history)) == ["Budget", "Last minute"]


def test_throttling_that_holds_now_is_a_warning() -> None:
    def label(bits: int) -> str:
        rows = machine_rows(Reading(0.0, throttled=bits))
        return rows[0].label if rows[-1].label != "Throttled" else "Throttled"

    assert (label(0x50005), label(0x50000), label(0)) == ("WARNING", "Throttled", "Throttled")


def test_without_power_there_is_nothing_to_draw() -> None:
    history = History()
    assert list(history.rows()) == []
    history.on_reading(Reading(0.0))
    assert list(history.rows()) == []


def test_all_of_it_fits_an_80_by_24_console() -> None:
    history = History()
    history.budget_line = lambda: "5.91 of 6.30 W (pmic), 2 threads at 78 %, 9.7/12.4 tokens/s"
    reading = Reading(0.0, power_w=5.0, power_source="pmic", power_coverage="x", throttled=1)
    history.on_reading(reading)
    lines = panel_lines(reading, 0.1, 10.0, history.rows())
    wrapped = sum(1 + len(line) // 80 for line in lines)
    assert wrapped <= 24


@given(st.lists(st.tuples(st.floats(0, 100), st.none() | st.floats(0, 2000)), max_size=80))
def test_any_minute_can_be_drawn(powers: list[tuple[float, float | None]]) -> None:
    rows = bars(sorted(powers, key=lambda one: one[0]), 100.0)
    assert len(rows) in (0, HEIGHT)
    assert all(set(row) <= {" ", "█"} and len(row) == COLUMNS for row in rows)


def test_a_sampler_keeps_its_last_minute(tmp_path: Path) -> None:
    sampler = Sampler(pi5(tmp_path), interval_s=0.01)
    assert list(sampler.recent()) == []
    sampler.start()
    sampler.stop()
    assert next(row.label for row in sampler.recent()) == "Last minute"
