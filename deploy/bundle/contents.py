"""What goes into a bundle, and where in it: decided before anything is copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.catalog.entry import Entry, parse_entries
from app.catalog.hashes import sha256_of
from app.errors import BadInputError, UsageError
from app.files import disk_of
from app.releases import bundle
from app.releases.manifest import BundledModel
from app.sanitise import one_line
from app.toml_file import read_toml
from deploy.bundle.pins import Pin, board_lock, lock_text

BOARD_FOLDERS: Final[Mapping[str, str]] = {"pi5": "pi5", "orin-nano": "jetson"}
"""Of deploy/: what is for one board alone."""
SHARED_FOLDERS: Final = ("systemd", "privacy")
"""Of deploy/: what every board gets."""
NOT_CARRIED: Final = frozenset({"Dockerfile", ".dockerignore"})

Contents = dict[str, Path | bytes]
"""Each path in the bundle, and the file or the bytes that lie there."""


@dataclass(frozen=True, slots=True)
class Wheels:
    """Every wheel of a bundle."""

    own: Path
    llama: Path
    pip: Path
    boards: Mapping[str, tuple[Path, ...]]
    """Those that the lock of each Python names."""

    def every(self) -> list[Path]:
        """All of them, each once, sorted by name."""
        shared = [path for paths in self.boards.values() for path in paths]
        by_name = {path.name: path for path in (self.own, self.llama, self.pip, *shared)}
        return [by_name[name] for name in sorted(by_name)]

    def of(self, python: str) -> list[Path]:
        """Those that a board with this Python installs, and pip."""
        return [self.own, self.llama, self.pip, *self.boards[python]]


def wheels_and_locks(wheels: Wheels, pins: Mapping[str, list[Pin]], own: list[Pin]) -> Contents:
    """The wheels, and for each Python the lock that a board installs by.

    Args:
        wheels: all of them.
        pins: of the lock of each Python.
        own: of Bedside and of its llama.cpp, which no index has.
    """
    contents: Contents = {f"wheels/{path.name}": path for path in wheels.every()}
    for python, locked in pins.items():
        about = f"What runs on a board with CPython {python}."
        contents[f"locks/{board_lock(python)}"] = lock_text([*locked, *own], about).encode()
    return contents


def set_up(source: Path, board: str) -> Contents:
    """The installer, and what the board's set-up copies: units and offers.

    The console's colours are the program's own, and its font is that of the system's package
    console-setup, which Raspberry Pi OS Lite has: without that package no font could be loaded.

    Raises:
        BadInputError: the sources have no installer.
    """
    deploy = source / "deploy"
    installer = deploy / "bundle" / bundle.INSTALLER
    if not installer.is_file():
        raise BadInputError("deploy/bundle/install.sh is not in the commit. Commit it first.")
    contents: Contents = {bundle.INSTALLER: installer}
    own = BOARD_FOLDERS[board]
    for name in (own, *SHARED_FOLDERS):
        within = "units" if name in (own, "systemd") else f"units/{name}"
        for path in _files(deploy / name):
            contents[f"{within}/{path.relative_to(deploy / name).as_posix()}"] = path
    return contents


def find_model(path: Path, catalogue: Path) -> tuple[BundledModel, Entry]:
    """The model, under the name that the catalogue in Bedside's wheel has for it.

    Raises:
        BadInputError: it cannot be read.
        UsageError: the catalogue does not know it, so a board could not name it.
    """
    sha256, size = sha256_of(path), path.stat().st_size
    entries = parse_entries(read_toml(catalogue).get("model"), one_line(catalogue.name))
    known = [one for one in entries if one.sha256 == sha256]
    known += [one for one in entries if not one.sha256 and one.file == path.name]
    if not known:
        raise UsageError(
            f"models/catalog.toml has no entry for {one_line(path.name)} with this content, so no "
            "board could name it. Add one, commit it, then build again."
        )
    if size > bundle.LARGEST_FILE:
        raise UsageError("A stick with FAT32 holds no file of 4 GiB or more; take a smaller model.")
    return BundledModel(known[0].name, f"models/{known[0].file}", sha256, size), known[0]


def place(folder: Path, contents: Contents) -> None:
    """Copies everything to its place, readable by everyone, as on a stick without permissions.

    Raises:
        BadInputError: a path is none that a bundle may hold.
        ResourceError: the disk is full, or cannot be written.
    """
    bundle.check_paths(contents)
    for path in sorted(contents):
        target, what = folder / path, contents[path]
        with disk_of(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(what, bytes):
                target.write_bytes(what)
            else:
                shutil.copyfile(what, target)  # a model is larger than many a builder's memory
            target.chmod(0o755 if path == bundle.INSTALLER else 0o644)


def _files(folder: Path) -> Iterable[Path]:
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    return [path for path in found if path.is_file() and path.name not in NOT_CARRIED]
