"""A stick with a toy bundle that is signed and installs for real, and a board in a folder."""

from __future__ import annotations

import functools
import io
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from app.releases import bundle
from app.releases.environment import base_python
from tests.app.releases import bundles
from tests.app.releases.machines import make_board
from tests.shared import ROOT

_PACKAGE = ("__init__.py", "errors.py", "files.py", "folders.py", "sanitise.py")
_ROOMS = ("releases", "boards", "engine")
_ARM = (
    "import os, platform; platform.machine = lambda: 'aarch64'\n"
    "os.sync = os.fsync = lambda *_: None\n"
)
"""Said to every Python that installs: the test machine is no board, and flushing all its disks
takes long."""

_TOY_PROGRAM = """import pathlib, sys
if (pathlib.Path(sys.prefix) / "broken").exists():
    sys.exit("the engine failed")
print("Asthma is")
"""
_TOY_PIP = """import pathlib, sys, zipfile
wheels = pathlib.Path(sys.argv[sys.argv.index("--find-links") + 1])
lock = pathlib.Path(sys.argv[sys.argv.index("--requirement") + 1])
assert "--require-hashes" in sys.argv and "--no-index" in sys.argv and lock.is_file()
prefix = pathlib.Path(sys.prefix)
(site,) = prefix.glob("lib/python*/site-packages")
for wheel in wheels.glob("bedside-*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
(site / "share").rename(prefix / "share")
(prefix / "bin/bedside").write_text("#!/bin/sh\\n")
"""


@dataclass(frozen=True, slots=True)
class Key:
    """Who signs."""

    private: Path

    @classmethod
    def make(cls, path: Path) -> Key:
        """A new one."""
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True
        )
        return cls(path)

    @property
    def signers(self) -> bytes:
        """The line that a board pins."""
        kind, encoded = self.private.with_suffix(".pub").read_text().split()[:2]
        return f'{bundle.IDENTITY} namespaces="{bundle.NAMESPACE}" {kind} {encoded}\n'.encode()

    @property
    def fingerprint(self) -> str:
        """As the handbook prints it."""
        shown = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(self.private)],
            capture_output=True,
            text=True,
            check=True,
        )
        return shown.stdout.split()[1]

    def sign(self, sums: Path, namespace: str = bundle.NAMESPACE) -> None:
        """Writes the signature beside the sums."""
        sums.with_name(bundle.SIGNATURE).unlink(missing_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(self.private), str(sums)],
            check=True,
        )


def make_stick(folder: Path, version: str, key: Key, *, board: str = "pi5") -> Path:
    """A signed bundle: the installer and the room for releases are real, the rest is a toy."""
    files = bundles.contents(version, b"GGUF of " + version.encode())
    files[bundle.INSTALLER] = (ROOT / "deploy/bundle/install.sh").read_bytes()
    files[bundle.SIGNERS] = key.signers
    files[bundle.wheel_of(version)] = _own_wheel()
    files[bundle.pip_wheels(files)[0]] = _zipped({"pip/__main__.py": _TOY_PIP.encode()})
    bundles.write(folder, bundles.manifest(version, files, board), files)
    key.sign(folder / bundle.SUMS)
    return folder


def make_programs(folder: Path) -> Path:
    """Programs that answer as on a board, to stand before the test machine's own."""
    folder.mkdir()
    python = base_python()
    program(folder, "uname", "echo aarch64")
    program(folder, "dpkg", "echo arm64")
    program(folder, "getconf", "echo glibc 2.36")
    program(folder, "sync", "exit 0")
    program(
        folder,
        "python3",
        f'[ "$3" = -c ] || exec {python} "$@"\n'
        f'code=$4; shift 4; exec {python} -I -S -c "{_ARM}$code" "$@"',
    )
    return folder


def program(folder: Path, name: str, script: str) -> None:
    """A stand-in for a program."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@dataclass(frozen=True, slots=True)
class Board:
    """A board in a folder, with a stick in it."""

    root: Path
    programs: Path
    stick: Path
    key: Key

    def install(
        self,
        *options: str,
        shell: str = "sh",
        stick: Path | None = None,
        stdin: IO[str] | int = subprocess.DEVNULL,
    ) -> subprocess.CompletedProcess[str]:
        """What `sh install.sh` says."""
        script = (stick or self.stick) / bundle.INSTALLER
        return subprocess.run(
            [*shell.split(), str(script), "--prefix", str(self.root), *options],
            env={"PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"},
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def trusting(
        self, *options: str, shell: str = "sh", stick: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The same, with the key's fingerprint from the handbook."""
        fingerprint = ("--fingerprint", self.key.fingerprint)
        return self.install(*fingerprint, "--no-systemd", *options, shell=shell, stick=stick)


def make(folder: Path, key: Key) -> Board:
    """A bare board with the stick of the first release."""
    make_board(folder / "board")
    stick = make_stick(folder / "stick", "1.0.0", key)
    return Board(folder / "board", make_programs(folder / "programs"), stick, key)


def copy(board: Board, folder: Path) -> Board:
    """The same in another folder: quicker than to sign a second stick."""
    shutil.copytree(board.root.parent, folder, symlinks=True, dirs_exist_ok=True)
    return Board(folder / "board", folder / "programs", folder / "stick", board.key)


def need_ssh_keygen() -> None:
    """Skips where the machine has no OpenSSH."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed here (apt install openssh-client)")


@functools.cache
def _own_wheel() -> bytes:
    sources = [ROOT / "app" / name for name in _PACKAGE]
    sources += [path for room in _ROOMS for path in sorted((ROOT / "app" / room).glob("*.py"))]
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in sources}
    files["app/__main__.py"] = _TOY_PROGRAM.encode()
    files["share/bedside/models/catalog.toml"] = b'default = "other"\n'
    files["sitecustomize.py"] = _ARM.encode()
    return _zipped(files | _compiled(sources))


def _compiled(sources: list[Path]) -> dict[str, bytes]:
    """The sources as Python keeps them, once for the wheel and once for the environment: to compile
    them in every test would take most of its time."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for source in sources:
            place = str(Path(folder, "compiled"))
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile(str(source), place, doraise=True, invalidation_mode=mode)
            path, content = source.relative_to(ROOT), Path(place).read_bytes()
            tagged = f"{source.stem}.{sys.implementation.cache_tag}.pyc"
            found[path.with_suffix(".pyc").as_posix()] = content
            found[(path.parent / "__pycache__" / tagged).as_posix()] = content
    return found


def _zipped(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for path, content in files.items():
            writer.writestr(zipfile.ZipInfo(path), content)
    return archive.getvalue()
