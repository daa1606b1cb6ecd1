"""Make metrics.json: what scikit-learn and statsmodels say of random answers.

Neither is a dependency of this project, so it is run by hand, from the repository's root:

    python -m venv /tmp/reference
    /tmp/reference/bin/pip install scikit-learn==1.9.1 statsmodels==0.15.0
    /tmp/reference/bin/python tests/converter/data/make_metrics.py
"""

from __future__ import annotations

import importlib.metadata
import json
import random
from pathlib import Path
from typing import Any

from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

OUT = Path(__file__).with_name("metrics.json")
NONE = -1
"""Stands for no choice: a class of its own to scikit-learn, left out of its averages."""


def main() -> None:
    """Write the reference figures."""
    chosen = random.Random(4)
    told = {
        "versions": {
            name: importlib.metadata.version(name) for name in ("scikit-learn", "statsmodels")
        },
        "answers": [_answers(chosen, number) for number in range(40)],
        "wilson": [_wilson(*case) for case in _counts(chosen)],
        "mcnemar": [_mcnemar(chosen.randrange(40), chosen.randrange(40)) for _ in range(20)],
    }
    lines = [f" {json.dumps(key)}: {_rows(value)}" for key, value in told.items()]
    OUT.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _answers(chosen: random.Random, number: int) -> dict[str, Any]:
    """Some of few classes, so that classes are empty, or true and never chosen, or alone."""
    labels = 1 + number % 5
    size = chosen.choice([1, 2, 5, 30])
    true = chosen.sample(range(labels), chosen.randint(1, labels))
    truths = [chosen.choice(true) for _ in range(size)]
    choices = [chosen.choice([NONE, *range(labels)]) for _ in range(size)]
    met = sorted({*truths, *choices} - {NONE})
    return {
        "labels": labels,
        "truths": truths,
        "choices": choices,
        "macro": _scores(truths, choices, met, "macro"),
        "weighted": _scores(truths, choices, met, "weighted"),
        "classes": [_scores(truths, choices, [label], "macro") for label in range(labels)],
        "confusion": _confusion(truths, choices, labels),
    }


def _scores(truths: list[int], choices: list[int], labels: list[int], average: str) -> list[float]:
    found = precision_recall_fscore_support(
        truths, choices, labels=labels, average=average, zero_division=0
    )
    return [float(value) for value in found[:3]]


def _confusion(truths: list[int], choices: list[int], labels: int) -> list[list[int]]:
    held = [*range(labels), NONE]
    counts = confusion_matrix(truths, choices, labels=held).tolist()
    return [list(row) for row in counts[:labels]]


def _counts(chosen: random.Random) -> list[tuple[int, int]]:
    fixed = [(0, 1), (1, 1), (0, 500), (500, 500), (1348, 4183)]
    sizes = [chosen.randint(1, 5000) for _ in range(15)]
    return [*fixed, *((chosen.randint(0, size), size) for size in sizes)]


def _wilson(successes: int, trials: int) -> list[float]:
    low, high = proportion_confint(successes, trials, alpha=0.05, method="wilson")
    return [successes, trials, float(low), float(high)]


def _mcnemar(only_first: int, only_second: int) -> list[float]:
    found = mcnemar([[7, only_first], [only_second, 11]], exact=True)
    return [only_first, only_second, float(found.pvalue)]


def _rows(value: Any) -> str:
    """A case a line."""
    if not isinstance(value, list):
        return json.dumps(value)
    return "[\n  " + ",\n  ".join(json.dumps(one) for one in value) + "\n ]"


if __name__ == "__main__":
    main()
