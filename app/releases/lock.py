"""One installation at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import UsageError
from app.files import disk_of
from app.releases.layout import Layout


@contextmanager
def locked(layout: Layout, descriptor: int | None = None) -> Iterator[None]:
    """Nobody else installs, updates or removes anything meanwhile.

    Args:
        layout: where.
        descriptor: of the lock's file, where a caller holds it already: `install.sh`, which hands
            over without letting go.

    Raises:
        UsageError: somebody does.
        ResourceError: the lock cannot be made.
    """
    with disk_of(layout.lock):
        if descriptor is None:
            layout.opt.mkdir(mode=0o755, parents=True, exist_ok=True)
            descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.set_inheritable(descriptor, False)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                "Another installation, update or rollback is at work. Wait until it has ended."
            ) from error
        yield
    finally:
        os.close(descriptor)
