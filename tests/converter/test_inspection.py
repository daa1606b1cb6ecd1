"""What `inspect` tells of a checkpoint and of the file made from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import BadInputError
from converter.checkpoint import open_checkpoint
from converter.export import lay_out, write
from converter.inspection import inspect
from converter.quantise import FileType
from tests.converter.checkpoints import RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_a_checkpoint_and_its_file_are_told_alike(
    name: str, recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    folder, out = recipe_folder(name), tmp_path / "out.gguf"
    write(lay_out(open_checkpoint(folder), FileType.Q8_0), out, threads=2)
    before, after = inspect(folder), inspect(out)
    assert after.form == "GGUF version 3"
    assert after.nbytes == out.stat().st_size
    assert after.architecture == before.architecture == "llama"
    assert after.shapes == before.shapes
    assert after.tokenizer == before.tokenizer
    assert after.template == before.template
    assert after.sampling == before.sampling
    assert before.provenance.items() <= after.provenance.items()
    computed = RECIPES[name].head_dim // 2 if name == "llama3-f16" else 0
    assert after.census.parameters == before.census.parameters + computed


def test_what_is_told_of_a_checkpoint(recipe_folder: Callable[[str], Path]) -> None:
    found = inspect(recipe_folder("llama3-f16"))
    assert found.form == "checkpoint in 3 safetensors files"
    assert found.shapes == {
        "layers": 2, "context": 256, "width": 256, "neurons": 512, "heads": 4,
        "key/value heads": 4, "head size": 96, "rope base": 500000.0,
    }  # fmt: skip
    assert [share.kind for share in found.census.shares] == ["F16"]
    assert found.census.bits_per_weight == 16
    assert found.tokenizer["algorithm"] == "llama"
    assert found.tokenizer["tokens"] == 320
    assert found.sampling == {"temp": 0.6, "top_k": 40, "top_p": 0.95}


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_one_file_of_a_checkpoint(name: str, recipe_folder: Callable[[str], Path]) -> None:
    with pytest.raises(BadInputError, match="name the folder"):
        inspect(recipe_folder("tied-bf16") / name)


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF" + b"\xff" * 60)
    with pytest.raises(BadInputError):
        inspect(tmp_path / "x.gguf")
