"""When a shared screen has been left: after some minutes without a key, and a countdown."""

from __future__ import annotations

import time
from collections.abc import Callable

COUNTDOWN_S = 60.0
"""Seconds in which any key keeps what is on the screen."""
_WITH_CARD = 2.0


def running_clock() -> float:
    """Seconds that only go forward, sleep included.

    Setting the time of day does not move it, and a machine that slept for a night with somebody's
    words on its screen wipes them when it wakes.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux has it
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class IdleTimer:
    """Counts from the last key. A screen that nobody has touched since its start never ends.

    Args:
        idle_s: Seconds without a key until the countdown; with a card on the screen twice as
            many, since whoever follows its steps has no hand free.
        clock: Seconds that only go forward.
    """

    def __init__(self, idle_s: float, clock: Callable[[], float] = running_clock) -> None:
        self._idle_s = idle_s
        self._clock = clock
        self._touched_at: float | None = None

    def touch(self) -> None:
        """Somebody is there."""
        self._touched_at = self._clock()

    def left(self, *, card: bool, streaming: bool) -> float | None:
        """Seconds until the wipe, once the countdown runs; None before. 0 is the time to wipe.

        While an answer streams, somebody reads it: it counts as a key.
        """
        if self._touched_at is None:
            return None
        if streaming:
            self.touch()
            return None
        limit = self._idle_s * (_WITH_CARD if card else 1.0)
        left = limit + COUNTDOWN_S - (self._clock() - self._touched_at)
        return max(left, 0.0) if left <= COUNTDOWN_S else None
