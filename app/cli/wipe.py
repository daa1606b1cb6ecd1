"""Begins the kiosk anew: nothing of the last conversation outlives the process that held it."""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Callable

from app.errors import ResourceError

_CLEAR = "\x1b[H\x1b[2J\x1b[3J"
"""Home, clear the screen, clear what can be scrolled back to."""


def begin_anew(execute: Callable[[str, list[str]], object] = os.execv) -> None:
    """Replace this process by the same command. The engine must have ended before.

    Memory that Python has let go of may still hold words; a new program in its place does not.
    Keys that were typed meanwhile were not meant for the next person and are thrown away.

    Raises:
        ResourceError: the system cannot start the program again.
    """
    sys.stdout.write(_CLEAR)
    sys.stdout.flush()
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    try:
        execute(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    except OSError as error:
        raise ResourceError(
            f"The kiosk was wiped and cannot begin anew ({error.strerror}). Start it again."
        ) from error
