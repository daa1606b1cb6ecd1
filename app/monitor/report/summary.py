"""The numbers of a run, each made of what was measured or left out."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.monitor.logreader import RunLog
from app.monitor.runlog import Sample, TurnRecord

Number = TypeVar("Number", int, float)

QUIET_S = 2.0
"""So long after an answer and before the next one, a board is taken as idle."""
FEWEST_IDLE = 3


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in numbers. What is not known is None."""

    seconds: float
    turns: int
    generated: int
    decode: float | None
    """Tokens a second: all tokens over all the engine's time for them."""
    prefill: float | None
    first_token_s: float | None
    """Median."""
    reached: float | None
    """Share of the measured read bandwidth that decoding reached."""
    idle_w: float | None
    idle_from: str
    """How idle power was found."""
    mean_w: float | None
    """While answering: joules over seconds of the answers whose energy is known."""
    peak_w: float | None
    """The highest single reading."""
    token_j: float | None
    """Joules for a token of an answer, of its decoding alone."""
    prompt_token_j: float | None
    with_energy: int
    """Answers whose decoding energy is known."""
    memory_peak: int | None
    hottest_c: float | None
    throttled: int | None
    """All bits that were seen; None where the machine does not tell."""
    gaps: tuple[str, ...]
    """Where nothing was read or the machine slept, in words."""


def summarise(log: RunLog) -> Summary:
    """The numbers of one run."""
    turns, samples = log.turns, log.samples
    generated = sum(turn.generated for turn in turns)
    decode = _over(generated, sum(turn.decode_s for turn in turns))
    idle_w, idle_from = _idle(log)
    bits = [sample.throttled for sample in samples if sample.throttled is not None]
    return Summary(
        seconds=max([turn.t1 for turn in turns] + [sample.t for sample in samples], default=0.0),
        turns=len(turns),
        generated=generated,
        decode=decode,
        prefill=_over(sum(one.evaluated for one in turns), sum(one.prefill_s for one in turns)),
        first_token_s=_median(turn.ttft_s for turn in turns),
        reached=_reached(log, decode),
        idle_w=idle_w,
        idle_from=idle_from,
        mean_w=_mean_w(turns),
        peak_w=max(_known(sample.power_w for sample in samples), default=None),
        token_j=_each((turn.decode_j, turn.generated) for turn in turns),
        prompt_token_j=_each((turn.prefill_j, turn.evaluated) for turn in turns),
        with_energy=sum(turn.decode_j is not None for turn in turns),
        memory_peak=max(_known(sample.engine_rss for sample in samples), default=None),
        hottest_c=max(_known(sample.temp_c for sample in samples), default=None),
        throttled=_all_bits(bits),
        gaps=tuple(f"at {one.t:.0f} s {one.text}" for one in log.notes if one.field == "gap"),
    )


def idle_samples(log: RunLog) -> Iterator[Sample]:
    """Samples well away from every answer."""
    for sample in log.samples:
        if all(sample.t < turn.t0 - QUIET_S or sample.t > turn.t1 + QUIET_S for turn in log.turns):
            yield sample


def _idle(log: RunLog) -> tuple[float | None, str]:
    if log.header.idle_w is not None:
        return log.header.idle_w, "measured before the run, with the model loaded"
    quiet = _known(sample.power_w for sample in idle_samples(log))
    if len(quiet) < FEWEST_IDLE:
        return None, "the run had no quiet stretch with power readings"
    return statistics.median(quiet), "the median of the quiet stretches between the answers"


def _mean_w(turns: Sequence[TurnRecord]) -> float | None:
    known = [(turn.energy_j, turn.t1 - turn.t0) for turn in turns if turn.energy_j is not None]
    return _over(sum(joules for joules, _ in known), sum(seconds for _, seconds in known))


def _reached(log: RunLog, decode: float | None) -> float | None:
    memory = log.header.memory
    if memory is None or decode is None:
        return None
    return decode * memory.bytes_per_token / memory.read_bytes_per_s


def _all_bits(bits: Sequence[int]) -> int | None:
    seen = 0
    for one in bits:
        seen |= one
    return seen if bits else None


def _each(pairs: Iterable[tuple[float | None, int]]) -> float | None:
    """Joules a token, over the pairs whose joules are known."""
    known = [(joules, count) for joules, count in pairs if joules is not None]
    return _over(sum(joules for joules, _ in known), sum(count for _, count in known))


def _known(values: Iterable[Number | None]) -> list[Number]:
    return [value for value in values if value is not None]


def _median(values: Iterable[float | None]) -> float | None:
    known = _known(values)
    return statistics.median(known) if known else None


def _over(value: float, count: float) -> float | None:
    return value / count if value > 0 and count > 0 else None
