"""Importance matrices from files: read as llama-quantize reads them, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, GGUFWriter
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.errors import BadInputError, UsageError
from converter.checkpoint import open_checkpoint
from converter.export import lay_out, write
from converter.imatrix import read_imatrix
from converter.quantise import FileType, Override
from tests import llama

Array = NDArray[np.float32]


def write_imatrix(
    path: Path, sums: Mapping[str, Array], count: float = 512, kind: str = "imatrix"
) -> Path:
    """A file as llama-imatrix writes it."""
    writer = GGUFWriter(path, "unused")
    writer.add_string("general.type", kind)
    writer.add_array("imatrix.datasets", ["text"])
    writer.add_uint32("imatrix.chunk_count", 1)
    writer.add_uint32("imatrix.chunk_size", 512)
    for name, values in sums.items():
        writer.add_tensor(f"{name}.in_sum2", values.reshape(1, -1))
        writer.add_tensor(f"{name}.counts", np.array([[count]], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _sums(size: int, seed: int) -> Array:
    return np.random.default_rng(seed).gamma(0.5, 300, size).astype(np.float32)


def test_sums_become_means_in_float32(tmp_path: Path) -> None:
    sums = {"blk.0.ffn_down.weight": _sums(64, 1), "token_embd.weight": _sums(32, 2)}
    found = read_imatrix(write_imatrix(tmp_path / "i.gguf", sums, 3))
    assert found.keys() == sums.keys()
    for name, values in sums.items():
        assert found[name].tobytes() == (values / np.float32(3)).tobytes()


def test_what_was_never_counted_weighs_one(tmp_path: Path) -> None:
    found = read_imatrix(write_imatrix(tmp_path / "i.gguf", {"a.weight": _sums(8, 1)}, 0))
    assert found["a.weight"].tolist() == [1.0] * 8


def importance(folder: Path) -> dict[str, Array]:
    """A made-up importance of every matrix of a checkpoint, its tied head included."""
    model = lay_out(open_checkpoint(folder), FileType.F32)
    return {
        entry.name: _sums(entry.shape[-1], number)
        for number, entry in enumerate(model.entries)
        if len(entry.shape) == 2
    }


@pytest.mark.parametrize("recipe", ["tied-bf16", "llama3-f16", "uneven-f32", "odd-bf16"])
def test_a_whole_file_is_the_librarys_with_importance_and_exceptions(
    recipe: str, recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    """The library quantises our unquantised file; the 16-bit type is the one `auto` chooses."""
    checkpoint = open_checkpoint(recipe_folder(recipe))
    weights = importance(recipe_folder(recipe))
    asked = ["blk.0.ffn_gate=Q8_0", "attn_v=F32"]
    between = lay_out(checkpoint, FileType.Q8_0).between.name
    write(lay_out(checkpoint, FileType[between]), tmp_path / "source.gguf", threads=2)
    for file_type in (FileType.Q4_K_M, FileType.IQ3_XXS):
        overrides = [Override.parse(one) for one in asked]
        layout = lay_out(checkpoint, file_type, imatrix=weights, overrides=overrides)
        write(layout, tmp_path / "ours.gguf", threads=2, force=True)
        assert llama.quantise(
            tmp_path / "source.gguf",
            tmp_path / "theirs.gguf",
            file_type.ftype,
            imatrix=weights,
            overrides=[("blk.0.ffn_gate", 8), ("attn_v", 0)],
        )
        ours, theirs = (
            GGUFReader(tmp_path / f"{name}.gguf").tensors for name in ("ours", "theirs")
        )
        assert [one.name for one in ours] == [one.name for one in theirs]
        for mine, other in zip(ours, theirs, strict=True):
            assert mine.tensor_type == other.tensor_type, mine.name
            assert mine.data.tobytes() == other.data.tobytes(), mine.name


def test_the_file_says_by_which_importance_it_was_rounded(
    recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    checkpoint = open_checkpoint(recipe_folder("tied-bf16"))
    weights = importance(recipe_folder("tied-bf16"))

    def told(imatrix: dict[str, Array], file_type: FileType) -> list[object]:
        fields = lay_out(checkpoint, file_type, imatrix=imatrix).fields
        return [one.value for one in fields if one.key == "bedside.importance_sha256"]

    first = told(weights, FileType.Q4_K_M)
    assert len(first) == 1
    assert told(dict(reversed(weights.items())), FileType.Q4_K_M) == first
    weights["token_embd.weight"] = weights["token_embd.weight"] + 1
    assert told(weights, FileType.Q4_K_M) != first
    assert told(weights, FileType.BF16) == []


def test_importance_of_another_model_is_refused(recipe_folder: Callable[[str], Path]) -> None:
    checkpoint = open_checkpoint(recipe_folder("tied-bf16"))
    with pytest.raises(BadInputError, match=r"255 numbers for blk\.0\.attn_q\.weight.* 256"):
        lay_out(checkpoint, FileType.Q4_K_M, imatrix={"blk.0.attn_q.weight": _sums(255, 1)})
    with pytest.raises(BadInputError, match="tells of no tensor of this model"):
        lay_out(checkpoint, FileType.Q4_K_M, imatrix={"blk.9.attn_q.weight": _sums(256, 1)})
    with pytest.raises(UsageError, match=r"of no use without an importance matrix for it"):
        lay_out(checkpoint, FileType.IQ2_XS, imatrix={"blk.0.attn_q.weight": _sums(256, 1)})


@pytest.mark.parametrize(
    ("sums", "count", "kind", "sentence"),
    [
        ({}, 1, "imatrix", "no importance of any weight"),
        ({"a": np.ones(4, np.float32)}, 1, "model", "but no importance matrix"),
        ({"a": np.full(4, np.nan, np.float32)}, 1, "imatrix", "no sums of squares"),
        ({"a": np.full(4, -1, np.float32)}, 1, "imatrix", "no sums of squares"),
        ({"a": np.ones(4, np.float32)}, np.inf, "imatrix", "no sums of squares"),
        ({"a": np.ones(4, np.float32)}, -1, "imatrix", "no sums of squares"),
    ],
    ids=str,
)
def test_what_is_no_importance_matrix_is_refused(
    sums: dict[str, Array], count: float, kind: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read_imatrix(write_imatrix(tmp_path / "i.gguf", sums, count, kind))


def test_a_missing_file_and_missing_counts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        read_imatrix(tmp_path / "none.gguf")
    whole = write_imatrix(tmp_path / "i.gguf", {"a": np.ones(4, np.float32)})
    whole.write_bytes(whole.read_bytes().replace(b"a.counts", b"b.counts"))
    with pytest.raises(BadInputError, match="over how many tokens a was measured"):
        read_imatrix(whole)


@given(data=st.data())
def test_a_damaged_file_is_refused_or_read(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / "damaged.gguf"
    whole = folder / "whole.gguf"
    if not whole.exists():
        write_imatrix(whole, {"a": np.ones(4, np.float32), "b": np.ones(3, np.float32)})
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        found = read_imatrix(path)
    except BadInputError as error:
        assert str(error).endswith(".")
    else:
        assert all(np.isfinite(values).all() for values in found.values())
