"""UPS HATs: the INA219 chip behind the kernel's hwmon files.

The chip measures the battery's current with its sign, which differs from HAT to HAT: on the one
that the sample is of, a current from the battery is negative, on others it is positive. So it tells
the machine's power only while the battery feeds it, and which way that is it cannot say itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.power.source import Kind, Power, believable

_CHIPS = "sys/class/hwmon/hwmon*"
_MAINS = "sys/class/power_supply/*"
NOISE_MA = 10
"""A current below it is the charger's trickle or the chip's own error, and no machine's."""


@dataclass(frozen=True, slots=True)
class Ina219:
    """What flows between the battery and the machine."""

    devices: Devices
    chip: str

    via = "hwmon"

    def read(self) -> Power:
        """The power that the battery gives. Raises Unavailable where it gives none."""
        if _on_mains(self.devices):
            raise Unavailable("the UPS HAT is on mains, so the battery's current is its charging")
        milliamperes = self.devices.number(f"{self.chip}/curr1_input")
        millivolts = self.devices.number(f"{self.chip}/in1_input")
        if abs(milliamperes) < NOISE_MA:
            raise Unavailable("the UPS HAT's battery gives no current, so mains feeds the board")
        watts = believable(abs(milliamperes) * millivolts / 1e6)
        return Power(watts=watts, supply_v=millivolts / 1000)


def probe(devices: Devices) -> Ina219:
    """The first such chip, after a first reading."""
    for chip in devices.find(_CHIPS):
        if devices.hint(f"{chip}/name") == "ina219":
            reader = Ina219(devices, chip)
            reader.read()
            return reader
    raise Absent("there is no INA219 chip here")


def _on_mains(devices: Devices) -> bool:
    """Whether the kernel knows of a charger that is plugged in."""
    return any(
        devices.hint(f"{supply}/type") in ("Mains", "USB")
        and devices.hint(f"{supply}/online") == "1"
        for supply in devices.find(_MAINS)
    )


INA219 = Kind(
    id="ina219",
    title="UPS HAT (INA219)",
    coverage="the battery's current, either way: the whole board with its HATs while the battery "
    "feeds it, the charging while a charger does that the chip cannot see",
    rate_hz=10.0,
    cost="two transfers on the chip's I2C bus",
    probe=probe,
    age="the chip's last conversion, some milliseconds old",
)
