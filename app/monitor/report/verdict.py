"""Whether a run stayed inside a power budget."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from app.monitor.governor import WINDOW_S

MOST_OVER = 0.01
"""Share of the time that the rolling mean may be over: the rule that the governor keeps."""
LONGEST_STEP_S = 3.0
"""A stretch without readings is neither inside nor over."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A budget, and how a run did."""

    budget_w: float
    measured_s: float
    """Seconds of which something is known."""
    over_s: float
    longest_over_s: float
    """Without a break; a stretch without readings is one."""
    highest_mean_w: float | None

    @property
    def held(self) -> bool:
        """False also where nothing was measured: what was not looked at did not hold."""
        return self.measured_s > 0 and self.over_s < MOST_OVER * self.measured_s

    @property
    def word(self) -> str:
        """In a cell of a table."""
        return "not known" if self.measured_s <= 0 else ("held" if self.held else "not held")

    @property
    def sentence(self) -> str:
        """The verdict in words, with its rule."""
        if self.measured_s <= 0:
            return (
                f"The {self.budget_w:g} W budget cannot be judged: there are too few power "
                "readings."
            )
        word = "held" if self.held else "NOT held"
        share = 100 * self.over_s / self.measured_s
        return (
            f"The {self.budget_w:g} W budget was {word}: the {WINDOW_S:.0f}-second mean was over "
            f"it for {self.over_s:.1f} of {self.measured_s:.0f} s "
            f"({share:.1f} %; under {MOST_OVER * 100:.0f} % is held), "
            f"at the longest for {self.longest_over_s:.1f} s, and its highest was "
            f"{self.highest_mean_w:.2f} W."
        )


def judge(
    readings: Iterable[tuple[float, float | None]], budget_w: float, window_s: float = WINDOW_S
) -> Verdict:
    """The verdict on (seconds, watts or None), in the order of time."""
    window: deque[tuple[float, float]] = deque()
    measured = over = longest = stretch = 0.0
    highest: float | None = None
    before: float | None = None
    for at, watts in readings:
        if watts is None:
            continue
        step = 0.0 if before is None else at - before
        before = at
        if step > LONGEST_STEP_S:
            window.clear()
            step = stretch = 0.0
        window.append((at, watts))
        while window[0][0] <= at - window_s:
            window.popleft()
        mean = sum(one for _, one in window) / len(window)
        measured += step
        if mean > budget_w:
            over, stretch = over + step, stretch + step
        else:
            stretch = 0.0
        longest = max(longest, stretch)
        highest = mean if highest is None else max(highest, mean)
    return Verdict(budget_w, measured, over, longest, highest)
