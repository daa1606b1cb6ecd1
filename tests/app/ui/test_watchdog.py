"""systemd hears that the screen is drawn, that it moves, and nothing once it is frozen."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.seccomp import socket_filter
from app.ui.watchdog import Notifier
from tests.app.engine import tiny
from tests.app.ui.fakes import FakeAssistant
from tests.app.ui.helpers import chat_app, ready, wait_until
from tests.app.ui.terminal import run_in_terminal


class Systemd:
    """The socket that systemd listens on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[bytes] = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    def hear(self) -> list[bytes]:
        """All messages so far."""
        while True:
            try:
                self.heard.append(self.socket.recv(4096))
            except BlockingIOError:
                return self.heard


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    one = Systemd(tmp_path / "notify")
    yield one
    one.socket.close()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"NOTIFY_SOCKET": ""}, None),
        ({"NOTIFY_SOCKET": "vsock:2:9"}, None),
        ({"WATCHDOG_USEC": "30000000"}, None),
        ({"NOTIFY_SOCKET": "/run/n"}, Notifier("/run/n", None)),
        ({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "0"}, Notifier("/run/n", None)),
        ({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "soon"}, Notifier("/run/n", None)),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "30000000"}, Notifier("@n", 10.0)),
    ],
)
def test_it_speaks_only_where_systemd_asks(
    environ: dict[str, str], expected: Notifier | None
) -> None:
    assert Notifier.asked_for(environ) == expected


def test_an_abstract_socket_is_reached() -> None:
    name = f"bedside-test-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(f"\0{name}")
        there.settimeout(5)
        Notifier(f"@{name}", None).tell("READY=1")
        assert there.recv(100) == b"READY=1"


def test_nobody_there_is_no_defect(tmp_path: Path) -> None:
    Notifier(str(tmp_path / "gone"), None).tell("READY=1")


def test_a_full_socket_is_not_waited_for(systemd: Systemd) -> None:
    begun = time.monotonic()
    for _ in range(2000):  # more than the kernel queues
        Notifier(str(systemd.path), None).tell("WATCHDOG=1")
    assert time.monotonic() - begun < 5
    assert systemd.hear()


def test_a_screen_that_moves_tells_so_and_a_frozen_one_does_not(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(systemd.path))
    monkeypatch.setenv("WATCHDOG_USEC", "150000")
    asyncio.run(_moves_and_freezes(systemd))


async def _moves_and_freezes(systemd: Systemd) -> None:
    async with chat_app(FakeAssistant()).run_test() as pilot:
        await ready(pilot)
        await wait_until(pilot, lambda: systemd.hear().count(b"WATCHDOG=1") >= 3)
        assert systemd.heard[0] == b"READY=1"
        assert systemd.heard.count(b"READY=1") == 1
        systemd.hear().clear()
        time.sleep(0.4)  # the event loop stands still
        assert systemd.hear() == []
        await wait_until(pilot, lambda: b"WATCHDOG=1" in systemd.hear())


@pytest.mark.skipif(socket_filter() is None, reason="no filter is known for this machine")
def test_the_walls_around_the_screen_leave_this_way_open(systemd: Systemd, tmp_path: Path) -> None:
    model = str(tiny.write(tmp_path / "nonsense.gguf", tiny.Tiny(context=4096)))
    environ = {f"XDG_{kind}_HOME": str(tmp_path) for kind in ("CONFIG", "STATE", "CACHE", "DATA")}
    environ |= {"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "600000"}
    with run_in_terminal("app", "--model", model, environ=environ) as terminal:
        terminal.read_until(b"ready", seconds=40)
        terminal.settle_for(0.5)
        heard = systemd.hear()
    assert heard[0] == b"READY=1" and b"WATCHDOG=1" in heard
