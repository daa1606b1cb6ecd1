"""A lock: files that may be installed, each by version and hash, as pip reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from app.errors import BadInputError
from app.files import write_whole
from app.sanitise import one_line

LOCKS: Final = Path(__file__).with_name("locks")
SOURCES: Final = "sources.txt"
PIP: Final = "pip.txt"
BUILD: Final = "build.txt"
TOOLS: Final = "tools.txt"

_LINE = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!+_-]+) --hash=sha256:([0-9a-f]{64})")


def board_lock(python: str) -> str:
    """The name of the lock of what runs on a board with this Python: `cp311.txt` for `3.11`."""
    return f"cp{python.replace('.', '')}.txt"


@dataclass(frozen=True, slots=True)
class Pin:
    """One file that may be installed, and no other."""

    project: str
    """As pip compares names: `llama-cpp-python`."""
    version: str
    sha256: str

    def line(self) -> str:
        """As pip reads it with `--require-hashes`."""
        return f"{self.project}=={self.version} --hash=sha256:{self.sha256}"


def read_lock(name: str, folder: Path = LOCKS) -> list[Pin]:
    """The pins of a lock, as `cp311.txt`.

    Raises:
        BadInputError: it cannot be read, or a line of it pins nothing.
    """
    try:
        lines = (folder / name).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(
            f"The lock {one_line(name)} cannot be read; `python -m deploy.bundle lock` writes it."
        ) from error
    return [_pin(line, name) for line in lines if line and not line.startswith("#")]


def lock_text(pins: Iterable[Pin], about: str) -> str:
    """A lock, sorted by name, under a sentence that says what it is for."""
    return "\n".join([f"# {about}", *sorted(pin.line() for pin in pins), ""])


def write_lock(name: str, pins: Iterable[Pin], about: str, folder: Path = LOCKS) -> None:
    """Writes a lock. Raises ResourceError where it cannot be written."""
    write_whole(folder / name, lock_text(pins, about).encode())
    (folder / name).chmod(0o644)  # for everyone, as a checkout's files are


def _pin(line: str, name: str) -> Pin:
    found = _LINE.fullmatch(line)
    if found is None:
        raise BadInputError(
            f"The lock {one_line(name)} has a line that pins nothing: {one_line(line, 80)}"
        )
    return Pin(canonicalize_name(found.group(1)), found.group(2), found.group(3))
