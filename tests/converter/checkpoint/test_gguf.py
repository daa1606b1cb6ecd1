"""A GGUF file as a source: what goes in comes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFReader, GGUFWriter
from gguf.quants import dequantize
from numpy.typing import NDArray

from app.errors import BadInputError
from converter.checkpoint import open_checkpoint
from converter.checkpoint.gguf import open_gguf
from converter.export import lay_out, write
from converter.material import gather_gguf, open_material
from converter.quantise import FileType
from tests.converter import gguffile


@pytest.fixture
def converted(recipe_folder: Callable[[str], Path], tmp_path: Path) -> Callable[[FileType], Path]:
    def make(kind: FileType) -> Path:
        out = tmp_path / f"{kind.name}.gguf"
        write(
            lay_out(open_checkpoint(recipe_folder("llama3-f16")), kind), out, threads=1, force=True
        )
        return out

    return make


@pytest.mark.parametrize("kind", [FileType.F32, FileType.F16, FileType.BF16])
def test_a_file_written_again_is_the_file(
    kind: FileType, converted: Callable[[FileType], Path], tmp_path: Path
) -> None:
    """Every key with its type, the vocabulary's lists among them, and every tensor."""
    material = open_material(converted(kind))
    assert material.lossless is kind
    write(lay_out(material, kind), tmp_path / "again.gguf", threads=1)
    assert gguffile.keys(tmp_path / "again.gguf") == gguffile.keys(converted(kind))
    assert gguffile.tensors(tmp_path / "again.gguf") == gguffile.tensors(converted(kind))


def test_quantising_from_a_file_is_quantising_the_checkpoint(
    converted: Callable[[FileType], Path], tmp_path: Path
) -> None:
    material = open_material(converted(FileType.F16))
    write(lay_out(material, FileType.Q4_K_M), tmp_path / "from_file.gguf", threads=1)
    direct = gguffile.tensors(converted(FileType.Q4_K_M))
    assert gguffile.tensors(tmp_path / "from_file.gguf") == direct


def test_quantised_tensors_stand_for_what_gguf_says(
    converted: Callable[[FileType], Path],
) -> None:
    path = converted(FileType.Q4_K_M)
    with pytest.raises(BadInputError, match=r"quantised already \(Q4_K, .*--dequantise"):
        open_material(path)
    material = gather_gguf(open_gguf(path), dequantise=True)
    assert material.lossless is FileType.F32
    told = {field.key: field.value for field in material.provenance}
    kinds = {kind for _, _, kind, _ in gguffile.tensors(path)} - {"F32"}
    assert told["bedside.dequantised_from"] == ", ".join(sorted(kinds))
    expected = {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    for weight in material.model.weights:
        tensor = expected[weight.name]
        if tensor.tensor_type is Kind.F32 or len(weight.shape) < 2:
            continue
        right = dequantize(tensor.data, tensor.tensor_type)
        rows = [weight.rows(start, min(start + 7, len(right))) for start in range(0, len(right), 7)]
        assert np.array_equal(np.concatenate(rows), right)


def rewritten(
    path: Path, out: Path, *, without: str, more: dict[str, NDArray[np.int32]] | None = None
) -> Path:
    """The file without the keys and tensors of a name, and with more tensors."""
    source = GGUFReader(path)
    writer = GGUFWriter(out, "llama")
    for key, field in source.fields.items():
        if key.startswith(("llama.", "tokenizer.")) and key != without:
            element = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(key, field.contents(), field.types[0], element)
    for tensor in source.tensors:
        if tensor.name != without:
            writer.add_tensor(tensor.name, tensor.data)
    for name, values in (more or {}).items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def test_a_tensor_that_holds_no_weights_is_refused(
    converted: Callable[[FileType], Path], tmp_path: Path
) -> None:
    more = {"extra.weight": np.arange(32, dtype=np.int32)}
    odd = rewritten(converted(FileType.F32), tmp_path / "odd.gguf", without="", more=more)
    with pytest.raises(BadInputError, match=r"extra\.weight is stored as I32"):
        open_gguf(odd)


def test_a_file_need_not_say_that_its_heads_are_not_grouped(
    converted: Callable[[FileType], Path], tmp_path: Path
) -> None:
    path = converted(FileType.F32)
    key = "llama.attention.head_count_kv"
    facts = open_material(rewritten(path, tmp_path / "old.gguf", without=key)).model.facts
    assert facts.kv_heads == facts.heads
    less = rewritten(path, tmp_path / "less.gguf", without="token_embd.weight")
    with pytest.raises(BadInputError, match="no token embedding"):
        open_material(less)


def test_what_is_no_gguf_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_text("<!doctype html>")
    with pytest.raises(BadInputError, match="web page"):
        open_material(tmp_path / "page.gguf")
