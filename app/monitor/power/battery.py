"""Laptops and boards on a battery that the kernel knows (power_supply).

A battery tells what the machine uses only while it alone feeds it: on a charger its current is the
charging, and at rest it is zero.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.power.source import Kind, Power, believable

_SUPPLIES = "sys/class/power_supply/*"
_FILES = ("type", "scope", "status", "power_now", "current_now", "voltage_now")


class Battery:
    """The sum over the batteries of what they give."""

    via = "power_supply"

    def __init__(self, devices: Devices) -> None:
        self._devices = devices

    def read(self) -> Power:
        """The power now. Raises Unavailable on a charger, and where no battery is left."""
        watts = [discharge(files) for files in find_batteries(self._devices)]
        if not watts:
            raise Absent("there is no battery here")
        return Power(watts=believable(sum(watts)))


def probe(devices: Devices) -> Battery:
    """The batteries, after a first reading: on a charger another source may see more."""
    reader = Battery(devices)
    reader.read()
    return reader


def find_batteries(devices: Devices) -> list[Mapping[str, str]]:
    """The files of each battery that feeds the machine (not a mouse's), by their names."""
    batteries: list[Mapping[str, str]] = []
    for folder in devices.find(_SUPPLIES):
        files = {name: devices.hint(f"{folder}/{name}") for name in _FILES}
        if files["type"] == "Battery" and files["scope"] != "Device":
            batteries.append(files)
    return batteries


def discharge(files: Mapping[str, str]) -> float:
    """Watts that a battery gives, from its files (µW, or µA and µV; the sign differs by driver).

    Raises:
        Unavailable: it is not discharging, or it does not tell a power above zero.
    """
    status = files.get("status", "")
    if status != "Discharging":
        state = f"is “{status.lower()}”" if status else "does not tell its state"
        raise Unavailable(f"the battery {state}, so its current is not what the machine uses")
    power = _number(files, "power_now")
    if power is None:
        current, voltage = _number(files, "current_now"), _number(files, "voltage_now")
        power = current * voltage / 1e6 if current is not None and voltage is not None else None
    if not power:
        raise Unavailable("the battery tells no current")
    return believable(abs(power) / 1e6)


def _number(files: Mapping[str, str], name: str) -> float | None:
    try:
        return int(files.get(name, ""))
    except ValueError:
        return None


BATTERY = Kind(
    id="battery",
    title="Battery (power_supply)",
    coverage="the whole machine with its screen, while it runs on battery",
    rate_hz=0.5,
    cost="a question to the battery's own controller",
    probe=probe,
    age="the controller's own last value, up to some seconds old",
)
