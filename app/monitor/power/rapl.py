"""x86 processors: the energy counters that Linux shows under powercap (RAPL).

They count microjoules since an arbitrary start and wrap at a stated range. Power is the difference
of two looks over the time between them, so each reading is the mean since the one before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.power.source import Kind, Power, believable

_ZONES = "sys/class/powercap/intel-rapl:*"

SHORTEST_S = 0.1
"""Counters move in steps of about a millisecond; over a shorter time the steps show."""

ROOT_ONLY = (
    "only root may read the processor's energy counters "
    "(energy_uj; Linux closed them to others in 5.10)"
)


@dataclass(frozen=True, slots=True)
class Look:
    """Every package's counter at one time (monotonic seconds)."""

    at: float
    microjoules: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """One processor package."""

    path: str
    range_uj: int | None
    """Where the counter starts again from zero; None where it is not told."""


class Rapl:
    """The processor packages' power."""

    via = "powercap"

    def __init__(
        self,
        devices: Devices,
        zones: tuple[Zone, ...],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._devices = devices
        self._zones = zones
        self._clock = clock
        self._sleep = sleep
        self._before = self._look()

    def read(self) -> Power:
        """The mean since the last reading; waits where that was a moment ago."""
        self._sleep(max(0.0, self._before.at + SHORTEST_S - self._clock()))
        before, self._before = self._before, self._look()
        return power_between(before, self._before, self._zones)

    def _look(self) -> Look:
        counters = tuple(self._devices.number(f"{zone.path}/energy_uj") for zone in self._zones)
        return Look(self._clock(), counters)


def probe(devices: Devices) -> Rapl:
    """The counters, after a first look. Raises Unavailable with the reason."""
    zones = find_packages(devices)
    if not zones:
        raise Absent("this machine shows no processor energy counters (RAPL)")
    try:
        return Rapl(devices, zones)
    except Unavailable as error:
        if isinstance(error.__cause__, PermissionError):
            raise Unavailable(ROOT_ONLY) from error
        raise


def find_packages(devices: Devices) -> tuple[Zone, ...]:
    """The top zones named `package-…`; their parts and `psys`, which holds them, are not added."""
    zones = []
    for path in devices.find(_ZONES):
        if path.count(":") == 1 and devices.hint(f"{path}/name").startswith("package"):
            wrap = devices.hint(f"{path}/max_energy_range_uj")
            zones.append(Zone(path, int(wrap) if wrap.isascii() and wrap.isdigit() else None))
    return tuple(zones)


def power_between(before: Look, after: Look, zones: tuple[Zone, ...]) -> Power:
    """The mean power between two looks, summed over the packages.

    Raises:
        Unavailable: no time passed, or a counter went back without a known range.
    """
    seconds = after.at - before.at
    if seconds <= 0:
        raise Unavailable("no time passed between two looks at the energy counters")
    total = 0
    for old, new, zone in zip(before.microjoules, after.microjoules, zones, strict=True):
        total += counted(old, new, zone.range_uj)
    return Power(watts=believable(total / 1e6 / seconds))


def counted(before: int, after: int, range_uj: int | None) -> int:
    """Microjoules between two counter values, over at most one wrap.

    Raises:
        Unavailable: the counter went back, and by its range this was no wrap.
    """
    if after >= before:
        return after - before
    if range_uj is None or not 0 <= after <= before <= range_uj:
        raise Unavailable("an energy counter went back, so this stretch cannot be told")
    return range_uj - before + after


RAPL = Kind(
    id="rapl",
    title="Processor energy counters (RAPL)",
    coverage="the processor packages: cores, caches, graphics inside them; "
    "not memory, disks, screen or power supply",
    rate_hz=10.0,
    cost="well below 1 ms",
    probe=probe,
    age="the mean since the reading before",
)
