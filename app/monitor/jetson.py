"""What only a Jetson tells: its GPU's load and clock, and the power mode by name.

The GPU's node is named differently from release to release. The mode's number means another mode
on another board (on an Orin Nano Super 0 is 15 W and 2 is MAXN_SUPER), so only its name is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.monitor.devices import Absent, Devices, Unavailable

ELSEWHERE = "only a Jetson tells it"

_LOADS = (
    "sys/devices/platform/*/*.g[ap]*/load",
    "sys/devices/platform/*.g[ap]*/load",
    "sys/devices/platform/gpu.*/load",
    "sys/devices/gpu.*/load",
)
_CLOCKS = ("sys/class/devfreq/*.g[apv]*/cur_freq", "sys/class/devfreq/gpu.*/cur_freq")
_STATUS = "var/lib/nvpmodel/status"
_MODES = "etc/nvpmodel.conf"

_MODE = re.compile(r"^pmode:(\d{1,5})\b", re.MULTILINE)
_NAME = re.compile(r"<\s*POWER_MODEL\s+ID=(\d{1,5})\s+NAME=([\w.-]{1,40})\s*>")


def parse_load(text: str) -> float:
    """0 to 1, of the per mille in the GPU's node. Raises Unavailable."""
    if not (text.isascii() and text.isdigit()) or not 0 <= int(text) <= 1000:
        raise Unavailable("the GPU's load is no per mille")
    return int(text) / 1000


def parse_clock(text: str) -> float:
    """Megahertz, of the hertz in the clock's node. Raises Unavailable."""
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 10_000_000_000:
        raise Unavailable("the GPU's clock is no frequency")
    return int(text) / 1e6


def mode_name(status: str, modes: str) -> str:
    """The power mode's name.

    Args:
        status: text of nvpmodel's status file, as `pmode:0002 fmode:quiet`.
        modes: text of its configuration, which names the numbers.

    Raises:
        Unavailable: the number is missing, or has no name there.
    """
    number = _MODE.search(status)
    if number is None:
        raise Unavailable("nvpmodel's status does not tell the mode")
    names = {int(found[1]): found[2] for found in _NAME.finditer(modes)}
    if int(number[1]) not in names:
        raise Unavailable(f"nvpmodel's settings do not name the mode {int(number[1])}")
    return names[int(number[1])]


@dataclass(slots=True)
class Jetson:
    """Reads a Jetson's own values; each look-up of where they lie is done once."""

    devices: Devices
    _load: str | None = None
    _clock: str | None = None
    _looked: bool = False

    def gpu_load(self) -> float:
        """0 to 1. Raises Unavailable, and Absent where there is no such GPU."""
        self._look()
        if self._load is None:
            raise Absent(ELSEWHERE)
        return parse_load(self.devices.text(self._load))

    def gpu_mhz(self) -> float:
        """The GPU's clock. Raises as `gpu_load`."""
        self._look()
        if self._clock is None:
            raise Absent(ELSEWHERE)
        return parse_clock(self.devices.text(self._clock))

    def power_mode(self) -> str:
        """nvpmodel's mode by name. Raises Unavailable, and Absent where there is no nvpmodel."""
        try:
            status = self.devices.text(_STATUS)
        except Absent as error:
            raise Absent(ELSEWHERE) from error
        return mode_name(status, self.devices.text(_MODES))

    def _look(self) -> None:
        if not self._looked:
            self._looked = True
            self._load = _first(self.devices, _LOADS)
            self._clock = _first(self.devices, _CLOCKS)


def _first(devices: Devices, patterns: tuple[str, ...]) -> str | None:
    return next((path for pattern in patterns for path in devices.find(pattern)), None)
