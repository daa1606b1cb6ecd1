"""What every power source offers, and the limits that a believable reading keeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.monitor.devices import Devices, Unavailable

MOST_WATTS = 2000.0
"""More than any machine this runs on; a reading above it is a broken one."""


@dataclass(frozen=True, slots=True)
class Power:
    """One reading."""

    watts: float
    supply_v: float | None = None
    """Voltage of the supply, where the source sees it."""
    rails: Mapping[str, float] = field(default_factory=dict)
    """Watts of each rail by its name; not always parts of `watts` (see the coverage)."""
    gpu_load: float | None = None
    """0 to 1, where the source tells it too."""
    gpu_mhz: float | None = None


class PowerReader(Protocol):
    """A sensor that answered."""

    @property
    def via(self) -> str:
        """The way it is read, such as `mailbox` or `hwmon`."""

    def read(self) -> Power:
        """The power now. Raises Unavailable with the reason."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of power source, and how to find one."""

    id: str
    """Short name, as it stands in a run log."""
    title: str
    coverage: str
    """Which part of the machine a reading sees, and which it does not."""
    rate_hz: float
    """The fastest reading that still says something new."""
    cost: str
    """What one reading takes."""
    probe: Callable[[Devices], PowerReader]
    """Raises Absent where there is none, Unavailable where it cannot be read."""
    age: str = "measured when it is asked for"
    """How old a reading may be when it is had."""


def believable(watts: float) -> float:
    """The value itself. Raises Unavailable where it cannot be a power."""
    if not math.isfinite(watts) or watts < 0 or watts > MOST_WATTS:
        raise Unavailable(f"the sensor says {watts:g} W, which cannot be")
    return watts
