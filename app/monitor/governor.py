"""Keeps the mean of a power reading under a budget, by threads first and by duty second.

What it knows of a setting it has measured: how many watts above idle a number of threads takes at
full duty, and how many tokens a second it brings. From both follow, for each number of threads,
the duty that the budget allows and the speed that is left; the fastest is taken. Duty then follows
each reading. It is a controller without a model of the board: idle power need not even be right,
since the duty is corrected in proportion to what was read at the last one.

Pure: readings and counts go in with their times, a pace comes out.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Phase = Literal["idle", "prefill", "decode"]

WINDOW_S = 5.0
"""The budget holds for the mean over this time: a supply and a heat sink bear a shorter peak."""
SETTLE_S = 2.0
"""After a change, readings say nothing of the new setting yet: the sensor's and the board's lag."""
LEARN_S = 6.0
"""Settled time at a setting after which it counts as known."""
LEARN = 0.2
"""Weight of a new reading in what is known: the last five count, which evens out the noise."""
SIGMAS = 4.0
"""Distance to the budget in standard errors of the window's mean: two for the noise (2 % of all
windows lie beyond), two more for what the correcting itself stirs up."""
LEAST_MARGIN = 0.02
"""Distance to the budget in any case, as a share of it."""
START_DUTY = 0.3
"""An unknown board is approached from below."""
LEAST_DUTY = 0.1
"""Below it an answer stands still for a reader; the budget is then not held, and that is said."""
STEP_UP = 0.15
"""Duty rises by at most this at once, and falls at once."""
DEAD_BAND = 0.02
"""Smaller changes of duty are not worth a message."""
WORTH = 1.05
"""Another number of threads must promise 5 % more, or two that are alike would take turns."""
CAUTIOUS = 0.85
"""Share of the duty that a number of threads starts with which was used before: what is known of it
may be a while old."""
BLIND_S = 10.0
"""So long without a reading there is no control."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How the engine may work."""

    threads: int
    duty: float


@dataclass(frozen=True, slots=True)
class Work:
    """What the engine does now."""

    phase: Phase
    tokens: int = 0
    """Written since it was started; only the differences count."""


@dataclass(slots=True)
class Level:
    """What is known of a number of threads (or of reading a prompt)."""

    extra_w: float | None = None
    """Watts above idle at full duty."""
    speed: float | None = None
    """Tokens a second at full duty."""
    seen_s: float = 0.0
    """Settled time at about the same duty."""
    count: int = 0
    """Readings since the duty was last changed by much."""

    @property
    def known(self) -> bool:
        """Whether it was seen for long enough to be compared."""
        return self.seen_s >= LEARN_S

    def forget_duty(self) -> None:
        """The duty is another: what the watts were at the old one counts no more."""
        self.count = 0
        if not self.known:
            self.seen_s = 0.0


class Governor:
    """One budget and one engine."""

    def __init__(self, budget_w: float, most_threads: int) -> None:
        """
        Args:
            budget_w: for the mean of `WINDOW_S`.
            most_threads: what the engine uses when nothing holds it back.
        """
        self.budget_w = budget_w
        self._most = most_threads
        self._levels = {threads: Level() for threads in range(1, most_threads + 1)}
        self._reading = Level()
        self._readings: deque[tuple[float, float]] = deque()
        self._idle_w: float | None = None
        self._variance = (0.03 * budget_w) ** 2
        self._pace = Pace(most_threads, START_DUTY)
        self._phase: Phase = "idle"
        self._changed_at = self._before = -math.inf
        self._tokens = 0
        self._read_at: float | None = None

    @property
    def pace(self) -> Pace:
        """What holds now."""
        return self._pace

    @property
    def held(self) -> bool:
        """Whether the rolling mean is under the budget."""
        mean = self.mean_w
        return mean is None or mean <= self.budget_w

    @property
    def mean_w(self) -> float | None:
        """The rolling mean; None while nothing was read."""
        if not self._readings:
            return None
        return sum(watts for _, watts in self._readings) / len(self._readings)

    @property
    def cost(self) -> tuple[float, float] | None:
        """Tokens a second with the budget and without; None where not both are known."""
        level = self._levels[self._pace.threads]
        known = [level.speed for level in self._levels.values() if level.speed is not None]
        if level.speed is None or not known:
            return None
        return level.speed * self._pace.duty, max(known)

    def blind(self, now: float) -> bool:
        """Whether nothing is controlled: never was there a reading, or not for long."""
        return self._read_at is None or now - self._read_at > BLIND_S

    def observe(self, now: float, watts: float | None, work: Work) -> Pace:
        """The pace from now on.

        Args:
            now: monotonic seconds.
            watts: the reading; None where there was none.
            work: what the engine does.
        """
        if watts is not None:
            if self.blind(now):  # sight is back: from below again
                self._pace = Pace(self._most, START_DUTY)
            self._take(now, watts, work)
        if self.blind(now):
            self._set(now, Pace(self._most, 1.0))
        elif work.phase == "prefill":
            self._set(now, Pace(self._pace.threads, self._duty(self._reading)))
        elif work.phase == "decode":
            self._set(now, self._best(self._target()))
        self._before, self._tokens = now, work.tokens
        return self._pace

    def _take(self, now: float, watts: float, work: Work) -> None:
        """Learn from a reading what it says of the setting that it was taken in."""
        self._read_at = now
        self._readings.append((now, watts))
        while self._readings[0][0] <= now - WINDOW_S:
            self._readings.popleft()
        if work.phase != self._phase:
            self._phase, self._changed_at = work.phase, now
        settled = now - self._changed_at >= SETTLE_S
        if work.phase == "idle":
            if settled:
                self._idle_w = _towards(self._idle_w, watts)
        elif settled and self._before > -math.inf:
            self._learn(self._level(), watts, now - self._before, work)

    def _learn(self, level: Level, watts: float, seconds: float, work: Work) -> None:
        extra = max(0.05, watts - (self._idle_w or 0.0)) / self._pace.duty
        weight = max(LEARN, 1 / (level.count + 1))
        level.count += 1
        if level.extra_w is not None and level.count * LEARN > 1:
            miss = (extra - level.extra_w) * self._pace.duty
            self._variance += 0.05 * (min(miss**2, 9 * self._variance) - self._variance)
        level.extra_w = _towards(level.extra_w, extra, weight)
        if work.phase == "decode" and seconds > 0:
            speed = (work.tokens - self._tokens) / seconds / self._pace.duty
            level.speed = _towards(level.speed, speed)
        level.seen_s += seconds

    def _level(self) -> Level:
        return self._reading if self._phase == "prefill" else self._levels[self._pace.threads]

    def _target(self) -> float:
        """The budget less a margin for the noise of the window's mean."""
        error = math.sqrt(self._variance / max(1, len(self._readings)))
        return self.budget_w - max(SIGMAS * error, LEAST_MARGIN * self.budget_w)

    def _best(self, target: float) -> Pace:
        """The number of threads that is fastest within the target, with its duty."""
        now = self._pace.threads
        level = self._levels[now]
        duty = self._duty(level)
        if not level.known:
            return Pace(now, duty)
        untried = self._untried()
        if duty < 1.0 and untried is not None:
            # Fewer threads never take more power, so the known duty is safe there.
            return Pace(untried, duty)
        speeds = self._speeds(target)
        best = max(speeds, key=lambda threads: speeds[threads])
        if best != now and speeds[best] > WORTH * speeds.get(now, 0.0):
            return Pace(best, CAUTIOUS * self._allowed(self._levels[best], target))
        return Pace(now, duty)

    def _untried(self) -> int | None:
        """The largest number of threads below this one that is not known."""
        below = range(self._pace.threads - 1, 0, -1)
        return next((n for n in below if not self._levels[n].known), None)

    def _speeds(self, target: float) -> Mapping[int, float]:
        """Tokens a second that each known number of threads brings within the target."""
        return {
            threads: level.speed * self._allowed(level, target)
            for threads, level in self._levels.items()
            if level.speed is not None and level.extra_w is not None and level.known
        }

    def _duty(self, level: Level) -> float:
        """The next duty at a level: up in steps, down at once."""
        if level.extra_w is None:
            return min(self._pace.duty, START_DUTY) if level is self._reading else self._pace.duty
        wanted = self._allowed(level, self._target())
        mean = self.mean_w
        if mean is not None and mean > self.budget_w:
            wanted = min(wanted, self._pace.duty * self._target() / mean)
        return max(LEAST_DUTY, min(wanted, self._pace.duty + STEP_UP))

    def _allowed(self, level: Level, target: float) -> float:
        assert level.extra_w is not None
        share = (target - (self._idle_w or 0.0)) / level.extra_w
        return max(LEAST_DUTY, min(1.0, share))

    def _set(self, now: float, pace: Pace) -> None:
        """Take the pace; a change too small to matter is none."""
        same_threads = pace.threads == self._pace.threads
        at_the_top = pace.duty == 1.0 > self._pace.duty
        if same_threads and not at_the_top and abs(pace.duty - self._pace.duty) < DEAD_BAND:
            return
        jump = not same_threads or abs(pace.duty - self._pace.duty) > 5 * DEAD_BAND
        self._pace = pace
        if jump:  # small corrections leave the readings comparable
            self._changed_at = now
            self._level().forget_duty()


def _towards(known: float | None, value: float, weight: float = LEARN) -> float:
    return value if known is None else known + weight * (value - known)


def describe(governor: Governor, source: str, now: float) -> str:
    """The mean and its budget, the pace, and tokens a second with the budget and without.

    One line of an 80-column panel.
    """
    head = f"{governor.budget_w:.2f} W ({source})"
    if governor.blind(now):
        return f"{head}: no reading, so no control"
    mean = governor.mean_w
    if mean is None:
        return f"{head}: nothing read yet"
    pace, cost = governor.pace, governor.cost
    threads = "1 thread" if pace.threads == 1 else f"{pace.threads} threads"
    over = "" if governor.held else "OVER: "
    line = f"{over}{mean:.2f} of {head}, {threads} at {pace.duty * 100:.0f} %"
    return line if cost is None else f"{line}, {cost[0]:.1f}/{cost[1]:.1f} tokens/s"
