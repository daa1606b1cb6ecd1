"""What the monitor saw at one moment. What could not be read is None and says why; never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the machine."""

    at: float
    """Seconds on the monotonic clock."""
    power_w: float | None = None
    supply_v: float | None = None
    """Voltage of the supply, where the power source sees it."""
    temp_c: float | None = None
    """The hottest of what the board calls its processor."""
    clock_mhz: float | None = None
    """The fastest core's clock."""
    cpu: float | None = None
    """Share of all cores in use since the reading before, 0 to 1."""
    gpu_load: float | None = None
    """0 to 1, on a Jetson."""
    gpu_mhz: float | None = None
    power_mode: str | None = None
    """A Jetson's power mode by its name, as `25W`."""
    available_bytes: int | None = None
    """Memory that can still be had without swapping (MemAvailable)."""
    total_bytes: int | None = None
    engine_rss: int | None = None
    """Resident memory of the engine process in bytes."""
    throttled: int | None = None
    """The Raspberry Pi's bits: 0 to 3 now, 16 to 19 since boot. See `app.monitor.throttling`."""
    power_source: str | None = None
    """The source's id, as `pmic`; None where there is none."""
    power_coverage: str | None = None
    suspended_s: float = 0.0
    """Seconds that the machine has slept since it was started; the monotonic clock leaves them
    out, so two readings a second apart may lie hours apart."""
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """For each field that is None: what completes “unavailable, because …”."""


READ_FIELDS = (
    "power_w",
    "temp_c",
    "clock_mhz",
    "cpu",
    "gpu_load",
    "gpu_mhz",
    "power_mode",
    "available_bytes",
    "engine_rss",
    "throttled",
)
"""Fields that either hold a value or have their reason in `unavailable`."""


def unread(at: float) -> Reading:
    """What there is to show before the first look."""
    return Reading(at, unavailable=dict.fromkeys(READ_FIELDS, "nothing has been read yet"))
