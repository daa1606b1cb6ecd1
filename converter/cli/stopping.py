"""What a person reads who pressed Ctrl-C."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import typer


@contextlib.contextmanager
def told_when_stopped(sentence: str) -> Iterator[None]:
    """Say on stderr what became of the work when the block is interrupted, and go on ending."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(sentence, err=True)
        raise
