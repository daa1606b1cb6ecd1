"""What the process with the screen gives up before a conversation begins."""

from __future__ import annotations

import os

from app.engine.isolation import give_up_network, give_up_privileges

_SEALED = "SEALED_BY_BEDSIDE"
"""Set for the program that takes this process over: the kiosk wipes itself by beginning anew, and
the walls stand already. Each filter more would cost a little at every system call."""


def seal() -> str:
    """No core file, no new privileges, no socket to another machine; says what holds the last.

    It cannot be taken back, so only the commands that converse call it, and first of all: threads
    that ran already would keep what they have.
    """
    give_up_privileges()
    if os.environ.get(_SEALED) != str(os.getpid()):
        os.environ[_SEALED] = str(os.getpid())
        return give_up_network(namespace=False)
    return "the walls of the program before this one"
