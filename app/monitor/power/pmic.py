"""Raspberry Pi 5: the power management chip, asked through the firmware.

Its reply has a line for each current and each voltage, in any order and with indices that differ
for the two, so they are paired by name. A current without its voltage makes the whole reply
unusable: leaving a rail out would understate the board.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.monitor.devices import Devices, Unavailable
from app.monitor.firmware import Firmware, connect
from app.monitor.power.source import Kind, Power, believable

_LINE = re.compile(
    r"^\s*(\w{1,32})_([AV]) (?:current|volt)\(\d{1,3}\)=(\d{1,4}\.\d{1,12})([AV])\s*$"
)

CORE = "VDD_CORE"
"""The largest rail: a reply without it is no reading of the board."""
SUPPLY = "EXT5V"


class Pmic:
    """The sum over the rails of current times voltage."""

    def __init__(self, firmware: Firmware) -> None:
        self._firmware = firmware

    @property
    def via(self) -> str:
        """`mailbox` or `vcgencmd`."""
        return self._firmware.way

    def read(self) -> Power:
        """The power now, with the supply's voltage. Raises Unavailable with the reason."""
        return power_of(parse(self._firmware.ask("pmic_read_adc")))


def probe(devices: Devices) -> Pmic:
    """The chip, after a first whole reading: a Pi 4's firmware does not know the question."""
    reader = Pmic(connect(devices))
    reader.read()
    return reader


def parse(reply: str) -> Mapping[tuple[str, str], float]:
    """Amperes and volts by (rail, `A` or `V`), from the text of `pmic_read_adc`.

    Lines that are no channel are skipped.

    Raises:
        Unavailable: a channel comes twice, which only a torn or mixed reply does.
    """
    channels: dict[tuple[str, str], float] = {}
    for line in reply.splitlines():
        found = _LINE.match(line)
        if found is None or found.group(2) != found.group(4):
            continue
        key = (found.group(1), found.group(2))
        if key in channels:
            raise Unavailable(f"the power chip's reply names {'_'.join(key)} twice")
        channels[key] = float(found.group(3))
    return channels


def power_of(channels: Mapping[tuple[str, str], float]) -> Power:
    """Watts of every rail and their sum.

    Raises:
        Unavailable: the core's rail or the voltage of any current is missing.
    """
    currents = {rail: value for (rail, unit), value in channels.items() if unit == "A"}
    if CORE not in currents:
        raise Unavailable("the power chip's reply is incomplete")
    missing = [rail for rail in currents if (rail, "V") not in channels]
    if missing:
        raise Unavailable(f"the power chip's reply lacks the voltage of {', '.join(missing)}")
    rails = {rail: current * channels[rail, "V"] for rail, current in currents.items()}
    return Power(
        watts=believable(sum(rails.values())),
        supply_v=channels.get((SUPPLY, "V")),
        rails=rails,
    )


PMIC = Kind(
    id="pmic",
    title="Raspberry Pi power chip",
    coverage="the board behind its power chip: processor, memory, HDMI, radio; "
    "not USB devices, HATs, NVMe, the fan, or the chip's own loss",
    rate_hz=10.0,
    cost="23 ms, nearly all of it the firmware's own measuring",
    probe=probe,
)
