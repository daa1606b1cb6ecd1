"""Telling the kernel what to start for an arm64 program, for as long as the proof runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.errors import ResourceError
from deploy.bundle.tools import run

FOLDER: Final = Path("/proc/sys/fs/binfmt_misc")
NAME: Final = "bedside-arm64"
_MAGIC = (
    r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
)
"""An executable or library (type 2 or 3) for aarch64; the kernel reads the escapes itself."""


@contextmanager
def registered(starter: Path) -> Iterator[None]:
    """Inside, arm64 programs run; the kernel opens the starter now (F), so it works in any root.

    Raises:
        ResourceError: the kernel has no binfmt_misc, or another program is registered already.
    """
    mounted = not (FOLDER / "register").exists()
    if mounted:
        run(["mount", "-t", "binfmt_misc", "binfmt_misc", FOLDER], environment=os.environ)
    entry = FOLDER / NAME
    try:
        if entry.exists():  # of a proof that was killed
            entry.write_text("-1")
        (FOLDER / "register").write_text(f":{NAME}:M::{_MAGIC}:{starter}:F")
        try:
            yield
        finally:
            entry.write_text("-1")
    except OSError as error:
        raise ResourceError(
            f"The kernel did not take qemu for arm64 programs ({error.strerror}). "
            "Is this machine a container without that right?"
        ) from error
    finally:
        if mounted:
            run(["umount", FOLDER], environment=os.environ)
