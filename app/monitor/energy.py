"""How much energy a stretch of time took, from power readings: the trapezoid, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from app.engine.messages import Finished
from app.monitor.runlog import TurnRecord

LONGEST_GAP_S = 3.0
"""Between two readings further apart, what the power did is not known."""


@dataclass(frozen=True, slots=True)
class Energy:
    """What the readings say about a window."""

    joules: float | None
    samples: int
    """Power readings inside the window."""
    reason: str | None = None
    """Why there are no joules."""


def between(
    readings: Iterable[tuple[float, float | None]],
    start: float,
    end: float,
    longest_gap_s: float = LONGEST_GAP_S,
) -> Energy:
    """Joules from `start` to `end`.

    The power is taken as straight between two readings, so at the edges it is read off the line to
    the reading beyond. Nothing is carried on past the outermost reading.

    Args:
        readings: (seconds, watts or None) in the order of time; None is no reading.
        start, end: the window, on the same clock.
        longest_gap_s: a longer gap that touches the window leaves it without energy.
    """
    known = [(at, watts) for at, watts in readings if watts is not None]
    inside = sum(1 for at, _ in known if start <= at <= end)
    if inside < 2:
        return Energy(None, inside, "fewer than two power readings fell into the turn")
    if known[0][0] > start or known[-1][0] < end:
        return Energy(None, inside, "the power readings do not span the whole turn")
    joules = 0.0
    for (t0, p0), (t1, p1) in pairwise(known):
        left, right = max(t0, start), min(t1, end)
        if right <= left:
            continue
        if t1 - t0 > longest_gap_s:
            return Energy(None, inside, f"the power was not read for {t1 - t0:.1f} s in the turn")
        slope = (p1 - p0) / (t1 - t0)
        middle = p0 + slope * ((left + right) / 2 - t0)
        joules += middle * (right - left)
    return Energy(joules, inside)


def unmeasured(
    finished: Finished, asked_at: float, first_text_at: float | None, ended_at: float
) -> TurnRecord:
    """A turn that ended, before anything is known of its energy; times on one clock."""
    return TurnRecord(
        t0=asked_at,
        t1=ended_at,
        prompt_tokens=finished.prompt_tokens,
        reused=finished.reused,
        evaluated=finished.evaluated,
        generated=finished.generated,
        prefill_s=finished.prefill_s,
        decode_s=finished.decode_s,
        ttft_s=None if first_text_at is None else first_text_at - asked_at,
        energy_j=None,
        samples=0,
    )


def of_turn(
    turn: TurnRecord,
    readings: Iterable[tuple[float, float | None]],
    longest_gap_s: float = LONGEST_GAP_S,
) -> tuple[TurnRecord, Energy]:
    """The turn with the joules of all of it, of its prefill and of its decoding.

    The engine tells how long both took; they lie one after the other at the turn's end.

    Returns:
        The turn, and what was found for all of it.
    """
    readings = list(readings)
    decode_from = max(turn.t0, turn.t1 - turn.decode_s)
    prefill_from = max(turn.t0, decode_from - turn.prefill_s)
    whole = between(readings, turn.t0, turn.t1, longest_gap_s)
    prefill = between(readings, prefill_from, decode_from, longest_gap_s)
    decode = between(readings, decode_from, turn.t1, longest_gap_s)
    return replace(
        turn,
        energy_j=whole.joules,
        samples=whole.samples,
        prefill_j=prefill.joules,
        decode_j=decode.joules,
        decode_samples=decode.samples,
    ), whole
