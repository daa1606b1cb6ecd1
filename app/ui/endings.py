"""What ends the chat from outside: signals, and a terminal that goes away."""

from __future__ import annotations

import asyncio
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.errors import INTERRUPTED

_SIGNALS = {
    signal.SIGINT: INTERRUPTED,
    signal.SIGTERM: 128 + signal.SIGTERM,
    signal.SIGHUP: 128 + signal.SIGHUP,
}
"""Signals that end the chat, with the exit code that shells expect."""


@contextmanager
def ending_from_outside(end: Callable[[int], None]) -> Iterator[None]:
    """Call `end` with an exit code when the chat is to end. Needs a running event loop.

    A terminal that goes away sends SIGHUP only to the session that it controls. Without it
    Textual's input thread reads the end of its input over and over and takes a whole core, so
    the hang-up itself is watched: an epoll that waits for no event still tells of that one.
    """
    loop = asyncio.get_running_loop()
    for number, code in _SIGNALS.items():
        loop.add_signal_handler(number, end, code)
    hang_up = select.epoll()
    if sys.stdin.isatty():
        hang_up.register(sys.stdin.fileno(), 0)
    loop.add_reader(hang_up.fileno(), end, _SIGNALS[signal.SIGHUP])
    try:
        yield
    finally:
        loop.remove_reader(hang_up.fileno())
        hang_up.close()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
