"""Speed and memory of a file, measured in a process of its own."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import EngineError
from converter.checkpoint import open_checkpoint
from converter.export import lay_out, write
from converter.quantise import FileType
from converter.speed import measure_speed


@pytest.fixture(scope="module")
def model(recipe_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "model.gguf"
    write(lay_out(open_checkpoint(recipe_folder("tied-bf16")), FileType.Q8_0), out, threads=1)
    return out


def test_a_file_is_timed_within_its_trained_context(model: Path) -> None:
    found = measure_speed(model, threads=1, prompt=4096, generate=4096)
    assert (found.prompt, found.generated, found.threads) == (128, 64, 1)
    assert found.prefill > 0
    assert found.decode > 0
    assert found.memory is None or 10 * 2**20 < found.memory < 2**30


def test_memory_is_the_childs_own(model: Path) -> None:
    ballast = bytearray(b"x") * (700 * 2**20)
    found = measure_speed(model, threads=1, prompt=8, generate=2)
    assert found.memory is None or found.memory < len(ballast)


def test_a_file_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(EngineError, match=r"broken\.gguf could not be measured"):
        measure_speed(broken, threads=1)


def test_a_kernel_that_crashes_is_avoided(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the AMX kernels of this llama.cpp do on some servers."""
    run, asked = subprocess.run, []

    def crashing(command: list[str], **options: Any) -> Any:
        asked.append(command[-1])
        if command[-1] == "1":
            return subprocess.CompletedProcess(command, -signal.SIGSEGV, "", "")
        return run(command, **options)

    monkeypatch.setattr("converter.speed.subprocess.run", crashing)
    assert not measure_speed(model, threads=1, prompt=8, generate=2).repacked
    assert asked == ["1", "0"]


def test_no_code_of_the_current_folder_is_run(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("import pathlib; pathlib.Path('slipped-in').touch()")
    monkeypatch.chdir(tmp_path)
    assert measure_speed(model, threads=1, prompt=8, generate=2).prompt == 8
    assert not (tmp_path / "slipped-in").exists()
