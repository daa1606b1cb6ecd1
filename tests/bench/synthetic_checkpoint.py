"""Build a checkpoint of random weights in the shape of a real Llama model, to measure with.

    python -m tests.bench.synthetic_checkpoint FOLDER --size 1b

Same seed, same bytes. Its answers are noise; its tensors have the sizes of Llama 3.2 1B (1.2B
parameters, 2.5 GB), or of a model of half a billion with the same vocabulary.
"""

from __future__ import annotations

import argparse
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.converter.checkpoints import Recipe, write_tokenizer

_SHARD = 1 << 30
"""Bytes after which the next file begins."""
_ROWS = 1 << 12
_SPREAD = 0.02
"""Standard deviation: the initialisation of most models, near what trained ones have."""

_ROPE = {
    "rope_theta": 500000.0,
    "rope_scaling": {
        "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    },
    "max_position_embeddings": 4096,
}  # fmt: skip
PRESETS: Mapping[str, Recipe] = {
    "1b": Recipe(
        layers=16, width=2048, neurons=8192, heads=32, kv_heads=8, vocabulary=128256, config=_ROPE
    ),
    "0.5b": Recipe(
        layers=20, width=1280, neurons=3840, heads=20, kv_heads=5, vocabulary=128256, config=_ROPE
    ),
}


def build(folder: Path, recipe: Recipe, seed: int = 0) -> Path:
    """Write the checkpoint into a new folder, a tensor at a time."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(recipe.settings()))
    write_tokenizer(folder, recipe.vocabulary)
    places: dict[str, str] = {}
    shards = _shards(recipe)
    for number, names in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        _write_shard(folder / file, names, np.random.default_rng((seed, number)))
        places |= dict.fromkeys(names, file)
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def _shards(recipe: Recipe) -> list[dict[str, tuple[int, ...]]]:
    """The tensors shared out over files, each closed when it is full."""
    shards: list[dict[str, tuple[int, ...]]] = [{}]
    filled = 0
    for name, shape in recipe.shapes():
        if filled > _SHARD:
            shards.append({})
            filled = 0
        shards[-1][name] = shape
        filled += 2 * int(np.prod(shape))
    return shards


def _write_shard(
    path: Path, tensors: Mapping[str, tuple[int, ...]], generator: np.random.Generator
) -> None:
    header: dict[str, Any] = {}
    offset = 0
    for name, shape in tensors.items():
        end = offset + 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in tensors.items():
            for start in range(0, shape[0], _ROWS):
                part = (min(_ROWS, shape[0] - start), *shape[1:])
                values = generator.standard_normal(part, dtype=np.float32) * np.float32(_SPREAD)
                values += np.float32("norm" in name)
                file.write((values.view(np.uint32) >> 16).astype("<u2").tobytes())


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", choices=PRESETS, default="1b")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    build(asked.folder, PRESETS[asked.size], asked.seed)


if __name__ == "__main__":
    main()
