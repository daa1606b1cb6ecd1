"""One thread reads everything; one failing sensor takes no other along."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from app.monitor.devices import Devices, Unavailable
from app.monitor.reading import READ_FIELDS, Reading
from app.monitor.sampler import Sampler
from app.monitor.sensors import PowerSearch, Sensors
from tests.app.monitor.boards import PMIC_WATTS, bare, pi5, tree
from tests.app.monitor.power.test_battery import LAPTOP


def _sample(devices: Devices, pid: int | None = None) -> Reading:
    """The second reading, which has a load too."""
    seen: list[Reading] = []
    enough = threading.Event()

    def listen(reading: Reading) -> None:
        seen.append(reading)
        if len(seen) == 2:
            enough.set()

    sampler = Sampler(devices, interval_s=0.02)
    sampler.engine_pid = lambda: pid
    sampler.listen(listen)
    sampler.start()
    assert enough.wait(5)
    sampler.stop()
    assert sampler.latest() is seen[-1]
    assert sampler.cpu_s > 0
    return seen[1]


def test_a_pi_is_read_through_one_seam(tmp_path: Path) -> None:
    reading = _sample(pi5(tmp_path, throttled="throttled=0x50000\n"), pid=4711)
    assert reading.power_w == pytest.approx(PMIC_WATTS)
    assert (reading.power_source, reading.supply_v) == ("pmic", 5.05)
    assert reading.power_coverage is not None and "USB" in reading.power_coverage
    assert reading.throttled == 0x50000
    assert reading.engine_rss == 123456 * 1024
    missing = {"cpu", "gpu_load", "gpu_mhz", "power_mode"}
    assert set(reading.unavailable) == missing, "the fake board's ticks stand still"


def test_a_bare_machine_has_a_reason_for_each_field_and_no_zero(tmp_path: Path) -> None:
    reading = _sample(bare(tmp_path))
    assert set(reading.unavailable) == set(READ_FIELDS)
    assert all(getattr(reading, name) is None for name in READ_FIELDS)


def test_before_the_first_look_there_is_nothing_but_reasons(tmp_path: Path) -> None:
    reading = Sampler(bare(tmp_path)).latest()
    assert set(reading.unavailable) == set(READ_FIELDS)


def test_a_broken_power_sensor_leaves_the_rest(tmp_path: Path) -> None:
    devices = pi5(tmp_path)
    sensors = Sensors(devices, lambda: 7.0)
    assert sensors.read(None).power_w == pytest.approx(PMIC_WATTS)
    devices.run.replies["vcgencmd pmic_read_adc"] = 'error=1 error_msg="busy"'  # type: ignore[attr-defined]
    reading = sensors.read(None)
    sensors.close()
    assert reading.power_w is None and "busy" in reading.unavailable["power_w"]
    assert reading.temp_c == pytest.approx(51.8)
    assert reading.at == 7.0


def test_a_source_that_comes_later_is_found(tmp_path: Path) -> None:
    devices, now = bare(tmp_path), [0.0]
    search = PowerSearch(devices, lambda: now[0])
    with pytest.raises(Unavailable):
        search.read()
    tree(tmp_path, LAPTOP)
    now[0] = 29.0
    with pytest.raises(Unavailable):
        search.read()
    now[0] = 31.0
    assert search.read().watts == pytest.approx(7.25)
    assert search.kind is not None and search.kind.id == "battery"


def test_stopping_takes_a_last_reading(tmp_path: Path) -> None:
    seen: list[Reading] = []
    first = threading.Event()
    sampler = Sampler(bare(tmp_path), interval_s=60)
    sampler.listen(seen.append)
    sampler.listen(lambda _: first.set())
    sampler.start()
    assert first.wait(5)
    sampler.stop()
    assert len(seen) == 2
