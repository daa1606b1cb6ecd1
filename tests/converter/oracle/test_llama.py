"""The converted F32 file computes what the checkpoint does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.checkpoint import open_checkpoint
from converter.export import lay_out, write
from converter.quantise import FileType
from tests import llama
from tests.converter.checkpoints import RECIPES, Recipe, build
from tests.converter.oracle.llama import logits
from tests.shared import shared_path

TOLERANCE = 1e-3
SCALED = dict(RECIPES["llama3-f16"].config)

CASES = {
    f"{'tied' if tied else 'untied'}, {'grouped' if grouped else 'full'}, "
    f"{'scaled' if scaled else 'plain'}": Recipe(
        tied=tied, kv_heads=2 if grouped else 4, config=SCALED if scaled else {}
    )
    for tied, grouped, scaled in product([True, False], repeat=3)
} | {
    "one key head, biases, narrow": RECIPES["uneven-f32"],
    "heads wider than the model": replace(RECIPES["llama3-f16"], heads=8, kv_heads=4),
    "three shards of F16": RECIPES["llama3-f16"],
}

PROMPTS = ([1], [1, 300, 7, 7, 7, 42, 2, 0], [(7 * i * i + 3 * i) % 320 for i in range(200)])
"""One token; a few, some repeated; and beyond the context that the scaled models were made for."""


def _convert(folder: Path, out: Path) -> Path:
    write(lay_out(open_checkpoint(folder), FileType.F32), out, threads=2)
    return out


@pytest.mark.parametrize("name", CASES)
def test_logits_are_the_oracles(name: str, tmp_path: Path) -> None:
    folder = build(tmp_path / "checkpoint", CASES[name])
    with llama.load(_convert(folder, tmp_path / "model.gguf")) as model:
        for prompt in PROMPTS:
            ours = model.logits(prompt)
            assert ours.shape == (len(prompt), model.size)
            assert np.abs(ours - logits(folder, prompt)).max() < TOLERANCE


def _half_theta(config: dict[str, Any]) -> None:
    config["rope_theta"] /= 2


def _no_scaling(config: dict[str, Any]) -> None:
    config["rope_scaling"] = None


def _larger_epsilon(config: dict[str, Any]) -> None:
    config["rms_norm_eps"] *= 100


def _other_factor(config: dict[str, Any]) -> None:
    config["rope_scaling"]["high_freq_factor"] *= 2


@pytest.mark.parametrize("change", [_half_theta, _no_scaling, _larger_epsilon, _other_factor])
def test_a_small_mistake_would_be_seen(
    change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    """What the converter could get wrong moves the logits far more than the tolerance."""
    folder = build(tmp_path / "checkpoint", RECIPES["llama3-f16"])
    right = logits(folder, PROMPTS[-1])
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))
    assert np.abs(right - logits(folder, PROMPTS[-1])).max() > 3 * TOLERANCE


def test_the_model_in_the_house_computes_what_its_checkpoint_does(tmp_path: Path) -> None:
    folder = shared_path("models/medquad-29m")
    questions = (
        "What are the symptoms of glaucoma?",
        "<|im_start|>user\nIs 5 mg safe?<|im_end|>\n",
    )
    with llama.load(_convert(folder, tmp_path / "model.gguf")) as model:
        for question in questions:
            tokens = model.tokenize(question, special=True, edges=True)
            difference = np.abs(model.logits(tokens) - logits(folder, tokens)).max()
            assert difference < TOLERANCE
