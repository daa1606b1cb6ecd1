"""An external meter's file: every way of writing it, laid over a run by time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError, BedsideError, UsageError
from app.monitor.power.meter import Meter, parse_meter, read_meter, with_meter
from tests.app.monitor.report.runs import HEADER, log, turn

NOON = 1767355200.0
"""2026-01-02T12:00:00Z."""


@pytest.mark.parametrize(
    "text",
    [
        "time,power\n2026-01-02T12:00:00Z,5.5\n2026-01-02T12:00:01Z,6.5\n",
        "time,power\n2026-01-02T12:00:00.0Z,5.5\n2026-01-02T12:00:01.00000000Z,6.5\n",
        "Timestamp,Power (mW)\n1767355200,5500\n1767355201,6500\n",
        "timestamp;power_w\n1767355200;5,5\n1767355201;6,5\n",
        "Time,Voltage (V),Current (mA)\n1767355200,5,1100\n1767355201,5,1300\n",
        "\ufefftime,name,watts\n1767355200,a,5.5\nrubbish,,\n1767355201,a,6.5\n1767355202,a,-3\n",
        "date,W\n2026-01-02T13:00:00+01:00,5.5\n2026-01-02T13:00:01+01:00,6.5\n",
    ],
)
def test_the_same_two_readings_however_they_are_written(text: str) -> None:
    meter = parse_meter(text, "meter.csv")
    assert [at for at, _ in meter.readings] == [NOON, NOON + 1]
    assert [watts for _, watts in meter.readings] == pytest.approx([5.5, 6.5])
    assert meter.near(NOON + 0.25) == pytest.approx(5.75)
    assert meter.near(NOON - 1) is None and meter.near(NOON + 2) is None
    assert meter.left_out == text.count("rubbish") + text.count("-3")


def test_seconds_of_its_own_need_a_start() -> None:
    text = "elapsed_s,power\n0,5.0\n1,6.0\n"
    with pytest.raises(UsageError, match="--meter-starts"):
        parse_meter(text, "meter.csv")
    meter = parse_meter(text, "meter.csv", "2026-01-02T12:00:00Z")
    assert meter.readings[0] == (NOON, 5.0)
    with pytest.raises(UsageError, match="no time of day"):
        parse_meter(text, "meter.csv", "noon")


def test_between_readings_far_apart_nothing_is_known() -> None:
    assert Meter("m", ((0.0, 5.0), (60.0, 5.0)), 0).near(30.0) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "time,x\n1,2\n",
        "time,power\n",
        "time,power\nx,y\n",
        "time,power," + "x" * 140_000 + "\n1,2\n",
        "time,power\n1,2\n2," + "x" * 140_000 + "\n",
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_meters_file_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_meter(text, "meter.csv", "2026-01-02T12:00:00Z")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        read_meter(tmp_path / "none.csv")


@given(st.text(max_size=200))
def test_any_text_is_readings_or_a_sentence(text: str) -> None:
    try:
        meter = parse_meter(f"time,power\n{text}", "meter.csv", "2026-01-02T12:00:00Z")
    except BedsideError:
        return
    assert all(0 <= watts <= 2000 for _, watts in meter.readings)


def test_a_runs_power_and_energy_are_the_meters() -> None:
    start = 1767323045.0  # HEADER.started
    meter = Meter("wall.csv", tuple((start + t / 2, 9.0) for t in range(60)), 2)
    run = with_meter(log(*[3.0] * 20, turns=(turn(2.0),)), meter)
    assert {sample.power_w for sample in run.samples} == {9.0}
    assert run.turns[0].energy_j == pytest.approx(90.0)
    assert run.turns[0].decode_j == pytest.approx(72.0)
    power = run.header.power
    assert power is not None and power.source == "meter wall.csv" and power.wall is None
    assert "2 lines" in power.coverage and power.rate_hz == pytest.approx(2.0)


def test_a_meter_of_another_day_is_refused() -> None:
    with pytest.raises(BadInputError, match="no reading of the time"):
        with_meter(log(3.0, 3.0), Meter("m", ((0.0, 5.0), (1.0, 5.0)), 0))
    assert HEADER.started.startswith("2026-01-02T03:04:05")
