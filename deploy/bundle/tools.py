"""Running the tools that a bundle is built with, each failure told in a sentence."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.errors import ResourceError, UsageError
from app.sanitise import clean, one_line

_SHOWN_LINES = 20


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    folder: Path | None = None,
    log: Path | None = None,
) -> str:
    """Runs a program to its end and returns what it wrote to stdout.

    Args:
        command: the program and its arguments.
        environment: all of it; nothing else is handed down.
        folder: where it runs; None is here.
        log: where both its outputs go instead, for those that write much.

    Raises:
        UsageError: it is not installed.
        ResourceError: it failed; the last lines that it wrote follow the sentence.
    """
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            [str(part) for part in command],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if log else subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError(
            f"{one_line(name)} is not installed. `sh deploy/bundle/packages.sh` says what the "
            "builder needs."
        ) from error
    if log is not None:
        log.write_text(done.stdout)
    if done.returncode:
        last = (done.stderr or done.stdout).splitlines()[-_SHOWN_LINES:]
        raise ResourceError(
            "\n".join([f"{one_line(name)} ended with {done.returncode}:", *map(clean, last)])
        )
    return done.stdout
