"""A small model that was measured once, and the text it was measured on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from converter.checkpoint import open_checkpoint
from converter.cut.measuring import Calibration, measure
from converter.cut.saliency import Saliency
from converter.cut.source import source_hash
from converter.export import lay_out, write
from converter.filetype import FileType
from converter.runner import Runner
from converter.texts import Sample, mix, read_texts
from tests.converter.checkpoints import Recipe, build

SAMPLE = Sample(length=24, tokens=72)


@dataclass(frozen=True)
class Measured:
    """A checkpoint, its F32 file, the ids that were run, and what was measured."""

    folder: Path
    file: Path
    text: Path
    chunks: tuple[list[int], ...]
    saliency: Saliency


def measured(root: Path, recipe: Recipe) -> Measured:
    """Build the checkpoint under `root` and measure it."""
    folder, file, text = build(root / "model", recipe), root / "model.gguf", root / "text.txt"
    write(lay_out(open_checkpoint(folder), FileType.F32), file, threads=1)
    text.write_text("a glaucoma raises the pressure in an eye and takes sight away. " * 3)
    documents = read_texts([text])
    saliency = measure(
        file,
        source_hash(folder),
        Calibration(documents, (), SAMPLE),
        covariances=(1,),
        threads=1,
    )
    with Runner(file, length=SAMPLE.length, threads=1) as runner:
        mixed = mix(documents, [], SAMPLE, runner.tokenise, runner.bos)
    return Measured(folder, file, text, mixed.chunks, saliency)


@pytest.fixture(scope="session")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Two layers, a tied head, grouped heads, two blocks of 256 neurons."""
    return measured(tmp_path_factory.mktemp("tied"), Recipe(dtype="F32"))


@pytest.fixture(scope="session")
def untied(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """An output head of its own."""
    recipe = Recipe(dtype="F32", tied=False, layers=3, kv_heads=4)
    return measured(tmp_path_factory.mktemp("untied"), recipe)
