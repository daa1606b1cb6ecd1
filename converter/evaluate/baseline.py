"""What a set of questions gives to a model that has not read them."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from converter.evaluate.metrics import Metrics, measure
from converter.evaluate.outcome import Outcome


def majority(outcomes: Sequence[Outcome], labels: Sequence[str]) -> tuple[str, Metrics]:
    """The label that is true most often among these questions, and what always choosing it gives.

    It is found from the answers themselves, so no honest model could know it: a high bar, and the
    one that published tables use. The first label stands where several are as frequent.

    Args:
        outcomes: the questions; at least one.
        labels: what their indices stand for.
    """
    truths = [outcome.truth for outcome in outcomes]
    counts = Counter(truths)
    best = max(range(len(labels)), key=lambda index: counts[index])
    return labels[best], measure(truths, [best] * len(truths), labels)


def chance(outcomes: Sequence[Outcome]) -> float:
    """The accuracy to be expected of blind choice: one over the options, over all questions."""
    return statistics.fmean(1 / outcome.options for outcome in outcomes)
