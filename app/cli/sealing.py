"""What the process with the screen gives up before a conversation begins."""

from __future__ import annotations

from app.engine.isolation import give_up_network, give_up_privileges


def seal() -> str:
    """No core file, no new privileges, no socket to another machine; says what holds the last.

    It cannot be taken back, so only the commands that converse call it, and first of all: threads
    that ran already would keep what they have.
    """
    give_up_privileges()
    return give_up_network(namespace=False)
