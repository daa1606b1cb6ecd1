"""Scores against numbers worked by hand, and the second-order cost against least squares."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from converter.cut import scores
from tests.converter.cut.activations import activations
from tests.converter.cut.conftest import Measured

X = np.array([[1.0, -2.0, 3.0], [3.0, -2.0, -3.0]])
"""Two tokens, three units."""
NORMS = np.array([2.0, 1.0, 0.5])


def test_scores_by_hand() -> None:
    absolute, plain, square = np.abs(X).sum(0), X.sum(0), (X**2).sum(0)
    np.testing.assert_allclose(scores.activation(absolute, 2), [2, 2, 3])
    np.testing.assert_allclose(scores.saliency(absolute, NORMS, 2), [4, 2, 1.5])
    np.testing.assert_allclose(scores.rms(square, NORMS, 2), [2 * 5**0.5, 2, 1.5])
    np.testing.assert_allclose(scores.fluctuation(square, plain, NORMS, 2), [4, 0, 2.25])
    np.testing.assert_allclose(scores.magnitude(NORMS, NORMS, NORMS), [6, 3, 1.5])


def test_rounding_never_makes_a_variance_negative() -> None:
    plain, square = np.array([3 * 0.1]), np.array([3 * 0.1**2 * (1 - 1e-12)])
    assert scores.fluctuation(square, plain, np.ones(1), 3)[0] >= 0


def test_random_is_the_same_everywhere_and_differs_by_seed_and_layer() -> None:
    found = scores.random(1, 4, seed=7)
    np.testing.assert_array_equal(found, scores.random(1, 4, seed=7))
    assert ((found >= 0) & (found < 1)).all()
    assert not np.isin(found, scores.random(1, 4, seed=8)).any()
    assert not np.isin(found, scores.random(2, 4, seed=7)).any()


def test_scores_of_a_measured_layer_follow_the_oracle(tied: Measured) -> None:
    neurons = np.concatenate(
        [activations(tied.folder, chunk)[0][1].neurons for chunk in tied.chunks]
    )
    layer = tied.saliency.layers[1]
    expected = neurons.var(axis=0)
    found = scores.fluctuation(
        layer.neuron_square, layer.neuron_sum, np.ones(512), tied.saliency.tokens
    )
    np.testing.assert_allclose(found, expected, atol=expected.max() / 300)


def _data(inputs: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    generator = np.random.default_rng(3)
    x = generator.normal(size=(400, inputs)) @ generator.normal(size=(inputs, inputs))
    w = generator.normal(size=(5, inputs))
    return x.astype(np.float32), w.astype(np.float32)


def _repaired_error(x: NDArray[np.float32], w: NDArray[np.float32], gone: list[int]) -> float:
    """Mean squared error of the layer after the best repair without some inputs, by lstsq."""
    kept = [index for index in range(x.shape[1]) if index not in gone]
    target = x.astype(np.float64) @ w.T
    fit, *_ = np.linalg.lstsq(x[:, kept].astype(np.float64), target, rcond=None)
    return float(((x[:, kept] @ fit - target) ** 2).sum() / len(x))


def test_second_order_cost_is_the_error_after_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "RIDGE", 1e-9)
    monkeypatch.setattr(scores, "_BATCH", 1)
    x, w = _data(6)
    found = scores.second_order(w, x.T @ x / np.float32(len(x)))
    first = int(np.argmin(found))
    errors = [_repaired_error(x, w, [index]) for index in range(6)]
    assert first == int(np.argmin(errors))
    assert found[first] == pytest.approx(errors[first], rel=1e-2)


def test_second_order_takes_one_of_two_twins_and_keeps_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scores, "_BATCH", 1)
    x, w = _data(8)
    x[:, 5] = x[:, 2]
    w[:, 2] = w[:, 5] = 100
    found = scores.second_order(w, x.T @ x / np.float32(len(x)))
    twins = sorted(found[[2, 5]])
    assert twins[0] < 0.05 * twins[1]


def test_second_order_of_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "RIDGE", 1e-9)
    x, w = _data(8)
    found = scores.second_order(w, x.T @ x / np.float32(len(x)), size=2)
    errors = [_repaired_error(x, w, [2 * unit, 2 * unit + 1]) for unit in range(4)]
    assert found.shape == (4,)
    assert int(np.argmin(found)) == int(np.argmin(errors))
