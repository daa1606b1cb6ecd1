"""Covariances that memory does not hold together: several passes give what one gives."""

from __future__ import annotations

import errno
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import BadInputError, ResourceError, UsageError
from converter.checkpoint import open_checkpoint
from converter.cut import shelf
from converter.cut.measuring import Calibration, measure
from converter.cut.saliency import Saliency
from converter.cut.saliency_file import read_saliency, write_saliency
from converter.cut.shelf import Place, Shelf
from converter.export import lay_out, write
from converter.filetype import FileType
from converter.texts import Sample, read_texts
from tests.converter.checkpoints import Recipe, build, weights, write_weights
from tests.converter.cut.conftest import SAMPLE, Measured

LAYER = 8 * (512**2 + 256**2)
"""Bytes of one layer's sums."""


def again(model: Measured, sample: Sample = SAMPLE, **options: Any) -> Saliency:
    texts = Calibration(read_texts([model.text]), (), sample)
    return measure(model.file, "0" * 64, texts, covariances=range(3), threads=1, **options)


@pytest.mark.parametrize(("memory", "passes"), [(LAYER, 3), (2 * LAYER + 1, 2), (3 * LAYER, 1)])
def test_several_passes_give_what_one_gives(untied: Measured, memory: int, passes: int) -> None:
    told: list[tuple[int, int]] = []
    found = again(untied, memory=memory, progress=lambda *now: told.append(now))
    once = again(untied)
    assert list(found.covariances) == list(once.covariances)
    assert len(found.covariances) == 6
    for name, matrix in once.covariances.items():
        np.testing.assert_array_equal(found.covariances[name], matrix)
    np.testing.assert_array_equal(found.layers[2].neuron_abs, once.layers[2].neuron_abs)
    assert found.complete
    assert found.tokens == once.tokens == 72
    assert told[-1] == (72 * passes, 72 * passes)
    assert all(before < after for (before, _), (after, _) in pairwise(told))


def test_a_file_of_several_passes_is_that_of_one(untied: Measured, tmp_path: Path) -> None:
    write_saliency(tmp_path / "one", again(untied))
    write_saliency(tmp_path / "three", again(untied, memory=LAYER))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "three").read_bytes()


def test_stopped_in_the_second_pass_keeps_what_is_there(untied: Measured, tmp_path: Path) -> None:
    done: list[int] = []
    found = again(
        untied,
        memory=LAYER,
        progress=lambda now, _: done.append(now),
        stopped=lambda: len(done) == 4,
    )
    assert not found.complete
    assert found.tokens == 72
    write_saliency(tmp_path / "s", found)
    kept = read_saliency(tmp_path / "s").covariances
    assert sorted(kept) == [
        f"blk.{layer}.{part}.weight" for layer in (0, 1) for part in ("attn_output", "ffn_down")
    ]
    first = again(untied, sample=Sample(SAMPLE.length, SAMPLE.length)).covariances
    name = "blk.1.ffn_down.weight"  # of one chunk, and divided by its tokens alone
    np.testing.assert_array_equal(kept[name], first[name])


def test_what_cannot_be_summed_is_refused(untied: Measured) -> None:
    with pytest.raises(ResourceError, match=r"covariances of layer 0 need .* --memory"):
        again(untied, memory=LAYER - 1)
    texts = Calibration(read_texts([untied.text]), (), SAMPLE)
    with pytest.raises(UsageError, match="layers 0 to 2"):
        measure(untied.file, "0" * 64, texts, covariances=[7], threads=1)


def test_a_shelf_gives_back_what_was_put() -> None:
    kept = Shelf.scratch()
    matrices = {name: np.random.default_rng(5).random((4, 4), np.float32) for name in "ab"}
    for name, matrix in matrices.items():
        kept.put(name, matrix)
    assert list(kept) == ["a", "b"]
    assert all(np.array_equal(kept[name], matrix) for name, matrix in matrices.items())
    assert kept.get("c") is None


@pytest.mark.parametrize("content", [b"\0" * 60, np.full(16, np.nan, "<f4").tobytes()])
def test_what_is_torn_or_no_number_is_told(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "shelf"
    path.write_bytes(content)
    with path.open("rb") as file:
        kept = Shelf(os.dup(file.fileno()), {"a": Place(0, 4)})
    with pytest.raises(BadInputError, match="damaged at the covariance of a"):
        kept["a"]


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = Shelf.scratch()
    monkeypatch.setattr(shelf, "open", full, raising=False)
    with pytest.raises(ResourceError, match="no room for 0 MB of covariances"):
        kept.put("a", np.eye(2, dtype=np.float32))


def test_activations_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    """Weights that are numbers, and sums that no float32 holds."""
    recipe = Recipe(dtype="F32")
    folder = build(tmp_path / "loud", recipe)
    tensors = {name: (recipe.dtype, weights(name, shape)) for name, shape in recipe.shapes()}
    for part in ("gate", "up"):
        tensors[f"model.layers.1.mlp.{part}_proj.weight"][1][:] = 1e30
    write_weights(folder, tensors)
    file, text = tmp_path / "loud.gguf", tmp_path / "text.txt"
    write(lay_out(open_checkpoint(folder), FileType.F32), file, threads=1)
    text.write_text("a glaucoma raises the pressure in an eye. " * 4)
    calibration = Calibration(read_texts([text]), (), SAMPLE)
    with pytest.raises(BadInputError, match=r"values that are not numbers .* blk\.1\.ffn_down"):
        measure(file, "0" * 64, calibration, covariances=[1], threads=1)
