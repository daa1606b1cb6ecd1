"""Fits `app/safety/weights.tsv` to the sentence tables: `python -m tests.app.safety.fit`.

Logistic regression with a quadratic penalty (L-BFGS), one for each level, over the features that
stand in at least `LEAST` sentences. `--held-out` prints instead what the weights find on each blind
table when it is left out of the fitting, at several thresholds: that is how the penalty and the
thresholds in `rules.toml` were chosen.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from app.assistant.rulebook import WEIGHTS
from app.safety.table import Row, parse
from app.safety.weighing import FEW, Weights, by_sentence, features
from app.safety.words import Words
from tests.app.safety.rulebooks import rules_alone, shipped

DATA = Path(__file__).parent / "data"
QUESTIONS = Path(__file__).parents[1] / "knowledge" / "data"
PENALTY = {"call": 0.1, "crisis": 0.03}
LEAST = 3
"""Sentences in which a feature must stand."""
SMALLEST = 0.1
"""A weight that is smaller for every level is left out."""
JUDGE = "blind10"
"""The newest table: the weights never see it, so that it can judge what ships."""
_THRESHOLDS = (0.0, 0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True, slots=True)
class Read:
    """A sentence of a table, taken apart."""

    row: Row
    words: Words
    features: frozenset[str]


def read(without: Sequence[str] = (JUDGE,)) -> dict[str, list[Read]]:
    """Every table's sentences of patients and relatives, by the table's name; clinicians are not
    weighed. "ordinary" holds what nobody would be alarmed by."""
    flags = shipped()
    tables = {
        path.stem: [one for one in parse(path.read_text()) if one.mode == "patient"]
        for path in sorted(DATA.glob("*.tsv"))
        if path.stem not in without
    }
    tables["ordinary"] = [Row(0, "none", "patient", "patient", one, "") for one in _ordinary()]
    split = {name: [(row, flags.split(row.text)) for row in rows] for name, rows in tables.items()}
    return {
        name: [Read(row, words, _features(words)) for row, words in rows]
        for name, rows in split.items()
    }


def _ordinary() -> list[str]:
    """Short turns, and the questions that the reference is measured by: those that no rule takes
    for an emergency, since some of them list grave signs."""
    asked = DATA.joinpath("ordinary.txt").read_text().splitlines()
    asked += QUESTIONS.joinpath("development_off_topic.txt").read_text().splitlines()
    for path in sorted(QUESTIONS.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            asked += [row["question"], *row.get("before", ())]
    by_rules = rules_alone()
    return [one for one in dict.fromkeys(asked) if by_rules.check([one]) is None]


def fit(sentences: Sequence[Read]) -> Weights:
    """The weights of every level."""
    counts = Counter(one for sentence in sentences for one in sentence.features)
    names = sorted(one for one, count in counts.items() if count >= LEAST)
    matrix = _matrix(sentences, {name: column for column, name in enumerate(names)})
    fitted = {
        level: _fit(matrix, np.array([one.row.expect == level for one in sentences]), penalty)
        for level, penalty in PENALTY.items()
    }
    rows = np.stack([weights[:-1] for weights in fitted.values()], axis=1).round(2)
    kept = np.flatnonzero(np.abs(rows).max(axis=1) >= SMALLEST)
    bias = tuple(round(float(weights[-1]), 2) for weights in fitted.values())
    return Weights(tuple(fitted), bias, {names[one]: tuple(map(float, rows[one])) for one in kept})


def written(weights: Weights) -> str:
    """The file that `app.safety.weighing.parse` reads."""
    lines = [("feature", *weights.levels), ("", *map(str, weights.bias))]
    lines += [(name, *(f"{one:g}" for one in row)) for name, row in weights.of.items()]
    return "".join("\t".join(line) + "\n" for line in lines)


def _features(words: Words) -> frozenset[str]:
    return frozenset[str]().union(*map(features, by_sentence(words)))


def _matrix(sentences: Sequence[Read], columns: dict[str, int]) -> csr_matrix:
    """(sentences, features); a row's known features have 1/√n each, n at least `FEW`."""
    known = [
        [columns[one] for one in sentence.features if one in columns] for sentence in sentences
    ]
    lengths = [len(row) for row in known]
    values = np.repeat([max(FEW, length) ** -0.5 for length in lengths], lengths)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return csr_matrix((values, np.concatenate(known), starts), shape=(len(known), len(columns)))


def _fit(matrix: csr_matrix, wanted: NDArray[np.bool_], penalty: float) -> NDArray[np.float64]:
    """Weights and, last, the bias that minimise log-loss + penalty/2 · |w|²."""

    def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, odds = point[:-1], matrix @ point[:-1] + point[-1]
        error = 1 / (1 + np.exp(-odds)) - wanted
        value = float(
            (np.logaddexp(0, odds) - wanted * odds).sum() + penalty * weights @ weights / 2
        )
        return value, np.append(matrix.T @ error + penalty * weights, error.sum())

    start = np.zeros(matrix.shape[1] + 1)
    found: NDArray[np.float64] = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return found


def _judge_held_out(tables: dict[str, list[Read]]) -> None:
    """What is found on tables that were left out, over all blind ones."""
    blind = [name for name in tables if name.startswith("blind")]
    odds = [
        (one.row.expect, weights.weigh(one.words))
        for held in blind
        for weights in [fit([one for name, rows in tables.items() if name != held for one in rows])]
        for one in tables[held]
    ]
    for level in PENALTY:
        for threshold in _THRESHOLDS:
            over = Counter(expect for expect, found in odds if found[level] > threshold)
            every = Counter(expect for expect, _ in odds)
            cells = (f"{expect} {over[expect]}/{every[expect]}" for expect in every)
            print(f"{level} above {threshold}:", ", ".join(cells))


def main() -> None:
    """Write the weights, or judge them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--held-out", action="store_true", help="judge, and write nothing")
    parser.add_argument(
        "--without", nargs="*", default=[JUDGE], help="names of tables to leave out"
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    chosen = parser.parse_args()
    tables = read(chosen.without)
    if chosen.held_out:
        _judge_held_out(tables)
    else:
        chosen.out.write_text(written(fit([one for rows in tables.values() for one in rows])))


if __name__ == "__main__":
    main()
