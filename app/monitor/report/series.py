"""What a report plots over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.monitor.logreader import RunLog
from app.monitor.runlog import TurnRecord

LONGEST_STEP_S = 3.0
"""Readings further apart are not joined: nothing is known between them."""
_MOST_STEPS = 300
"""Points of one answer: more than a plot is wide, however long a log says that it took."""

Point = tuple[float, float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """One value over the time since the run began."""

    title: str
    unit: str
    points: tuple[Point, ...]
    """Seconds and value; None breaks the line."""

    @property
    def known(self) -> bool:
        """Whether there is anything to draw."""
        return any(value is not None for _, value in self.points)


def series_of(log: RunLog) -> tuple[Series, ...]:
    """Power, temperature, tokens a second and memory."""
    samples = log.samples
    longest = LONGEST_STEP_S
    if log.header.power is not None and log.header.power.rate_hz > 0:
        longest = max(longest, 3 / log.header.power.rate_hz)

    def read(title: str, unit: str, points: Iterator[Point]) -> Series:
        return Series(title, unit, tuple(_broken(points, longest)))

    return (
        read("Power", "W", ((one.t, one.power_w) for one in samples)),
        read("Temperature", "°C", ((one.t, one.temp_c) for one in samples)),
        Series("Decoding", "tokens/s", tuple(_speeds(log.turns))),
        read("Engine memory", "MiB", ((one.t, _mib(one.engine_rss)) for one in samples)),
    )


def _speeds(turns: tuple[TurnRecord, ...]) -> Iterator[Point]:
    """Each answer's speed while it was written, and nothing in between."""
    for turn in turns:
        if turn.decode_s > 0 and turn.generated > 0:
            speed, begin = turn.generated / turn.decode_s, turn.t1 - turn.decode_s
            steps = max(1, int(min(turn.decode_s, _MOST_STEPS)))
            yield begin, None
            yield from ((begin + turn.decode_s * step / steps, speed) for step in range(steps + 1))
            yield turn.t1, None


def _broken(points: Iterator[Point], longest: float) -> Iterator[Point]:
    before: float | None = None
    for at, value in points:
        if before is not None and at - before > longest:
            yield before, None
        before = at
        yield at, value


def _mib(count: int | None) -> float | None:
    return None if count is None else count / 2**20
