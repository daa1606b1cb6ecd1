"""The last minute of power, for a screen: the budget, its numbers, its peak, its bars.

Bars are made of full blocks alone, three rows high: a console's font has no finer ones.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from app.monitor.panel import Row
from app.monitor.reading import Reading

MINUTE_S = 60.0
COLUMNS = 56
"""With a name before them they fit into 80."""
HEIGHT = 3
BLOCK = "█"


class History:
    """Keeps a minute of readings for a sampler; ask from any thread."""

    def __init__(self) -> None:
        self.budget_line: Callable[[], str] | None = None
        """Tells the power budget and how it is held, where there is one."""
        self._powers: deque[tuple[float, float | None]] = deque()
        self._lock = threading.Lock()
        self._peak: float | None = None

    def on_reading(self, reading: Reading) -> None:
        """Take in a reading."""
        with self._lock:
            self._powers.append((reading.at, reading.power_w))
            while self._powers[0][0] < reading.at - MINUTE_S:
                self._powers.popleft()
            if reading.power_w is not None:
                self._peak = max(reading.power_w, self._peak or 0.0)

    def rows(self) -> Sequence[Row]:
        """The budget, the minute's numbers and its bars; none of these without power readings."""
        with self._lock:
            powers, peak = list(self._powers), self._peak
        rows = []
        if self.budget_line is not None:
            rows.append(Row("Budget", self.budget_line()))
        known = [watts for _, watts in powers if watts is not None]
        if known and peak is not None:
            mean = sum(known) / len(known)
            numbers = f"{min(known):.2f} to {max(known):.2f} W, mean {mean:.2f}, peak {peak:.2f} W"
            rows.append(Row("Last minute", numbers))
            rows += [Row("", line) for line in bars(powers, powers[-1][0])]
        return rows


def bars(
    powers: Sequence[tuple[float, float | None]], now: float, columns: int = COLUMNS
) -> list[str]:
    """The minute up to now as rows of blocks, from the top down; a gap is a blank.

    The scale is from nothing to the highest, so that a bar twice as high is twice the power.
    """
    slots: list[float | None] = [None] * columns
    for at, watts in powers:
        place = columns - 1 - int((now - at) / MINUTE_S * columns)
        if watts is not None and 0 <= place < columns:
            slots[place] = max(watts, slots[place] or 0.0)
    top = max((watts for watts in slots if watts is not None), default=0.0)
    if top <= 0:
        return []
    heights = [0 if watts is None else max(1, round(watts / top * HEIGHT)) for watts in slots]
    return [
        "".join(BLOCK if height >= row else " " for height in heights)
        for row in range(HEIGHT, 0, -1)
    ]
