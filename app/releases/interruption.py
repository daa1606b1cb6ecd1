"""What a hang-up or a call to end does to an act that is half done: what Ctrl-C does."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, the first signal to end is a KeyboardInterrupt and all later ones are ignored.

    By itself SIGTERM ends Python at once, and so does SIGHUP when a terminal goes away: the service
    would stay stopped. And an impatient second Ctrl-C would end the putting back. Programs that are
    called then ignore them as well.

    Raises:
        KeyboardInterrupt: a signal came.
    """
    heard = [one for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]  # nohup

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for one in heard:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in heard}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
