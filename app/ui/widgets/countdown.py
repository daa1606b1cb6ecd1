"""The kiosk's countdown: visible, in words, and ended by any key."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from textual.widgets import Static

from app.ui.messages import CountdownBegan, IdleTooLong

_TICK_S = 0.5


class Countdown(Static):
    """Says how long what is on the screen still stays.

    Args:
        left: Seconds until the wipe, None while there is no countdown.
    """

    DEFAULT_CSS = """
    Countdown {
        display: none;
        height: auto;
        padding: 0 1;
        color: $error;
        text-style: bold;
    }
    """

    def __init__(self, left: Callable[[], float | None]) -> None:
        super().__init__(markup=False)
        self._left = left

    def on_mount(self) -> None:
        self.set_interval(_TICK_S, self.tick)

    def tick(self) -> None:
        """Bring the line to what is so now."""
        left = self._left()
        if left is not None and not self.display:
            self.post_message(CountdownBegan())
        self.display = left is not None
        if left is None:
            return
        seconds = ceil(left)
        self.update(f"Is somebody there? Everything is wiped in {seconds} s. Any key stops that.")
        if left <= 0:
            self.post_message(IdleTooLong())
