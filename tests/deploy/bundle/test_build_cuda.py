"""The script that builds for an Orin's GPU, on a board whose programs are stand-ins.

What it cannot show is whether CUDA's compiler takes the sources: no JetPack was at hand.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from deploy.bundle import cuda
from deploy.bundle.pins import BUILD, SOURCES
from deploy.bundle.source import Source
from deploy.bundle.workplace import Workplace
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
        self.root, self.log = folder / "root", folder / "log"
        self.release = self.root / "opt/bedside/releases/1.0.0"
        self.script = self.release / "build/build-cuda.sh"
        _program(self.release / "venv/bin/python", PYTHON)
        (self.root / "opt/bedside/current").symlink_to("releases/1.0.0")
        self.nvcc = folder / "nvcc"
        _program(self.nvcc, "#!/bin/sh\necho 'Cuda compilation tools, release 12.6, V12.6.68'\n")
        self._make_parts()

    def _make_parts(self) -> None:
        build = self.release / "build"
        build.mkdir(parents=True)
        for name in ("build-cuda.sh", "nocommon.cmake"):
            (build / name).write_bytes((ROOT / "deploy/bundle" / name).read_bytes())
        with tarfile.open(build / "llama_cpp_python-0.3.36.tar.gz", "w:gz") as archive:
            archive.add(build / "nocommon.cmake", "llama/CMakeLists.txt")
        (build / "ninja-1.0-py3-none-any.whl").touch()
        (build / "pip-26.3-py3-none-any.whl").touch()
        sums = [f"{_sha256(path)}  build/{path.name}\n" for path in sorted(build.iterdir())]
        not_kept = "0" * 64 + "  wheels/numpy.whl\n"
        (self.release / "SHA256SUMS").write_text("".join([*sums, not_kept]))

    def build(self, **environment: str) -> subprocess.CompletedProcess[str]:
        ours = {"BEDSIDE_ROOT": str(self.root), "CUDACXX": str(self.nvcc), "LOG": str(self.log)}
        here = {"LLAMA": "0.3.36", "REAL": sys.executable, "TMPDIR": str(self.root)}
        return subprocess.run(
            ["sh", str(self.script)],
            env={"PATH": os.environ["PATH"], **ours, **here, **environment},
            cwd=self.script.parents[1],
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
        ({"LLAMA": "0.3.35"}, "The release is not whole: it lacks llama_cpp_python-0.3.35.tar.gz"),
        ({"BEDSIDE_ROOT": "/nowhere"}, "Bedside is not installed here"),
    ],
)
def test_refused(board: Board, environment: dict[str, str], sentence: str) -> None:
    done = board.build(**environment)
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


def test_a_damaged_release(board: Board) -> None:
    (board.release / "build/nocommon.cmake").write_text("set(EVIL ON)")
    done = board.build()
    assert done.returncode == 1
    assert "A file of the release is not what it was" in done.stderr
    assert not board.log.exists()


def test_a_folder_that_others_may_write_is_not_built_from(board: Board, tmp_path: Path) -> None:
    """Root's pip would run what lies beside a script in somebody's home."""
    home = tmp_path / "home/build"
    shutil.copytree(board.release / "build", home)
    shutil.copy(board.release / "SHA256SUMS", home.parent)
    (home.parent / "wheels").mkdir()
    for name in ("build/evil-1.0-py3-none-any.whl", "wheels/pip-26.3-py3-none-any.whl"):
        (home.parent / name).touch()
    (home.parent / "zipfile.py").write_text("raise SystemExit('a module from a home')")
    board.script = home / board.script.name
    assert board.build().returncode == 0
    assert " wheel " in board.log.read_text()
    assert str(home.parent) not in board.log.read_text()


def test_a_bundle_carries_all_that_the_build_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the one folder that a release keeps: its wheels are gone by then."""
    fetched = {BUILD: ["ninja-1.0-py3-none-any.whl"], SOURCES: ["llama_cpp_python-0.3.36.tar.gz"]}
    monkeypatch.setattr(cuda, "fetch", lambda _, lock, __: [tmp_path / n for n in fetched[lock]])
    monkeypatch.setattr(cuda, "check_wheels", lambda _: None)
    source = Source(ROOT, "ab" * 20, 1_700_000_000, "1.2.3", left_out=False)
    pip = tmp_path / "pip-26.3-py3-none-any.whl"
    carried = cuda.contents(Workplace(tmp_path), source, pip)
    built_from = sorted(f"build/{path.name}" for path in Board(tmp_path).script.parent.iterdir())
    assert sorted(carried) == built_from
