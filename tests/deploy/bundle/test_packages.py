"""The script that says which packages the builder needs, on machines of stand-ins."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.shared import ROOT

SCRIPT = ROOT / "deploy/bundle/packages.sh"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A machine with every package, on x86-64; what apt-get is told goes to a file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    _put(folder, "uname", "echo x86_64")
    _put(folder, "dpkg-query", "echo installed")
    _put(folder, "apt-get", f'echo "$*" >{tmp_path}/told')
    (folder / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    return folder


def _put(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def ask(programs: Path, *words: str, system: str = "debian 12") -> subprocess.CompletedProcess[str]:
    """Runs the script where the machine is that system."""
    script = SCRIPT.read_text()
    found = '$(. /etc/os-release && echo "$ID $VERSION_ID")'
    assert found in script
    copy = programs / "packages.sh"
    copy.write_text(script.replace(found, f'"{system}"'))
    return subprocess.run(
        ["sh", str(copy), *words],
        env={"PATH": str(programs), "HOME": os.devnull},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_all_there(programs: Path) -> None:
    assert ask(programs).returncode == 0


def test_missing(programs: Path, tmp_path: Path) -> None:
    lacking = 'case "$*" in *g++-aarch64*|*debootstrap*) exit 1 ;; *) echo installed ;; esac'
    _put(programs, "dpkg-query", lacking)
    done = ask(programs)
    assert done.returncode == 1
    assert done.stdout.startswith("These packages are missing: g++-aarch64-linux-gnu\n")
    done = ask(programs, "prove", "--install")
    assert done.returncode == 0
    told = (tmp_path / "told").read_text()
    assert told.split()[-2:] == ["g++-aarch64-linux-gnu", "debootstrap"]


@pytest.mark.parametrize("system", ["debian 13", "ubuntu 24.04"])
def test_a_system_whose_compiler_asks_for_more_than_jetpack_has(
    programs: Path, system: str
) -> None:
    done = ask(programs, system=system)
    assert done.returncode == 1
    assert "bundles are built on Debian 12" in done.stderr


def test_another_word(programs: Path) -> None:
    assert ask(programs, "everything").returncode == 2
