"""Restoration's forward pass against the oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import BadInputError
from converter.architecture import Model
from converter.checkpoint import open_checkpoint
from converter.cut.forward import Floats, Forward, halves, read, written
from converter.cut.geometry import Geometry
from converter.material import gather
from converter.metadata import text
from tests.converter.checkpoints import RECIPES
from tests.converter.oracle.llama import logits

PROMPTS = np.array([[(7 * i * i + 3 * i) % 320 for i in range(100)], list(range(100))])


def compute(model: Model, tokens: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Floats:
    """Logits by the converter's own pass, (chunks, tokens, vocabulary)."""
    forward, groups = Forward.of(model), Geometry.read(model).groups
    weights = {weight.name: weight for weight in model.weights}
    x = read(weights["token_embd.weight"])[tokens]
    for layer in range(model.facts.layers):
        for half in halves(weights, layer, groups[layer]):
            x = x + written(half, forward.features(half, forward.normed(half, x)))
    scale = np.sqrt(np.mean(np.square(x), axis=-1, keepdims=True) + np.float32(forward.epsilon))
    x = x / scale * read(weights["output_norm.weight"])
    return np.asarray(x @ read(weights.get("output.weight", weights["token_embd.weight"])).T)


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "odd-bf16"])
def test_logits_are_the_oracles(name: str, recipe_folder: Callable[[str], Path]) -> None:
    """Grouped and single key heads, biases, Llama 3's positions, tied and untied."""
    folder = recipe_folder(name)
    ours = compute(gather(open_checkpoint(folder)).model, PROMPTS)
    for prompt, computed in zip(PROMPTS, ours, strict=True):
        assert np.abs(computed - logits(folder, prompt.tolist())).max() < 1e-3


def test_unknown_positions_are_refused(recipe_folder: Callable[[str], Path]) -> None:
    model = gather(open_checkpoint(recipe_folder("tied-bf16"))).model
    scaled = replace(model, fields=(*model.fields, text("llama.rope.scaling.type", "yarn")))
    with pytest.raises(BadInputError, match=r"by yarn.*without --restore"):
        Forward.of(scaled)
