"""Tells systemd that the screen is alive, so that a frozen one is ended and begun anew.

The protocol is sd_notify(3): a datagram with `NAME=value` to the path in `NOTIFY_SOCKET`. It is
spoken only where systemd asks for it, and the socket is of this machine's own family, which the
walls around the screen's process leave open.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.app import App

_PINGS = 3
"""Signs of life within systemd's patience: two may be late, and the third still counts."""


@dataclass(frozen=True, slots=True)
class Notifier:
    """The way to systemd."""

    address: str
    """A path, or `@` and the name of an abstract socket."""
    every_s: float | None
    """Seconds between two signs of life; None where systemd wants none."""

    @classmethod
    def asked_for(cls, environ: Mapping[str, str]) -> Notifier | None:
        """What the environment asks for; None where nobody listens.

        WATCHDOG_PID is not looked at: in a terminal emulator it names that, and the unit decides
        whom it listens to (NotifyAccess).
        """
        address = environ.get("NOTIFY_SOCKET", "")
        if address[:1] not in ("/", "@"):
            return None
        patience_us = environ.get("WATCHDOG_USEC", "")
        wanted = patience_us.isascii() and patience_us.isdigit() and int(patience_us) > 0
        return cls(address, int(patience_us) / 1e6 / _PINGS if wanted else None)

    def tell(self, message: str) -> None:
        """Send one message, without waiting: a screen that waits for systemd would stand still."""
        target = self.address.replace("@", "\0", 1) if self.address[0] == "@" else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
            way.setblocking(False)
            with suppress(OSError):  # it is not there or does not read; the next one may arrive
                way.sendto(message.encode(), target)


def begin(app: App[Any], environ: Mapping[str, str]) -> None:
    """Say once that the screen is drawn, then again and again that it still moves.

    Both go through the app's own queue of messages, and not through a thread: a thread would call
    a frozen screen alive.
    """
    notifier = Notifier.asked_for(environ)
    if notifier is not None:
        app.call_after_refresh(_begin, app, notifier)


def _begin(app: App[Any], notifier: Notifier) -> None:
    notifier.tell("READY=1")
    if notifier.every_s is not None:
        app.set_interval(notifier.every_s, partial(notifier.tell, "WATCHDOG=1"))
