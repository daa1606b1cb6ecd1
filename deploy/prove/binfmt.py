"""Telling the kernel what to start for an arm64 program, for as long as the proof runs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.errors import ResourceError
from app.sanitise import one_line

NAME: Final = "bedside-arm64"
_MAGIC = (
    r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
)
"""An executable or library (type 2 or 3) for aarch64; the kernel reads the escapes itself."""

_KEEP = """
trap '' INT TERM
folder=/proc/sys/fs/binfmt_misc
[ -e $folder/register ] || mount -t binfmt_misc none $folder
cd $folder
[ ! -e "$0" ] || echo -1 >"$0"
printf %s "$1" >register
echo ready
cat
echo -1 >"$0"
"""
"""A shell with mounts of its own that keeps the entry until its input ends: also when the proof is
killed. A newer kernel forgets every entry with the last mount, so somebody must hold it."""


@contextmanager
def registered(starter: Path) -> Iterator[None]:
    """Inside, arm64 programs run; the kernel opens the starter now (F), so it works in any root.

    Raises:
        ResourceError: the kernel does not take it: it may be a container's, without that right.
    """
    entry = f":{NAME}:M::{_MAGIC}:{starter}:F"
    keeper = subprocess.Popen(
        ["unshare", "--mount", "sh", "-eu", "-c", _KEEP, NAME, entry],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with keeper:  # which ends its input and waits for it
        if keeper.stdout is None or keeper.stdout.readline() != "ready\n":
            said = keeper.stderr.read() if keeper.stderr else ""
            raise ResourceError(f"The kernel did not take qemu for arm64: {one_line(said)}")
        yield
