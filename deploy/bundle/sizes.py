"""How large a bundle is, against the bars: the model is the owner's choice and not counted."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from app.releases.manifest import BundledFile
from deploy.bundle.contents import Wheels

PYTHON_BAR: Final = 60_000_000
"""Bytes that a bundle for one Python may have, without model and sources for CUDA."""
WHOLE_BAR: Final = 130_000_000
"""The same for all four."""
_NOT_COUNTED = ("models/", "build/")
_BYTECODE = 1.5
"""Python keeps what it compiled beside each module, in about half as many bytes again."""


def carried(files: Mapping[str, BundledFile]) -> int:
    """Bytes of a bundle without its model and without the sources for CUDA."""
    return sum(one.bytes for path, one in files.items() if not path.startswith(_NOT_COUNTED))


def for_python(files: Mapping[str, BundledFile], wheels: Wheels, python: str) -> int:
    """Bytes of what a bundle for this Python alone would carry."""
    needed = {f"wheels/{path.name}" for path in wheels.of(python)}
    others = {f"wheels/{path.name}" for path in wheels.every()} - needed
    return carried({path: one for path, one in files.items() if path not in others})


def on_disk(files: Mapping[str, BundledFile], wheels: Wheels) -> int:
    """Bytes that an installation needs: the copy, the model once more, and the environment."""
    copy = sum(one.bytes for one in files.values())
    model = sum(one.bytes for path, one in files.items() if path.startswith("models/"))
    unpacked = max(sum(map(_unpacked, wheels.of(python))) for python in wheels.boards)
    return copy + model + int(unpacked * _BYTECODE)


def report(files: Mapping[str, BundledFile], wheels: Wheels) -> list[str]:
    """The sizes, each beside its bar, in lines."""
    lines = [
        _line(f"for Python {python} alone", for_python(files, wheels, python), PYTHON_BAR)
        for python in wheels.boards
    ]
    every = _line("for all of them", carried(files), WHOLE_BAR)
    return ["Without the model and the sources for CUDA:", *lines, every]


def _line(what: str, size: int, bar: int) -> str:
    verdict = "within" if size <= bar else "OVER"
    return f"  {what:24} {size / 1e6:6.1f} MB, {verdict} the bar of {bar / 1e6:.0f} MB"


def _unpacked(wheel: Path) -> int:
    with zipfile.ZipFile(wheel) as archive:
        return sum(one.file_size for one in archive.infolist())
