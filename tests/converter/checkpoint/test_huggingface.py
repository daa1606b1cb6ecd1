"""Checkpoint folders that are not what they should be, each refused in a sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import BadInputError
from converter.checkpoint import open_checkpoint, to_float32
from tests.converter.checkpoints import Recipe, build, weights

TINY = Recipe(layers=1, width=64, neurons=64, heads=2, kv_heads=1, head_dim=32, shards=2)
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build(tmp_path / "model", TINY)


def refused(folder: Path, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence) as caught:
        open_checkpoint(folder)
    assert str(caught.value).isprintable()


def edit_index(folder: Path, change: Callable[[dict[str, str]], object]) -> None:
    path = folder / INDEX
    index = json.loads(path.read_text())
    change(index["weight_map"])
    path.write_text(json.dumps(index))


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_every_tensor_of_every_shard_is_found_and_exact(dtype: str, tmp_path: Path) -> None:
    recipe = Recipe(**{**TINY.__dict__, "dtype": dtype})
    checkpoint = open_checkpoint(build(tmp_path / "model", recipe))
    assert set(checkpoint.tensors) == {name for name, _ in recipe.shapes()}
    assert [path.name for path in checkpoint.files] == [FIRST, SECOND]
    exact = {"F32": 0.0, "F16": 2.0**-11, "BF16": 2.0**-7}[dtype]
    for name, shape in recipe.shapes():
        values, wanted = to_float32(checkpoint.tensors[name].map()), weights(name, shape)
        assert values.dtype == "float32"
        assert (abs(values - wanted) <= exact * abs(wanted) + 2.0**-24 * (exact > 0)).all()


def test_no_folder(tmp_path: Path) -> None:
    refused(tmp_path / "none", "no checkpoint folder")


def test_a_file_instead_of_a_folder(folder: Path) -> None:
    refused(folder / "config.json", "no checkpoint folder")


def test_no_config(folder: Path) -> None:
    (folder / "config.json").unlink()
    refused(folder, r"has no config\.json")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1, "a": 2}', "\ufeff{}", "{'a': 1}"])
def test_a_config_that_is_no_json(text: str, folder: Path) -> None:
    (folder / "config.json").write_text(text)
    refused(folder, r"config\.json")


def test_a_missing_shard(folder: Path) -> None:
    (folder / SECOND).unlink()
    refused(folder, f"not whole: {SECOND}")


def test_a_missing_index(folder: Path) -> None:
    (folder / INDEX).unlink()
    refused(folder, f"several files, but {INDEX} is missing")


def test_no_weights_at_all(folder: Path) -> None:
    for name in (FIRST, SECOND, INDEX):
        (folder / name).unlink()
    refused(folder, r"holds no model\.safetensors")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "consolidated.00.pth", "model.pt"])
def test_a_pickle_is_refused_in_words(name: str, folder: Path) -> None:
    for other in (FIRST, SECOND, INDEX):
        (folder / other).unlink()
    (folder / name).write_bytes(b"\x80\x04.")
    refused(folder, f"{name} is a Python pickle")


@pytest.mark.parametrize("name", ["config.json", INDEX, FIRST])
def test_a_git_lfs_pointer(name: str, folder: Path) -> None:
    (folder / name).write_bytes(POINTER)
    refused(folder, f"{name} is a Git LFS pointer.*git lfs pull")


@pytest.mark.parametrize("name", ["config.json", FIRST])
def test_a_web_page(name: str, folder: Path) -> None:
    (folder / name).write_bytes(b"\n<!DOCTYPE html><title>404</title>")
    refused(folder, f"{name} is a web page")


def test_a_truncated_shard(folder: Path) -> None:
    shard = folder / FIRST
    shard.write_bytes(shard.read_bytes()[:-2])
    refused(folder, "beyond the end of the file")


@pytest.mark.parametrize(
    "name",
    ["../secret.safetensors", "/etc/passwd", "..", ".", "", "sub/x.safetensors", "..\\x", "C:x",
     "a\0b"],
)  # fmt: skip
def test_an_index_that_names_another_place(name: str, folder: Path) -> None:
    (folder.parent / "secret.safetensors").write_bytes((folder / FIRST).read_bytes())
    edit_index(folder, lambda places: places.update(dict.fromkeys(places, name)))
    refused(folder, "not a plain file name")


def test_a_shard_linked_from_outside(folder: Path) -> None:
    outside = folder.parent / "secret.safetensors"
    (folder / FIRST).rename(outside)
    (folder / FIRST).symlink_to(outside)
    refused(folder, "a link to a file outside")


def test_a_link_that_goes_in_a_circle(folder: Path) -> None:
    (folder / FIRST).unlink()
    (folder / FIRST).symlink_to(FIRST)
    refused(folder, "is missing|cannot be read")


def test_a_pipe_is_no_file(folder: Path) -> None:
    (folder / FIRST).unlink()
    os.mkfifo(folder / FIRST)
    refused(folder, "is missing")


def test_links_within_the_folder_and_in_a_hub_cache_are_followed(tmp_path: Path) -> None:
    snapshot = build(tmp_path / "models--a--b" / "snapshots" / "0123", TINY)
    blobs = tmp_path / "models--a--b" / "blobs"
    blobs.mkdir()
    for number, path in enumerate(sorted(snapshot.iterdir())):
        path.rename(blobs / str(number))
        path.symlink_to(f"../../blobs/{number}")
    assert open_checkpoint(snapshot).tensors
    (snapshot / "again.json").symlink_to("config.json")
    assert open_checkpoint(snapshot).tensors


def test_an_index_and_shards_of_different_checkpoints(folder: Path) -> None:
    edit_index(folder, lambda places: places.update(extra=FIRST))
    refused(folder, "extra is not in")
    edit_index(folder, lambda places: (places.pop("extra"), places.pop("model.norm.weight")))
    refused(folder, r"does not say that model\.norm\.weight")


@pytest.mark.parametrize("text", ["{}", '{"weight_map": []}', '{"weight_map": {"a": 1}}'])
def test_an_index_without_a_table(text: str, folder: Path) -> None:
    (folder / INDEX).write_text(text)
    refused(folder, "no table of tensors")


def test_names_are_made_plain_before_they_are_shown(folder: Path) -> None:
    edit_index(folder, lambda places: places.update(dict.fromkeys(places, "\x1b]52;c;QQ\x07/x")))
    refused(folder, "not a plain file name")


def test_a_shard_that_changed_after_it_was_opened(folder: Path) -> None:
    checkpoint = open_checkpoint(folder)
    (folder / FIRST).write_bytes(b"")
    (folder / SECOND).unlink()
    for tensor in checkpoint.tensors.values():
        with pytest.raises(BadInputError, match="changed while it was read"):
            tensor.map()
