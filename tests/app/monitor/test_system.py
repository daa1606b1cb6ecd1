"""Load, memory, heat and clock from the kernel's files."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.system import (
    CpuTimes,
    System,
    load_between,
    parse_cpu_times,
    parse_memory,
    parse_nominal_clock,
    parse_resident,
    temperature,
)
from tests.app.monitor.boards import bare, pi5, tree


def test_a_pi_is_read_whole(tmp_path: Path) -> None:
    system = System(pi5(tmp_path))
    assert system.memory() == (2_500_000 * 1024, 4_000_000 * 1024)
    assert system.temp_c() == pytest.approx(51.8)
    assert system.clock_mhz() == pytest.approx(2400)
    assert system.resident(4711) == 123456 * 1024


def test_load_is_what_was_busy_between_two_looks(tmp_path: Path) -> None:
    system = System(pi5(tmp_path))
    with pytest.raises(Unavailable, match="two looks"):
        system.cpu()
    # 30 more ticks of user and 10 of waiting for a disk, which is not work.
    tree(tmp_path, {"proc/stat": "cpu  130 10 40 850 40 5 5 10 0 0\n"})
    assert system.cpu() == pytest.approx(30 / 90)


def test_guest_time_is_not_counted_twice() -> None:
    with_guest = parse_cpu_times("cpu 500 0 0 500 0 0 0 0 400 0\n")
    assert with_guest == CpuTimes(busy=500, total=1000)


def test_a_clock_that_went_back_is_no_load() -> None:
    with pytest.raises(Unavailable):
        load_between(CpuTimes(50, 100), CpuTimes(40, 110))
    with pytest.raises(Unavailable):
        load_between(CpuTimes(50, 100), CpuTimes(50, 100))


@pytest.mark.parametrize("millidegrees", [999_000, -274_000, 150_001])
def test_an_impossible_temperature_is_none(millidegrees: int) -> None:
    with pytest.raises(Unavailable, match="which cannot be"):
        temperature(millidegrees)


def test_the_processors_own_thermometer_is_chosen(tmp_path: Path) -> None:
    zones = "sys/class/thermal/thermal_zone"
    files = {
        f"{zones}0/type": "battery\n",
        f"{zones}0/temp": "20000\n",
        f"{zones}1/type": "cpu-thermal\n",
        f"{zones}1/temp": "61000\n",
        f"{zones}2/type": "tj-thermal\n",
        f"{zones}2/temp": "64500\n",
    }
    assert System(Devices(tree(tmp_path, files))).temp_c() == pytest.approx(64.5)


def test_a_desktop_has_its_thermometer_in_hwmon(tmp_path: Path) -> None:
    files = {
        "sys/class/hwmon/hwmon0/name": "nvme\n",
        "sys/class/hwmon/hwmon0/temp1_input": "33000\n",
        "sys/class/hwmon/hwmon3/name": "k10temp\n",
        "sys/class/hwmon/hwmon3/temp1_input": "47250\n",
    }
    assert System(Devices(tree(tmp_path, files))).temp_c() == pytest.approx(47.25)


def test_a_bare_machine_has_none_of_it(tmp_path: Path) -> None:
    system = System(bare(tmp_path))
    for read in (system.cpu, system.memory, system.temp_c, system.clock_mhz):
        with pytest.raises(Absent):
            read()
    with pytest.raises(Absent, match="no engine"):
        system.resident(None)
    with pytest.raises(Absent, match="ended"):
        system.resident(1)


def test_a_machine_without_cpufreq_tells_its_nominal_clock() -> None:
    assert parse_nominal_clock("cpu MHz\t\t: 800.500\nx: 1\ncpu MHz\t: 3100.000\n") == 3100
    with pytest.raises(Absent):
        parse_nominal_clock("cpu MHz : 0.000\n")


@given(st.text())
def test_no_text_breaks_a_parser(text: str) -> None:
    for parse in (parse_cpu_times, parse_resident, parse_nominal_clock):
        with contextlib.suppress(Unavailable):
            assert parse(text)
    with contextlib.suppress(Unavailable):
        assert parse_memory(text, "MemAvailable") >= 0
