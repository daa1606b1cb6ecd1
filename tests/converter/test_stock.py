"""Without a cut, our files are the stock tools': hashes of their output, and their quantiser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter.checkpoint import open_checkpoint
from converter.export import lay_out, write
from converter.quantise import FileType
from tests.converter.checkpoints import RECIPES
from tests.converter.gguffile import keys, tensors
from tests.shared import shared_path

STOCK = json.loads(Path(__file__).parent.joinpath("data/stock_hashes.json").read_text())
OURS_ALONE = {"bedside.quantiser", "bedside.source"}
QUANTISED = [
    kind
    for kind in FileType
    if not kind.is_float and not kind.name.startswith("IQ2") and "IQ3_X" not in kind.name
]
"""Those that need no importance matrix."""


def convert(folder: Path, out: Path, kind: FileType) -> Path:
    write(lay_out(open_checkpoint(folder), kind), out, threads=2)
    return out


def quantise_by_library(source: Path, out: Path, kind: FileType) -> Path:
    """The library's own way from a 16-bit file to a quantised one."""
    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.nthread = kind.ftype, 2
    assert llama_cpp.llama_model_quantize(str(source).encode(), str(out).encode(), params) == 0
    return out


@pytest.fixture(scope="module")
def auto_file(
    recipe_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Our file of a recipe in the type that the stock converter's `auto` chose."""
    root = tmp_path_factory.mktemp("auto")

    def file(name: str) -> Path:
        out = root / f"{name}.gguf"
        kind = FileType[STOCK["auto"][name]]
        return out if out.exists() else convert(recipe_folder(name), out, kind)

    return file


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("name", RECIPES)
def test_floats_equal_the_stock_converters(
    name: str, kind: str, recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    stock: dict[str, Any] = STOCK["made"][f"{name} {kind}"]
    ours = convert(recipe_folder(name), tmp_path / "ours.gguf", FileType[kind])
    assert tensors(ours) == stock["tensors"]
    told = keys(ours)
    assert {key: value for key, value in told.items() if key not in OURS_ALONE} == stock["keys"]
    assert told.keys() >= OURS_ALONE


@pytest.mark.parametrize("kind", QUANTISED, ids=lambda kind: kind.name)
@pytest.mark.parametrize("name", RECIPES)
def test_quantised_equal_the_librarys(
    name: str,
    kind: FileType,
    recipe_folder: Callable[[str], Path],
    auto_file: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    ours = convert(recipe_folder(name), tmp_path / "ours.gguf", kind)
    library = quantise_by_library(auto_file(name), tmp_path / "library.gguf", kind)
    assert tensors(ours) == tensors(library)
    assert keys(ours) == keys(library)


def test_medquad_equals_the_librarys(tmp_path: Path) -> None:
    folder = shared_path("models/medquad-29m")
    auto = convert(folder, tmp_path / "auto.gguf", FileType.BF16)
    ours = convert(folder, tmp_path / "ours.gguf", FileType.Q4_K_M)
    library = quantise_by_library(auto, tmp_path / "library.gguf", FileType.Q4_K_M)
    assert tensors(ours) == tensors(library)
    assert keys(ours) == keys(library)


def test_bytes_do_not_depend_on_threads(
    recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    layout = lay_out(open_checkpoint(recipe_folder("tied-bf16")), FileType.Q4_K_M)
    write(layout, tmp_path / "one.gguf", threads=1)
    write(layout, tmp_path / "five.gguf", threads=5)
    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "five.gguf").read_bytes()
