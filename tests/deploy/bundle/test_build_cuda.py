"""The script that builds for an Orin's GPU, on a board whose programs are stand-ins.

What it cannot show is whether CUDA's compiler takes the sources: no JetPack was at hand.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.shared import ROOT

PYTHON = """#!/bin/sh
echo "$*" >>"$LOG"
case "$*" in
    *importlib.metadata*) echo "$LLAMA" ;;
    *"-m venv"*) for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python" ;;
    *"-m zipfile"*) exec "$REAL" "$@" ;;
    *" wheel "*)
        for word; do [ "$before" = --wheel-dir ] && out=$word; before=$word; done
        mkdir -p "$out/x/llama_cpp/lib"
        echo "for the GPU with $CMAKE_ARGS" >"$out/x/llama_cpp/lib/libllama.so"
        (cd "$out/x" && "$REAL" -m zipfile -c "$out/llama_cpp_python-0.3.36.whl" llama_cpp)
        rm -r "$out/x" ;;
    *supports_gpu_offload*) exit "${NO_GPU:-0}" ;;
    *"-m app"*) echo "It is a condition." ;;
esac
"""


class Board:
    """A fake root with a release, a bundle's folder, and a compiler."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bundle, self.log = folder / "root", folder / "bundle", folder / "log"
        self.release = self.root / "opt/bedside/releases/1.0.0"
        _program(self.release / "venv/bin/python", PYTHON)
        (self.root / "opt/bedside/current").symlink_to("releases/1.0.0")
        self.nvcc = folder / "nvcc"
        _program(self.nvcc, "#!/bin/sh\necho 'Cuda compilation tools, release 12.6, V12.6.68'\n")
        self._make_bundle()

    def _make_bundle(self) -> None:
        build = self.bundle / "build"
        build.mkdir(parents=True)
        for name in ("build-cuda.sh", "nocommon.cmake"):
            (build / name).write_bytes((ROOT / "deploy/bundle" / name).read_bytes())
        with tarfile.open(build / "llama_cpp_python-0.3.36.tar.gz", "w:gz") as archive:
            archive.add(build / "nocommon.cmake", "llama/CMakeLists.txt")
        (build / "ninja-1.0-py3-none-any.whl").touch()
        (self.bundle / "wheels").mkdir()
        (self.bundle / "wheels/pip-26.3-py3-none-any.whl").touch()
        files = sorted(path for path in self.bundle.rglob("*") if path.is_file())
        sums = (f"{_sha256(path)}  {path.relative_to(self.bundle)}\n" for path in files)
        (self.bundle / "SHA256SUMS").write_text("".join(sums))

    def build(self, **environment: str) -> subprocess.CompletedProcess[str]:
        ours = {"BEDSIDE_ROOT": str(self.root), "CUDACXX": str(self.nvcc), "LOG": str(self.log)}
        here = {"LLAMA": "0.3.36", "REAL": sys.executable, "TMPDIR": str(self.root)}
        return subprocess.run(
            ["sh", str(self.bundle / "build/build-cuda.sh")],
            env={"PATH": os.environ["PATH"], **ours, **here, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def drop_in(self) -> Path:
        """As systemd finds it."""
        return self.root / "etc/systemd/system/bedside-kiosk.service.d/20-cuda.conf"


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_the_kiosk_is_told_after_an_answer(board: Board) -> None:
    done = board.build()
    assert done.returncode == 0, done.stderr
    library = (board.release / "cuda/libllama.so").read_text()
    assert "-DGGML_CUDA=ON" in library
    assert "-DCMAKE_CUDA_ARCHITECTURES=87-real" in library
    wanted = "[Service]\nEnvironment=LLAMA_CPP_LIB_PATH=/opt/bedside/releases/1.0.0/cuda\n"
    assert board.drop_in.read_text() == wanted


def test_the_next_board_need_not_build(board: Board) -> None:
    assert board.build().returncode == 0
    board.log.unlink()
    assert board.build().returncode == 0
    assert " wheel " not in board.log.read_text()


def test_no_answer_on_the_gpu(board: Board) -> None:
    """The release is left as it was: it runs on the processor, or with what answered before."""
    done = board.build(NO_GPU="1")
    assert done.returncode == 1
    assert "stays as it was" in done.stderr
    assert not list(board.release.glob("cuda*"))
    assert not board.drop_in.exists()
    assert board.build().returncode == 0
    assert board.build(NO_GPU="1").returncode == 1
    assert board.drop_in.exists()
    assert (board.release / "cuda/libllama.so").exists()


def test_nothing_is_left_behind(board: Board) -> None:
    board.build()
    board.build(NO_GPU="1")
    assert not list(board.root.glob("bedside-cuda.*"))


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"CUDACXX": "/nowhere/nvcc"}, "CUDA's compiler is not at /nowhere/nvcc"),
        ({"LLAMA": "0.3.35"}, "The release runs llama-cpp-python 0.3.35"),
        ({"BEDSIDE_ROOT": "/nowhere"}, "Bedside is not installed here"),
    ],
)
def test_refused(board: Board, environment: dict[str, str], sentence: str) -> None:
    done = board.build(**environment)
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


def test_a_damaged_bundle(board: Board) -> None:
    (board.bundle / "build/nocommon.cmake").write_text("set(EVIL ON)")
    done = board.build()
    assert done.returncode == 1
    assert "A file of the bundle is not what it was" in done.stderr
    assert not board.log.exists()
