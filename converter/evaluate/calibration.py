"""Whether a model is right as often as it is sure."""

from __future__ import annotations

import bisect
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from converter.evaluate.outcome import Outcome

BINS = 10
"""Of equal width from 0 to 1: the error changes with their number, so it is part of the result."""
_EDGES = [index / BINS for index in range(1, BINS)]


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers given with about one confidence."""

    low: float
    """Not in the bin itself."""
    high: float
    """In the bin."""
    questions: int
    confidence: float
    """Mean of the answers'; 0 in an empty bin, as is the next."""
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Confidence against accuracy."""

    questions: int
    """Those that have a confidence."""
    bins: tuple[Bin, ...]

    @property
    def error(self) -> float:
        """The expected calibration error (Naeini et al. 2015, in the form of Guo et al. 2017).

        The distance of confidence from accuracy in each bin, weighted by its answers.
        """
        distances = (one.questions * abs(one.accuracy - one.confidence) for one in self.bins)
        return sum(distances) / self.questions


def confidence(outcome: Outcome) -> float | None:
    """The choice's share of the softmax over the scores that decided.

    None where there is no choice, or none by scores. Scores divided by bytes are no probabilities,
    and their softmax lies near one over the options: it orders answers, and no more.
    """
    if outcome.choice is None or not outcome.scores:
        return None
    top = max(outcome.scores)
    weights = [math.exp(score - top) for score in outcome.scores]
    return weights[outcome.choice] / sum(weights)


def calibrate(outcomes: Iterable[Outcome]) -> Calibration | None:
    """Sort answers into bins by their confidence; None where no answer has any."""
    sure = [(found, one) for one in outcomes if (found := confidence(one)) is not None]
    if not sure:
        return None
    bins: list[list[tuple[float, Outcome]]] = [[] for _ in range(BINS)]
    for found, outcome in sure:
        bins[bisect.bisect_left(_EDGES, found)].append((found, outcome))
    return Calibration(len(sure), tuple(_bin(index, held) for index, held in enumerate(bins)))


def _bin(index: int, held: Sequence[tuple[float, Outcome]]) -> Bin:
    return Bin(
        low=index / BINS,
        high=(index + 1) / BINS,
        questions=len(held),
        confidence=statistics.fmean(found for found, _ in held) if held else 0.0,
        accuracy=statistics.fmean(outcome.correct for _, outcome in held) if held else 0.0,
    )
