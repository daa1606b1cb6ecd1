"""Restoration against an oracle made by hand, and its promises on the held-out part."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import BadInputError, ResourceError
from converter.checkpoint import open_checkpoint, to_float32
from converter.cut import restore as restoring
from converter.cut.apply import cut
from converter.cut.forward import Floats
from converter.cut.plan import KeptLayer, Plan
from converter.cut.restore import Restored, full_streams, restore
from converter.material import Material, gather
from tests.converter.checkpoints import Recipe, build, weights, write_weights
from tests.converter.cut.plans import layers, plan
from tests.converter.cut.test_forward import compute

RECIPE = Recipe(layers=3, width=64, neurons=64, heads=4, kv_heads=2, head_dim=16, dtype="F32")
KEPT = 48


def text(chunks: int = 40, length: int = 64, seed: int = 5) -> list[list[int]]:
    made: list[list[int]] = np.random.default_rng(seed).integers(0, 320, (chunks, length)).tolist()
    return made


def redundant(folder: Path) -> Path:
    """In each layer 16 neurons are doubles of others, so that they can be cut for nothing.

    A neuron that reads what another reads is a multiple of it: the column of the one that stays
    can take its part over exactly.
    """
    build(folder, RECIPE)
    tensors = {
        name: weights(name, shape).astype(np.float32) * (1 if "norm" in name else 4)
        for name, shape in RECIPE.shapes()
    }
    for layer in range(RECIPE.layers):
        gate = tensors[f"model.layers.{layer}.mlp.gate_proj.weight"]
        up = tensors[f"model.layers.{layer}.mlp.up_proj.weight"]
        gate[KEPT:] = gate[:16]
        up[KEPT:] = -3 * up[:16]
    write_weights(folder, {name: (RECIPE.dtype, values) for name, values in tensors.items()})
    return folder


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return gather(open_checkpoint(redundant(tmp_path_factory.mktemp("restore") / "checkpoint")))


def without_doubles() -> Plan:
    kept = layers(RECIPE)
    return plan(
        tuple(KeptLayer(layer.index, tuple(range(KEPT)), layer.head_groups) for layer in kept)
    )


def repair(full: Material, kept: Plan, **options: Any) -> Restored:
    return restore(full.model, cut(full, kept).model, kept, text(), **options)


def by_hand(full: Material) -> dict[str, Floats]:
    """A double computes −3 times what its neuron does: that one's column takes its part over."""
    found = {}
    for layer in range(RECIPE.layers):
        name = f"blk.{layer}.ffn_down.weight"
        down = next(weight for weight in full.model.weights if weight.name == name)
        values = to_float32(down.rows(0, RECIPE.width))
        values[:, :16] -= 3 * values[:, KEPT:]
        found[name] = values[:, :KEPT]
    return found


def test_what_can_be_taken_over_is_taken_over(full: Material) -> None:
    kept = without_doubles()
    found = repair(full, kept)
    downs = [gain for gain in found.gains if gain.part == "ffn_down"]
    assert downs[0].before > 0.1 > 1e5 * downs[0].after  # nothing else is wrong so far
    assert all(gain.after < 0.01 * gain.before for gain in downs)
    tokens = np.array(text(2, seed=9))
    right = compute(full.model, tokens)
    alone, exact, restored = (
        np.abs(compute(cut(full, kept, repairs).model, tokens) - right).max()
        for repairs in (None, by_hand(full), found.weights)
    )
    assert exact < 1e-3
    assert restored < 0.05 * alone


def test_gains_are_never_negative(full: Material) -> None:
    """Also where layers and heads go, and half the neurons that have no doubles."""
    kept = plan(layers(RECIPE, {0: 32, 2: 16}, {0: 1, 2: 1})[::2])
    told: list[tuple[int, int]] = []
    found = repair(full, kept, progress=lambda *now: told.append(now))
    assert told == [(done, 6) for done in range(1, 7)]
    parts = ["attn_norm", "attn_output", "ffn_norm", "ffn_down"]
    assert [(gain.layer, gain.part) for gain in found.gains] == [
        *((0, part) for part in parts), *((2, part) for part in parts),
    ]  # fmt: skip
    assert all(gain.after <= gain.before for gain in found.gains)
    assert found.gains[0].ridge is None  # nothing is off yet
    assert found.gains[1].ridge is not None
    made = {weight.name: weight.shape for weight in cut(full, kept, found.weights).model.weights}
    assert all(made[name] == values.shape for name, values in found.weights.items())


def test_a_model_that_lost_nothing_is_left_alone(full: Material) -> None:
    found = repair(full, plan(layers(RECIPE)))
    tokens = np.array(text(2, seed=9))
    made = cut(full, plan(layers(RECIPE)), found.weights)
    assert np.abs(compute(made.model, tokens) - compute(full.model, tokens)).max() < 1e-3
    assert all(gain.before < 1e-9 for gain in found.gains)


def test_biases_are_counted(recipe_folder: Callable[[str], Path]) -> None:
    """A bias that was left out, or counted twice, would stand in every error."""
    material = gather(open_checkpoint(recipe_folder("uneven-f32")))
    kept = plan(tuple(KeptLayer(index, tuple(range(288)), (0,)) for index in range(9)))
    found = restore(material.model, cut(material, kept).model, kept, text(4, 16))
    assert all(gain.before < 1e-9 for gain in found.gains)


def test_the_same_text_gives_the_same_repair(full: Material) -> None:
    kept = plan(layers(RECIPE, {1: 16}))
    first, second = repair(full, kept), repair(full, kept)
    assert first.gains == second.gains
    assert all(np.array_equal(first.weights[name], second.weights[name]) for name in first.weights)


def test_streams_computed_before_give_the_same_repair(full: Material) -> None:
    """Also where a layer is gone, whose halves the full model's stream still passes."""
    kept = plan(layers(RECIPE, {0: 16})[:2])
    streams = full_streams(full.model, text())
    assert len(streams) == 2 * RECIPE.layers
    first, second = repair(full, kept), repair(full, kept, streams=streams)
    assert first.gains == second.gains
    assert all(np.array_equal(first.weights[name], second.weights[name]) for name in first.weights)


def test_features_that_find_no_room_are_computed_again(
    full: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = plan(layers(RECIPE, {1: 16}))
    first = repair(full, kept)
    monkeypatch.setattr(restoring, "_KEPT", 0)
    assert repair(full, kept).gains == first.gains


@pytest.mark.parametrize("chunks", [[], [[1, 2, 3]], [[1, 2, 3], [1, 2]]])
def test_too_little_text_is_refused(chunks: list[list[int]], full: Material) -> None:
    kept = plan(layers(RECIPE, {1: 16}))
    with pytest.raises(BadInputError, match="too short to restore with"):
        restore(full.model, cut(full, kept).model, kept, chunks)


def test_another_models_tokens_are_refused(full: Material) -> None:
    kept = plan(layers(RECIPE, {1: 16}))
    with pytest.raises(BadInputError, match="tokenised for another model"):
        restore(full.model, cut(full, kept).model, kept, [[1, 2], [3, 320]])


def test_a_full_disk_is_told(full: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(ResourceError, match="MB of scratch files"):
        repair(full, plan(layers(RECIPE, {1: 16})))


def test_few_chunks_still_hold_one_out(full: Material) -> None:
    """Two chunks: one to fit, one to judge."""
    kept = plan(layers(RECIPE, {1: 16}))
    found = restore(full.model, cut(full, kept).model, kept, text(2))
    assert all(np.isfinite([gain.before, gain.after]).all() for gain in found.gains)


def test_a_model_that_computes_no_numbers_is_told(tmp_path: Path) -> None:
    """Weights that are numbers, and activations that no float32 holds."""
    folder = build(tmp_path / "loud", RECIPE)
    tensors = {name: (RECIPE.dtype, weights(name, shape)) for name, shape in RECIPE.shapes()}
    for part in ("gate", "up"):
        tensors[f"model.layers.1.mlp.{part}_proj.weight"][1][:] = 1e30
    write_weights(folder, tensors)
    material = gather(open_checkpoint(folder))
    kept = plan(layers(RECIPE, {1: 16}))
    with pytest.raises(BadInputError, match="Layer 1 does not compute numbers"):
        restore(material.model, cut(material, kept).model, kept, text(4))
