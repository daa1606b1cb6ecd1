"""What `bedside monitor` prints."""

from __future__ import annotations

import io
from pathlib import Path

from app.monitor.live import PlainPrinter, panel_lines, source_lines, watch
from app.monitor.power import survey
from app.monitor.reading import Reading
from app.monitor.sampler import Sampler
from tests.app.monitor.boards import bare, pi5

FULL = Reading(
    at=12.5,
    power_w=4.257,
    supply_v=5.05,
    temp_c=61.24,
    clock_mhz=2400,
    cpu=0.375,
    available_bytes=2 * 2**30,
    total_bytes=4 * 2**30,
    engine_rss=900 * 2**20,
    throttled=0x10000,
    power_source="pmic",
    power_coverage="the board",
)


def test_the_panel_names_source_supply_and_coverage() -> None:
    text = "\n".join(panel_lines(FULL, own_cpu_s=0.5, seconds=100))
    assert "4.26 W (pmic, supply 5.05 V)" in text
    assert "2,048 MiB of 4,096 MiB" in text
    assert "38 %" in text and "61.2 °C" in text and "2400 MHz" in text
    assert "no, but since boot: under-voltage" in text
    assert "0.5 % of one core" in text
    assert "The power covers the board." in text


def test_a_missing_value_says_why_and_is_never_zero() -> None:
    reading = Reading(0.0, unavailable={"power_w": "the sensor is closed"})
    text = "\n".join(panel_lines(reading, 0.0, 0.0))
    assert "Power        unavailable, because the sensor is closed" in text
    assert "0.00" not in text and "0 %" not in text


def test_plain_lines_tell_a_reason_once_and_time_from_the_start() -> None:
    out = io.StringIO()
    printer = PlainPrinter(out)
    printer.show(FULL)
    broken = Reading(14.5, unavailable={"power_w": "it hangs", "engine_rss": "no engine"})
    printer.show(broken)
    printer.show(broken)
    text = out.getvalue()
    assert text.count("power: unavailable, because it hangs") == 1
    assert "no engine" not in text
    assert text.splitlines()[1].startswith("    0.0 s  power 4.26 W  temperature 61.2 °C")
    assert text.splitlines()[-1].startswith("    2.0 s  power - W")


def test_only_the_letters_of_a_console_font_are_used() -> None:
    text = "".join(panel_lines(FULL, 0.5, 100))
    assert all(letter.isascii() or letter in "°–×“”" for letter in text)


def test_watching_ends_after_the_count(tmp_path: Path) -> None:
    seen: list[Reading] = []
    watch(Sampler(pi5(tmp_path), interval_s=0.01), 3, seen.append)
    assert len(seen) == 3


def test_every_source_is_listed_with_what_it_covers(tmp_path: Path) -> None:
    text = "\n".join(source_lines(survey(pi5(tmp_path))))
    assert "now       3.66 W, by vcgencmd" in text
    assert "now       unavailable, because there is no INA3221 chip here" in text
    assert text.count("covers ") == len(survey(bare(tmp_path / "other")))
