"""A cut checkpoint folder: the same model as the GGUF that is cut directly, whole or not there."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import BadInputError, ResourceError, UsageError
from converter.checkpoint import open_checkpoint, to_float32
from converter.cut import folder as folders
from converter.cut.apply import cut
from converter.cut.folder import write_folder
from converter.cut.plan import Plan
from converter.export import lay_out, write
from converter.material import gather
from converter.quantise import FileType
from tests.converter import gguffile
from tests.converter.checkpoints import RECIPES, Recipe, build, weights, write_weights
from tests.converter.cut.plans import layers, plan, some
from tests.converter.oracle.llama import logits

NAMES = ("tied-bf16", "llama3-f16")


def even(recipe: Recipe) -> Plan:
    """256 of 512 neurons and half of the head groups, in the last layer alone."""
    return plan(layers(recipe, {1: 256}, {1: recipe.kv_heads // 2})[1:])


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_model_that_is_cut_directly(
    name: str, recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    checkpoint, kept = open_checkpoint(recipe_folder(name)), even(RECIPES[name])
    queries = RECIPES[name].heads // 2 * RECIPES[name].head_dim
    repair = {
        "blk.0.ffn_down.weight": weights("repair", (256, 256)),
        "blk.0.attn_q.weight": weights("queries", (queries, 256)),
    }
    write_folder(checkpoint, kept, tmp_path / "cut", repairs=repair)
    direct, through = tmp_path / "direct.gguf", tmp_path / "through.gguf"
    write(lay_out(cut(gather(checkpoint), kept, repair), FileType.Q4_K_M), direct, threads=1)
    again = gather(open_checkpoint(tmp_path / "cut"))
    write(lay_out(again, FileType.Q4_K_M), through, threads=1)
    assert gguffile.tensors(direct) == gguffile.tensors(through)


def test_its_config_says_what_it_holds(
    recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    source = recipe_folder("llama3-f16")
    write_folder(open_checkpoint(source), even(RECIPES["llama3-f16"]), tmp_path / "cut")
    before = json.loads((source / "config.json").read_text())
    after = json.loads((tmp_path / "cut" / "config.json").read_text())
    assert {key: value for key, value in after.items() if before.get(key) != value} == {
        "intermediate_size": 256,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "bedside_cut": "1 of 2 layers, 256 of 1024 neurons, 2 of 8 head groups",
    }
    assert after["head_dim"] == 96
    for name in ("tokenizer.model", "tokenizer_config.json", "generation_config.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (source / name).read_bytes()
    assert np.isfinite(logits(tmp_path / "cut", [1, 5, 9])).all()


def test_the_card_keeps_the_licence_and_no_number(tmp_path: Path) -> None:
    source = build(tmp_path / "source", RECIPES["tied-bf16"])
    (source / "README.md").write_text("---\nlicense: mit\n---\n\nIt has 29.4M parameters.\n")
    write_folder(open_checkpoint(source), even(RECIPES["tied-bf16"]), tmp_path / "cut")
    card = (tmp_path / "cut" / "README.md").read_text()
    assert card.startswith("---\nlicense: mit\n---\n")
    assert "29.4M" not in card


def test_large_checkpoints_are_sharded(
    recipe_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, kept = open_checkpoint(recipe_folder("tied-bf16")), even(RECIPES["tied-bf16"])
    write_folder(checkpoint, kept, tmp_path / "one")
    monkeypatch.setattr(folders, "_SHARD", 200_000)
    monkeypatch.setattr(folders, "_PIECE", 1000)
    write_folder(checkpoint, kept, tmp_path / "several")
    one, several = open_checkpoint(tmp_path / "one"), open_checkpoint(tmp_path / "several")
    assert len(several.files) > 2
    assert one.tensors.keys() == several.tensors.keys()
    for name, tensor in one.tensors.items():
        assert np.array_equal(tensor.map(), several.tensors[name].map())


def test_the_same_plan_gives_the_same_bytes(
    recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    checkpoint, kept = open_checkpoint(recipe_folder("tied-bf16")), even(RECIPES["tied-bf16"])
    sizes = [write_folder(checkpoint, kept, tmp_path / name) for name in "ab"]
    a, b = sorted((tmp_path / "a").iterdir()), sorted((tmp_path / "b").iterdir())
    assert [path.name for path in a] == [path.name for path in b]
    assert all(x.read_bytes() == y.read_bytes() for x, y in zip(a, b, strict=True))
    assert sizes == [sum(path.stat().st_size for path in a)] * 2


def test_an_uneven_plan_is_refused(recipe_folder: Callable[[str], Path], tmp_path: Path) -> None:
    kept = plan(layers(RECIPES["tied-bf16"], {0: 256}))
    with pytest.raises(UsageError, match=r"different widths.*ends in \.gguf"):
        write_folder(open_checkpoint(recipe_folder("tied-bf16")), kept, tmp_path / "cut")
    assert not any(tmp_path.iterdir())


def test_a_folder_in_use_is_left_alone(
    recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "thesis.txt").write_text("mine")
    checkpoint, kept = open_checkpoint(recipe_folder("tied-bf16")), even(RECIPES["tied-bf16"])
    with pytest.raises(UsageError, match="exists; name a new folder"):
        write_folder(checkpoint, kept, tmp_path / "cut")
    with pytest.raises(UsageError, match="There is no folder"):
        write_folder(checkpoint, kept, tmp_path / "missing" / "cut")
    assert (tmp_path / "cut" / "thesis.txt").read_text() == "mine"


def test_a_full_disk_leaves_nothing(
    recipe_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folders, "_head", full)
    checkpoint, kept = open_checkpoint(recipe_folder("tied-bf16")), even(RECIPES["tied-bf16"])
    with pytest.raises(ResourceError, match="disk filled up"):
        write_folder(checkpoint, kept, tmp_path / "cut")
    assert not any(tmp_path.iterdir())


def test_ctrl_c_leaves_nothing(recipe_folder: Callable[[str], Path], tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    checkpoint, kept = open_checkpoint(recipe_folder("tied-bf16")), even(RECIPES["tied-bf16"])
    with pytest.raises(KeyboardInterrupt):
        write_folder(checkpoint, kept, tmp_path / "cut", progress=interrupt)
    assert not any(tmp_path.iterdir())


def test_a_weight_that_is_no_number_is_named(tmp_path: Path) -> None:
    recipe = Recipe(layers=1, width=64, heads=2, kv_heads=1, head_dim=32)
    source = build(tmp_path / "source", recipe)
    tensors = {name: (recipe.dtype, weights(name, shape)) for name, shape in recipe.shapes()}
    tensors["model.layers.0.mlp.up_proj.weight"][1][3, 3] = np.nan
    write_weights(source, tensors)
    kept = plan(((layers(recipe)[0]),))
    with pytest.raises(BadInputError, match=r"up_proj\.weight.*not numbers"):
        write_folder(open_checkpoint(source), kept, tmp_path / "cut")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_repair_is_written(recipe_folder: Callable[[str], Path], tmp_path: Path) -> None:
    recipe = RECIPES["tied-bf16"]
    kept = plan(layers(recipe, {0: 256, 1: 256}))
    repair = weights("repair", (256, 256))
    write_folder(
        open_checkpoint(recipe_folder("tied-bf16")), kept, tmp_path / "cut",
        repairs={"blk.1.ffn_down.weight": repair},
    )  # fmt: skip
    made = open_checkpoint(tmp_path / "cut").tensors
    stored = to_float32(made["model.layers.1.mlp.down_proj.weight"].map())
    assert np.allclose(stored, repair, rtol=2**-8, atol=1e-30)
    other = to_float32(made["model.layers.0.mlp.down_proj.weight"].map())
    full = weights("model.layers.0.mlp.down_proj.weight", (256, 512))
    assert np.allclose(other, full[:, some(512, 256, 0)], rtol=2**-7, atol=1e-30)
