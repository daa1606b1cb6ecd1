"""The machine's clocks as the monitor uses them.

Readings are told by the monotonic clock, which nobody sets back and which stands still while the
machine sleeps. The boot-time clock goes on then; the difference is the sleep.
"""

from __future__ import annotations

import time


def suspended_s() -> float:
    """Seconds that the machine has been suspended since it was started."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
