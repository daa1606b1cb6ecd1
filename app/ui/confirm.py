"""Keys that take effect when they are pressed twice."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

SECONDS = 4.0
"""How long the first press is remembered."""


class PressTwice:
    """Tells the second of two presses from a first one."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._pressed_at = float("-inf")

    def again(self) -> bool:
        """Count a press. True for the second one within the time."""
        now = self._clock()
        second = now - self._pressed_at <= SECONDS
        self._pressed_at = float("-inf") if second else now
        return second
