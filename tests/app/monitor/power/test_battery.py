"""A battery tells the machine's power only while it alone feeds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.power import battery
from tests.app.monitor.boards import tree

SUPPLY = "sys/class/power_supply"
LAPTOP = {
    f"{SUPPLY}/AC/type": "Mains\n",
    f"{SUPPLY}/BAT0/type": "Battery\n",
    f"{SUPPLY}/BAT0/status": "Discharging\n",
    f"{SUPPLY}/BAT0/power_now": "7250000\n",
    f"{SUPPLY}/mouse/type": "Battery\n",
    f"{SUPPLY}/mouse/scope": "Device\n",
    f"{SUPPLY}/mouse/status": "Discharging\n",
    f"{SUPPLY}/mouse/power_now": "90000000\n",
}


def test_the_machines_battery_is_read_and_the_mouses_is_not(tmp_path: Path) -> None:
    assert battery.probe(Devices(tree(tmp_path, LAPTOP))).read().watts == pytest.approx(7.25)


def test_two_batteries_are_added(tmp_path: Path) -> None:
    second = {path.replace("BAT0", "BAT1"): text for path, text in LAPTOP.items() if "BAT0" in path}
    source = battery.probe(Devices(tree(tmp_path, {**LAPTOP, **second})))
    assert source.read().watts == pytest.approx(14.5)


@pytest.mark.parametrize("current", ["1500000", "-1500000"])
def test_current_and_voltage_do_where_no_power_is_told(current: str) -> None:
    files = {"status": "Discharging", "current_now": current, "voltage_now": "8000000"}
    assert battery.discharge(files) == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"status": "Charging", "power_now": "7000000"}, "“charging”"),
        ({"status": "Full", "power_now": "0"}, "“full”"),
        ({"power_now": "7000000"}, "does not tell its state"),
        ({"status": "Discharging", "power_now": "0"}, "no current"),
        ({"status": "Discharging"}, "no current"),
        ({"status": "Discharging", "current_now": "5", "voltage_now": "x"}, "no current"),
        ({"status": "Discharging", "power_now": "9000000000"}, "which cannot be"),
    ],
)
def test_what_is_not_the_machines_power_is_unavailable(files: dict[str, str], reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        battery.discharge(files)


def test_a_charger_that_is_plugged_in_later_is_seen(tmp_path: Path) -> None:
    root = tree(tmp_path, LAPTOP)
    source = battery.probe(Devices(root))
    (root / SUPPLY / "BAT0/status").write_text("Charging\n")
    with pytest.raises(Unavailable, match="charging"):
        source.read()


def test_a_machine_without_one_has_none(tmp_path: Path) -> None:
    with pytest.raises(Absent):
        battery.probe(Devices(tmp_path))
