"""The set-up on a machine that lacks something: one sentence, with the package to install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared import ROOT

_TOOLS = [
    "sh",
    "awk",
    "cat",
    "cut",
    "dirname",
    "grep",
    "head",
    "ls",
    "mkdir",
    "nproc",
    "rm",
    "sha256sum",
    "sort",
    "tail",
    "uname",
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the script, on a machine whose only programs are in `bin`."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "setup.sh", tmp_path / "deploy")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in _TOOLS:
        (programs / name).symlink_to(shutil.which(name) or pytest.fail(f"no {name} here"))
    return tmp_path


def program(checkout: Path, name: str, script: str = "exit 0") -> None:
    """A stand-in for a program."""
    path = checkout / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def set_up(checkout: Path) -> subprocess.CompletedProcess[str]:
    home = {"HOME": str(checkout), "XDG_CACHE_HOME": str(checkout / "cache")}
    return subprocess.run(
        ["sh", "deploy/setup.sh", "chat"],
        cwd=checkout,
        env={"PATH": str(checkout / "bin"), **home},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_compiler(checkout: Path) -> None:
    done = set_up(checkout)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Bedside compiles llama.cpp and finds no C++ compiler. "
        "Install one with: sudo apt install g++"
    ]


def test_no_cmake(checkout: Path) -> None:
    program(checkout, "c++")
    done = set_up(checkout)
    assert done.returncode == 1
    assert "sudo apt install cmake" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_python_that_fits(checkout: Path) -> None:
    program(checkout, "c++")
    program(checkout, "cmake")
    program(checkout, "python3", "exit 1")  # as an older Python answers the question
    done = set_up(checkout)
    assert done.returncode == 1
    assert "Python 3.10 to 3.13" in done.stderr


def test_no_venv_module(checkout: Path) -> None:
    program(checkout, "c++")
    program(checkout, "cmake")
    program(checkout, "python3", 'case "$2" in *venv*) exit 1;; esac')
    done = set_up(checkout)
    assert done.returncode == 1
    assert "sudo apt install python3-venv" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_second_run_does_nothing(checkout: Path) -> None:
    """A venv whose stamp fits is left alone; a stamp of another processor is not believed."""
    for name in ("c++", "cmake"):
        program(checkout, name)
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    stamp = checkout / ".venv" / ".bedside-chat"
    key = _key(checkout)
    stamp.write_text(key)
    assert set_up(checkout).returncode == 0
    stamp.write_text("0" * 16 + key[16:])
    assert set_up(checkout).returncode != 0  # it tries to compile, and there is nothing to do it


def _key(checkout: Path) -> str:
    """What the script would write, asked of the script itself."""
    script = (checkout / "deploy" / "setup.sh").read_text()
    asked = script.split("if [ -x", 1)[0] + '\nprintf "%s" "$WANTED"\n'
    asking = checkout / "deploy" / "asking.sh"
    asking.write_text(asked)
    home = {"HOME": str(checkout), "XDG_CACHE_HOME": str(checkout / "cache")}
    done = subprocess.run(
        ["sh", str(asking), "chat"],
        env={"PATH": str(checkout / "bin"), **home, "LANG": os.environ.get("LANG", "C")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_clean_leaves_nothing_compiled_in_any_room(tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert {"app", "converter", "deploy", "tests"} <= rooms
    for room in rooms:
        (tmp_path / room / "inner/__pycache__").mkdir(parents=True)
    clean = ["make", "-f", str(ROOT / "Makefile"), "-C", str(tmp_path), "clean"]
    subprocess.run(clean, check=True, capture_output=True, timeout=30)
    assert not list(tmp_path.rglob("__pycache__"))
