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
    x, r, d = normal(1, 200, 6), normal(2, 200, 4), normal(3, 4, 6)
    assert moments(x, r).error(d.T.astype(np.float64)) == pytest.approx(
        float(np.square(r - x @ d.T).sum()), rel=1e-5
    )


def test_a_linear_loss_is_made_good() -> None:
    lost, x, held = normal(1, 4, 6), normal(2, 300, 6), normal(3, 50, 6)
    found = fit(moments(x, x @ lost.T), moments(held, held @ lost.T))
    assert found.step is not None
    assert np.abs(found.step - lost).max() < 2e-3
    assert found.gain > 0.9999


def test_a_small_ridge_is_least_squares() -> None:
    x, r, held = normal(1, 300, 6), normal(2, 300, 4), normal(3, 50, 6)
    best = np.linalg.lstsq(x, r, rcond=None)[0].T
    found = fit(moments(x, r), moments(held, held @ best.T), (1e-9,))
    assert found.step is not None
    assert np.abs(found.step - best).max() < 1e-5


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**20), tokens=st.integers(1, 40), noise=st.floats(0, 10))
def test_the_held_out_error_never_grows(seed: int, tokens: int, noise: float) -> None:
    """With fewer tokens than inputs, with pure noise, with inputs that are never on."""
    lost = normal(seed, 3, 12)
    x, held = normal(seed + 1, tokens, 12), normal(seed + 2, 20, 12)
    x[:, 4:6] = 0
    r = x @ lost.T + np.float32(noise) * normal(seed + 3, tokens, 3)
    target = held @ lost.T
    found = fit(moments(x, r), moments(held, target))
    step = np.zeros_like(lost) if found.step is None else found.step
    before = float(np.square(target).sum())
    assert float(np.square(target - held @ step.T).sum()) <= before * (1 + 1e-5)
    assert 0 <= found.gain <= 1
    assert (found.ridge is None) == (found.step is None)


def test_noise_leaves_the_weights_alone() -> None:
    x, held = normal(2, 31, 30), normal(3, 500, 30)
    found = fit(moments(x, normal(4, 31, 4)), moments(held, normal(5, 500, 4)), (1e-6, 1e-4))
    assert (found.step, found.ridge, found.gain) == (None, None, 0)
