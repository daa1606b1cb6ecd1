"""Jetson boards: the INA3221 chip behind the kernel's hwmon files.

hwmon numbers change from boot to boot, so the chip is found by its name and the channel by its
label. On the Orin Nano, VDD_IN is the whole module: the other rails are parts of it, and adding
them would count them twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.power.source import Kind, Power, believable

TOTAL_LABELS = ("VDD_IN",)
"""Channels that carry the whole module."""

_CHIPS = (
    "sys/bus/i2c/drivers/ina3221/*/hwmon/hwmon*",
    "sys/class/hwmon/hwmon*",
)
_NO_RAIL = ("NC", "sum of shunt voltages")


@dataclass(frozen=True, slots=True)
class Channel:
    """Where one rail is read: millivolts times milliamperes."""

    label: str
    voltage: str
    current: str

    def watts(self, devices: Devices) -> float:
        """The rail's power now. Raises Unavailable where a file does not read."""
        millivolts, milliamperes = devices.number(self.voltage), devices.number(self.current)
        return believable(millivolts * milliamperes / 1e6)


class Ina3221:
    """The module's input, with the rails that can be read beside it."""

    via = "hwmon"

    def __init__(self, devices: Devices, channels: tuple[Channel, ...]) -> None:
        self._devices = devices
        self._total = next(channel for channel in channels if channel.label in TOTAL_LABELS)
        self._parts = tuple(channel for channel in channels if channel is not self._total)

    def read(self) -> Power:
        """The module's power now. A rail that does not read is left out; the input may not be."""
        rails = {self._total.label: self._total.watts(self._devices)}
        for channel in self._parts:
            try:
                rails[channel.label] = channel.watts(self._devices)
            except Unavailable:
                continue
        return Power(
            watts=rails[self._total.label],
            supply_v=self._devices.number(self._total.voltage) / 1000,
            rails=rails,
        )


def probe(devices: Devices) -> Ina3221:
    """The chip with the module's input, after a first reading."""
    channels = find_channels(devices)
    if not channels:
        raise Absent("there is no INA3221 chip here")
    if not any(channel.label in TOTAL_LABELS for channel in channels):
        labels = ", ".join(channel.label for channel in channels)
        raise Unavailable(f"the INA3221 here has no channel for the whole module (only {labels})")
    reader = Ina3221(devices, channels)
    reader.read()
    return reader


def find_channels(devices: Devices) -> tuple[Channel, ...]:
    """Every labelled rail of every INA3221, each once."""
    found: dict[str, Channel] = {}
    for pattern in _CHIPS:
        for chip in devices.find(pattern):
            if devices.hint(f"{chip}/name") == "ina3221":
                for channel in _channels_of(devices, chip):
                    found.setdefault(channel.label, channel)
    return tuple(found.values())


def _channels_of(devices: Devices, chip: str) -> list[Channel]:
    channels = []
    for path in devices.find(f"{chip}/in*_label"):
        number = path.rsplit("/in", 1)[1].removesuffix("_label")
        current = f"{chip}/curr{number}_input"
        label = devices.hint(path)
        if label and label not in _NO_RAIL and devices.find(current):
            channels.append(Channel(label, f"{chip}/in{number}_input", current))
    return channels


INA3221 = Kind(
    id="ina3221",
    title="Jetson power monitor (INA3221)",
    coverage="the whole module at its input (VDD_IN); not the carrier board's own parts",
    rate_hz=10.0,
    cost="two transfers a rail on the chip's I2C bus",
    probe=probe,
    age="the chip's last conversion, some milliseconds old",
)
