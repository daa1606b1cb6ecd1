"""One installation at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import UsageError
from app.files import disk_of
from app.releases.layout import Layout


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Nobody else installs, updates or removes anything meanwhile.

    Raises:
        UsageError: somebody does.
        ResourceError: the lock cannot be made.
    """
    with disk_of(layout.lock):
        layout.opt.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _taken() from error
        if not _is_at(descriptor, layout.lock):
            raise _taken()
        yield
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the file still has its name: an uninstallation that ended just now took it away, and
    the next one to come locks another file."""
    return path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())


def _taken() -> UsageError:
    return UsageError(
        "Another installation, update or rollback is at work. Wait until it has ended."
    )
