"""The correction against oracles made by hand and by NumPy's own least squares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from converter.cut.leastsquares import Moments, fit

Floats = NDArray[np.float32]


def moments(x: Floats, y: Floats, pieces: int = 3) -> Moments:
    made = Moments(x.shape[1], y.shape[1])
    for rows, targets in zip(np.array_split(x, pieces), np.array_split(y, pieces), strict=True):
        made.add(rows, targets)
    return made


def normal(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_the_error_is_the_error() -> None:
    x, y, w = normal(1, 200, 6), normal(2, 200, 4), normal(3, 4, 6)
    assert moments(x, y).error(w) == pytest.approx(float(np.square(y - x @ w.T).sum()), rel=1e-5)


def test_a_linear_target_is_found() -> None:
    right, x, held = normal(1, 4, 6), normal(2, 300, 6), normal(3, 50, 6)
    found = fit(normal(4, 4, 6), moments(x, x @ right.T), moments(held, held @ right.T))
    assert np.abs(found.weights - right).max() < 2e-3
    assert found.gain > 0.9999


def test_a_small_ridge_is_least_squares() -> None:
    x, y, held = normal(1, 300, 6), normal(2, 300, 4), normal(3, 50, 6)
    best = np.linalg.lstsq(x, y, rcond=None)[0].T
    found = fit(np.zeros((4, 6), np.float32), moments(x, y), moments(held, held @ best.T), (1e-9,))
    assert np.abs(found.weights - best).max() < 1e-5


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**20), tokens=st.integers(1, 40), noise=st.floats(0, 10))
def test_the_held_out_error_never_grows(seed: int, tokens: int, noise: float) -> None:
    """With fewer tokens than inputs, with targets of pure noise, with inputs that are never on."""
    right = normal(seed, 3, 12)
    x, held = normal(seed + 1, tokens, 12), normal(seed + 2, 20, 12)
    x[:, 4:6] = 0
    y = x @ right.T + np.float32(noise) * normal(seed + 3, tokens, 3)
    target = held @ right.T
    start = right + normal(seed + 4, 3, 12)
    found = fit(start, moments(x, y), moments(held, target))
    before = float(np.square(target - held @ start.T).sum())
    after = float(np.square(target - held @ found.weights.T).sum())
    assert after <= before * (1 + 1e-5)
    assert 0 <= found.gain <= 1
    assert (found.ridge is None) == np.array_equal(found.weights, start)


def test_noise_leaves_the_weights_alone() -> None:
    right, x, held = normal(1, 4, 30), normal(2, 31, 30), normal(3, 500, 30)
    noisy = x @ right.T + 100 * normal(4, 31, 4)
    found = fit(right, moments(x, noisy), moments(held, held @ right.T))
    assert found.ridge is None
    assert found.weights is right
    assert found.gain == 0
