"""Telling the kernel what to start for an arm64 program, for as long as the proof runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.bundle.tools import run

NAME: Final = "bedside-arm64"
_FOLDER = "/proc/sys/fs/binfmt_misc"
_MAGIC = (
    r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
)
"""An executable or library (type 2 or 3) for aarch64; the kernel reads the escapes itself."""

_MOUNTED = f"cd {_FOLDER}; [ -e register ] || {{ mount -t binfmt_misc none . && cd {_FOLDER}; }}"
"""Where the kernel is told, mounted for one shell alone, so that it need not be unmounted."""
_FORGET = f'{_MOUNTED}; [ ! -e "$0" ] || echo -1 >"$0"'


@contextmanager
def registered(starter: Path) -> Iterator[None]:
    """Inside, arm64 programs run; the kernel opens the starter now (F), so it works in any root.

    Raises:
        ResourceError: the kernel does not take it: it may be a container's, without that right.
    """
    _tell(_FORGET)  # what a proof that was killed has left
    _tell(f'{_MOUNTED}; printf %s "$1" >register', f":{NAME}:M::{_MAGIC}:{starter}:F")
    try:
        yield
    finally:
        _tell(_FORGET)


def _tell(script: str, *arguments: str) -> None:
    """Runs a script with mounts of its own; `$0` is the name of the entry."""
    shell = ["unshare", "--mount", "sh", "-eu", "-c", script, NAME, *arguments]
    run(shell, environment=os.environ)
