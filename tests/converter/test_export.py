"""The exporter: a whole file or none, and a sentence for everything that stops it."""

from __future__ import annotations

import contextlib
import errno
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import BadInputError, ResourceError, UsageError
from converter import export
from converter.checkpoint import open_checkpoint
from converter.export import Layout, lay_out, write
from converter.files import whole_file
from converter.quantise import FileType
from tests.converter.checkpoints import Recipe, build, stored_bytes, weights, write_weights
from tests.shared import ROOT

TINY = Recipe(layers=1, width=64, neurons=64, heads=2, kv_heads=1, head_dim=32)


@pytest.fixture
def layout(recipe_folder: Callable[[str], Path]) -> Layout:
    return lay_out(open_checkpoint(recipe_folder("tied-bf16")), FileType.Q4_K_M)


def damaged(folder: Path, name: str, value: float, dtype: str = "BF16") -> Path:
    """A tiny checkpoint with one weight set to `value`."""
    build(folder, TINY)
    tensors: dict[str, tuple[str, NDArray[np.float32]]] = {}
    for other, shape in TINY.shapes():
        values = weights(other, shape)
        if other == name:
            values.reshape(-1)[-1] = value
        tensors[other] = (dtype, values)
    write_weights(folder, tensors)
    return folder


@pytest.mark.parametrize("kind", [FileType.Q4_K_M, FileType.Q8_0, FileType.BF16, FileType.F32])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["model.layers.0.mlp.up_proj.weight", "model.norm.weight"])
def test_a_weight_that_is_no_number_is_named(
    name: str, value: float, kind: FileType, tmp_path: Path
) -> None:
    made = lay_out(open_checkpoint(damaged(tmp_path / "bad", name, value)), kind)
    with pytest.raises(BadInputError, match=name.replace(".", r"\.")):
        write(made, tmp_path / "out.gguf", threads=2)
    assert [path.name for path in tmp_path.iterdir()] == ["bad"]


@pytest.mark.parametrize("kind", [FileType.F16, FileType.Q4_K_M])
def test_a_weight_too_large_for_float16_is_named(kind: FileType, tmp_path: Path) -> None:
    """Q4_K_M too: the stock road takes a float32 checkpoint through float16."""
    folder = damaged(tmp_path / "bad", "model.layers.0.mlp.up_proj.weight", 1e5, "F32")
    made = lay_out(open_checkpoint(folder), kind)
    with pytest.raises(BadInputError, match=r"up_proj\.weight.*too large for F16"):
        write(made, tmp_path / "out.gguf", threads=2)


def test_progress_counts_every_weight(layout: Layout, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    size = write(layout, tmp_path / "out.gguf", threads=2, progress=lambda *told: seen.append(told))
    assert seen[-1] == (layout.parameters, layout.parameters)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert size == (tmp_path / "out.gguf").stat().st_size


def test_fallbacks_are_those_whose_rows_do_not_fit(recipe_folder: Callable[[str], Path]) -> None:
    fits = lay_out(open_checkpoint(recipe_folder("tied-bf16")), FileType.Q4_K_M)
    uneven = lay_out(open_checkpoint(recipe_folder("odd-bf16")), FileType.Q4_K_M)
    floats = lay_out(open_checkpoint(recipe_folder("odd-bf16")), FileType.BF16)
    assert fits.fallbacks == () == floats.fallbacks
    assert {entry.name: entry.kind.name for entry in uneven.fallbacks} == {
        "blk.0.attn_output.weight": "F16",  # rows of 40
        "blk.0.ffn_down.weight": "F16",  # rows of 264
    }


class FullDisk:
    """A file on a disk that fills up after some bytes."""

    def __init__(self, file: BinaryIO, room: int) -> None:
        self._file, self._room = file, room

    def write(self, data: Any) -> int:
        self._room -= len(memoryview(data).cast("B"))
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("room", [0, 20_000, 500_000])
def test_a_full_disk_leaves_nothing(
    room: int, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def filling(path: Path) -> Any:
        with whole_file(path) as file:
            yield FullDisk(file, room)

    monkeypatch.setattr(export, "whole_file", filling)
    out = tmp_path / "out.gguf"
    out.write_bytes(b"before")
    with pytest.raises(ResourceError, match="filled up"):
        write(layout, out, threads=2, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out.gguf"]
    assert out.read_bytes() == b"before"


def test_ctrl_c_leaves_nothing(layout: Layout, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(layout, tmp_path / "out.gguf", threads=2, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_seen_before_anything_is_written(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(ResourceError, match="make room"):
        write(layout, tmp_path / "out.gguf", threads=2)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_the_checkpoint_is_never_the_output(tmp_path: Path) -> None:
    folder = build(tmp_path / "model", TINY)
    made = lay_out(open_checkpoint(folder), FileType.F16)
    link = tmp_path / "link.gguf"
    link.hardlink_to(folder / "model.safetensors")
    for out in (folder / "model.safetensors", link):
        with pytest.raises(UsageError, match="is read itself"):
            write(made, out, threads=1, force=True)


def test_pieces_cover_tensors_of_any_size(
    recipe_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece of one row, and a queue that fills, give the same file."""
    layout = lay_out(open_checkpoint(recipe_folder("tied-bf16")), FileType.Q4_K_M)
    write(layout, tmp_path / "usual.gguf", threads=2)
    monkeypatch.setattr(export, "_PIECE", 300)
    write(layout, tmp_path / "rows.gguf", threads=3)
    assert (tmp_path / "usual.gguf").read_bytes() == (tmp_path / "rows.gguf").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_killed_conversion_leaves_no_output(number: signal.Signals, tmp_path: Path) -> None:
    """SIGKILL may leave the hidden partial file; nothing may bear the output's name."""
    folder = build(tmp_path / "model", Recipe(layers=24, vocabulary=4096))
    out = tmp_path / "out.gguf"
    command = [sys.executable, "-m", "converter", "convert", str(folder), str(out), "-t", "Q3_K_M"]
    process = subprocess.Popen(
        [*command, "--threads", "1"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob(".out.gguf.*.partial")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode != 0, told
    assert not out.exists()
    if number != signal.SIGKILL:
        assert [path.name for path in tmp_path.iterdir()] == ["model"]
        assert process.returncode == 128 + number
        assert b"Traceback" not in told


def test_stored_bytes_are_read_back_exactly(tmp_path: Path) -> None:
    """The builder and the reader agree on what a file's bytes are."""
    checkpoint = open_checkpoint(build(tmp_path / "model", TINY))
    name = "model.layers.0.mlp.up_proj.weight"
    tensor = checkpoint.tensors[name]
    assert tensor.map().tobytes() == stored_bytes(weights(name, tensor.shape), "BF16")
