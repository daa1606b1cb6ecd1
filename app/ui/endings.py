"""What ends the chat from outside: signals, and a terminal that goes away."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.errors import INTERRUPTED

_SIGNALS = {
    signal.SIGINT: INTERRUPTED,
    signal.SIGTERM: 128 + signal.SIGTERM,
    signal.SIGHUP: 128 + signal.SIGHUP,
}
"""Signals that end the chat, with the exit code that shells expect."""
GRACE_S = 10.0
"""How long an orderly end may take once the terminal has gone. Nobody sees the screen any more, but
the memory of a model is still held for it."""


@contextmanager
def ending_from_outside(end: Callable[[int], None]) -> Iterator[None]:
    """Call `end` with an exit code when the chat is to end. Needs a running event loop.

    A terminal that goes away sends SIGHUP only to the session that it controls. Without it
    Textual's input thread reads the end of its input over and over and takes a whole core, so
    the hang-up itself is watched: an epoll that waits for no event still tells of that one. Should
    the orderly end then stand still, the process ends all the same after `GRACE_S`.
    """
    loop = asyncio.get_running_loop()
    last_word = threading.Timer(GRACE_S, os._exit, (_SIGNALS[signal.SIGHUP],))
    last_word.daemon = True

    hang_up = select.epoll()

    def deserted(code: int) -> None:
        """Once: the hang-up lasts, and would be told again in every round of the loop."""
        if loop.remove_reader(hang_up.fileno()):
            last_word.start()
            end(code)

    for number, code in _SIGNALS.items():
        loop.add_signal_handler(number, deserted if number == signal.SIGHUP else end, code)
    if sys.stdin.isatty():
        hang_up.register(sys.stdin.fileno(), 0)
    loop.add_reader(hang_up.fileno(), deserted, _SIGNALS[signal.SIGHUP])
    try:
        yield
    finally:
        loop.remove_reader(hang_up.fileno())
        hang_up.close()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
