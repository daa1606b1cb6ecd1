"""RAPL: a difference of counters, over a wrap, of the packages alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.power import rapl
from app.monitor.power.rapl import Look, Rapl, Zone, counted, power_between
from tests.app.monitor.boards import tree

FOLDER = "sys/class/powercap"
FILES = {
    f"{FOLDER}/intel-rapl:0/name": "package-0\n",
    f"{FOLDER}/intel-rapl:0/energy_uj": "1000000\n",
    f"{FOLDER}/intel-rapl:0/max_energy_range_uj": "5000000\n",
    f"{FOLDER}/intel-rapl:0:0/name": "core\n",
    f"{FOLDER}/intel-rapl:0:0/energy_uj": "400000\n",
    f"{FOLDER}/intel-rapl:1/name": "psys\n",
    f"{FOLDER}/intel-rapl:1/energy_uj": "7000000\n",
}


class _Clock:
    """Stands still until someone sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_only_the_packages_are_counted(tmp_path: Path) -> None:
    zones = rapl.find_packages(Devices(tree(tmp_path, FILES)))
    assert [(zone.path, zone.range_uj) for zone in zones] == [(f"{FOLDER}/intel-rapl:0", 5_000_000)]


def test_power_is_energy_over_time_and_the_wrap_is_counted(tmp_path: Path) -> None:
    devices, clock = Devices(tree(tmp_path, FILES)), _Clock()
    counter = tmp_path / FOLDER / "intel-rapl:0/energy_uj"
    source = Rapl(devices, rapl.find_packages(devices), clock, clock.sleep)
    counter.write_text("4000000\n")
    clock.now += 2.0
    assert source.read().watts == pytest.approx(1.5)
    counter.write_text("500000\n")
    clock.now += 1.0
    assert source.read().watts == pytest.approx(1.5), "from 4 to 5 MJ, and on from 0 to 0.5"


def test_two_readings_in_a_moment_wait_for_the_counter(tmp_path: Path) -> None:
    devices, clock = Devices(tree(tmp_path, FILES)), _Clock()
    source = Rapl(devices, rapl.find_packages(devices), clock, clock.sleep)
    (tmp_path / FOLDER / "intel-rapl:0/energy_uj").write_text("1200000\n")
    assert source.read().watts == pytest.approx(2.0)
    assert clock.now == pytest.approx(100.1)


def test_without_counters_there_is_no_such_sensor(tmp_path: Path) -> None:
    with pytest.raises(Absent):
        rapl.probe(Devices(tmp_path))


def test_a_closed_counter_is_root_only_and_not_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = Devices(tree(tmp_path, FILES))

    def closed(self: Path, *_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    zones = rapl.find_packages(devices)
    monkeypatch.setattr(rapl, "find_packages", lambda _: zones)
    monkeypatch.setattr(Path, "open", closed)
    with pytest.raises(Unavailable, match="only root") as caught:
        rapl.probe(devices)
    assert not isinstance(caught.value, Absent)


@pytest.mark.parametrize(
    ("before", "after", "wrap"), [(10, 5, None), (10, 5, 8), (5, -3, 100), (200, 50, 100)]
)
def test_a_counter_that_went_back_is_no_reading(before: int, after: int, wrap: int | None) -> None:
    with pytest.raises(Unavailable):
        counted(before, after, wrap)


@given(st.integers(1, 10**12), st.data())
def test_any_step_shorter_than_the_range_is_found_again(wrap: int, data: st.DataObject) -> None:
    before = data.draw(st.integers(0, wrap - 1))
    step = data.draw(st.integers(0, wrap - 1))
    assert counted(before, (before + step) % wrap, wrap) in (step, wrap if step == 0 else step)


def test_no_time_is_no_power() -> None:
    look = Look(1.0, (5,))
    with pytest.raises(Unavailable):
        power_between(look, look, (Zone("zone", None),))
