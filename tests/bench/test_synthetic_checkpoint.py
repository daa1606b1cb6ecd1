"""The checkpoint that benchmarks build: whole, the same every time, in the sizes it promises."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from converter.checkpoint import open_checkpoint
from converter.export import lay_out
from converter.quantise import FileType
from tests.bench import synthetic_checkpoint
from tests.bench.synthetic_checkpoint import PRESETS, build
from tests.converter.checkpoints import Recipe


def test_it_is_whole_and_the_same_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthetic_checkpoint, "_SHARD", 200_000)
    recipe = Recipe(layers=2, width=256, neurons=256, vocabulary=512)
    first, second = build(tmp_path / "a", recipe), build(tmp_path / "b", recipe)
    checkpoint = open_checkpoint(first)
    assert len(checkpoint.files) > 1
    assert lay_out(checkpoint, FileType.Q4_K_M).parameters == sum(
        math.prod(shape) for _, shape in recipe.shapes()
    )
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()


@pytest.mark.parametrize(("size", "billions"), [("1b", 1.236), ("0.5b", 0.541)])
def test_presets_have_the_size_they_are_named_for(size: str, billions: float) -> None:
    recipe = PRESETS[size]
    weights = sum(math.prod(shape) for _, shape in recipe.shapes())
    assert round(weights / 1e9, 3) == billions
    assert recipe.width % 256 == recipe.neurons % 256 == 0
