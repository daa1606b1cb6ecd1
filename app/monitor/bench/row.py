"""One row of a bench: what was asked, what was measured, and whether it counts."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.engine.messages import EngineSettings, Loaded
from app.monitor import throttling
from app.monitor.bench.bandwidth import Bandwidth
from app.monitor.reading import Reading
from app.monitor.runlog import TurnRecord


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing."""

    median: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt length and answer length at one setting. What is not known is None."""

    settings: EngineSettings
    prompt_tokens: int
    generated: int
    prefill: Spread | None
    """Tokens a second; the prompt's tokens over the engine's own time for them."""
    decode: Spread | None
    """Tokens a second; without the first one, which the prompt's last logits gave."""
    first_token_s: Spread | None
    """From the question to the first text."""
    idle_w: float | None
    mean_w: float | None
    """Over the answers, from the question to the end."""
    peak_w: float | None
    """The highest single reading."""
    prefill_j: float | None
    """Joules for a token of the prompt."""
    decode_j: float | None
    """Joules for a token of the answer."""
    memory_peak: int | None
    """The engine's resident bytes."""
    temp_before: float | None
    temp_after: float | None
    throttled_before: int | None
    throttled_after: int | None
    reached: float | None
    """Share of the measured read bandwidth that decoding reached."""
    void: tuple[str, ...]
    """Why this row does not count, in words."""
    unavailable: Mapping[str, str]
    decode_runs: tuple[float, ...] = ()
    prefill_runs: tuple[float, ...] = ()

    @property
    def tokens_per_joule(self) -> float | None:
        """Of the answer."""
        return 1 / self.decode_j if self.decode_j else None


@dataclass(frozen=True, slots=True)
class Bench:
    """All of a bench: where and with what it was measured, and its rows."""

    board: str
    model: Loaded
    sha256: str | None
    versions: Mapping[str, str]
    started: str
    """ISO 8601, in UTC."""
    bandwidth: Bandwidth
    bytes_per_token: int | None
    """Bytes of weights that a token reads; None where the file does not tell it."""
    cached: float | None
    """Share of the model's file in the kernel's cache before the first load; None is not known."""
    load_s: float
    """Of the first load."""
    power: str
    """The source, with what it covers; or why there is none."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the repeats of a row have in common."""

    settings: EngineSettings
    idle_w: float | None
    bandwidth: Bandwidth
    bytes_per_token: int | None


def make_row(
    facts: Facts,
    turns: Sequence[TurnRecord],
    readings: Sequence[Reading],
    before: Reading,
    after: Reading,
) -> Row:
    """The row of several equal turns.

    Args:
        facts: what they have in common.
        turns: with their energy, on the readings' clock.
        readings: from the first turn's start to the last one's end.
        before, after: readings around all of them, for heat and throttling.
    """
    decode = tuple(rate(turn.generated - 1, turn.decode_s) for turn in turns)
    prefill = tuple(rate(turn.evaluated, turn.prefill_s) for turn in turns)
    speed = spread(decode)
    reached = None
    if speed is not None and facts.bytes_per_token is not None:
        reached = speed.median * facts.bytes_per_token / facts.bandwidth.bytes_per_s
    watts = [reading.power_w for reading in readings if reading.power_w is not None]
    return Row(
        settings=facts.settings,
        prompt_tokens=turns[0].prompt_tokens,
        generated=turns[0].generated,
        prefill=spread(prefill),
        decode=speed,
        first_token_s=spread(turn.ttft_s for turn in turns),
        idle_w=facts.idle_w,
        mean_w=_median(_over(turn.energy_j, turn.t1 - turn.t0) for turn in turns),
        peak_w=max(watts, default=None),
        prefill_j=_median(_over(turn.prefill_j, turn.evaluated) for turn in turns),
        decode_j=_median(_over(turn.decode_j, turn.generated - 1) for turn in turns),
        memory_peak=_memory_peak([before, *readings, after]),
        temp_before=before.temp_c,
        temp_after=after.temp_c,
        throttled_before=before.throttled,
        throttled_after=after.throttled,
        reached=reached,
        void=tuple(voiding(turns, readings, before, after)),
        unavailable=after.unavailable,
        decode_runs=tuple(one for one in decode if one is not None),
        prefill_runs=tuple(one for one in prefill if one is not None),
    )


def voiding(
    turns: Sequence[TurnRecord], readings: Sequence[Reading], before: Reading, after: Reading
) -> Iterable[str]:
    """Why a row does not count: a board that slows itself down measures its cooling.

    The rule is that of llama.cpp's own board reports: no bit before and none after.
    """
    if before.throttled:
        yield f"the board was throttled before it ({throttling.summary(before.throttled)})"
    bits = 0
    for reading in (*readings, after):
        bits |= reading.throttled or 0
    if bits and not before.throttled:
        yield f"the board was throttled during it ({throttling.summary(bits)})"
    if after.suspended_s - before.suspended_s > 0.5:
        yield "the machine was suspended during it"
    if len({turn.generated for turn in turns}) > 1:
        yield "the answers had different lengths"


def rate(count: int, seconds: float) -> float | None:
    """How many a second; None where there was nothing to count."""
    return count / seconds if count > 0 and seconds > 0 else None


def spread(values: Iterable[float | None]) -> Spread | None:
    """Median, lowest and highest; None where a value is missing."""
    known = list(values)
    if not known or any(value is None for value in known):
        return None
    numbers = [value for value in known if value is not None]
    return Spread(statistics.median(numbers), min(numbers), max(numbers), len(numbers))


def _memory_peak(readings: Iterable[Reading]) -> int | None:
    return max((one.engine_rss for one in readings if one.engine_rss), default=None)


def _median(values: Iterable[float | None]) -> float | None:
    found = spread(values)
    return None if found is None else found.median


def _over(value: float | None, count: float) -> float | None:
    return None if value is None or count <= 0 else value / count
