"""The kiosk in a real terminal, with a real engine: between two people nothing is left."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.app.ui.terminal import Terminal, run_in_terminal

F11 = b"\x1b[23~"
CLEARED = b"\x1b[3J"
PIN = "2468"


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    """The user's folders, and no setting of whoever runs the tests."""
    return {
        f"XDG_{kind}_HOME": str(home / kind.lower())
        for kind in ("CONFIG", "STATE", "CACHE", "DATA")
    }


def engines(pid: int) -> set[int]:
    """The processes that the kiosk has started."""
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}


def opened(terminal: Terminal) -> None:
    terminal.read_until("ready · ".encode(), seconds=60)


def wiped(terminal: Terminal) -> None:
    terminal.output = b""
    terminal.send(F11)
    terminal.read_until(b"again to finish")
    terminal.send(F11)
    terminal.read_until(CLEARED, seconds=30)


def test_a_wipe_begins_the_same_command_with_another_engine(
    environ: dict[str, str], nonsense_model: Path
) -> None:
    arguments = ("--kiosk", "--model", str(nonsense_model))
    with run_in_terminal("app", *arguments, environ=environ) as terminal:
        opened(terminal)
        process, first = psutil.Process(terminal.pid), engines(terminal.pid)
        command = process.cmdline()
        terminal.send(b"marzipan")
        terminal.read_until(b"n")
        for key in (b"\x11", b"\x1a", b"\x03\x03", b"\x10", b"\x1bOQ"):
            terminal.send(key)
            terminal.settle(0.2)
        assert process.is_running()
        assert b"Commands" not in terminal.output
        wiped(terminal)
        terminal.output = b""
        opened(terminal)
        assert process.is_running(), "the same process"
        assert process.cmdline()[1:] == command[1:]
        assert b"marzipan" not in terminal.output
        second = engines(terminal.pid)
        assert second
        assert not first & second
        assert not any(psutil.pid_exists(pid) for pid in first)


def test_it_comes_back_locked(environ: dict[str, str], nonsense_model: Path) -> None:
    arguments = ("--kiosk", "--model", str(nonsense_model))
    locked = {**environ, "BEDSIDE_UI__KIOSK_PIN": PIN}
    with run_in_terminal("app", *arguments, environ=locked) as terminal:
        for _ in range(2):
            terminal.read_until(b"Locked", seconds=60)
            terminal.settle(0.5)
            terminal.send(f"{PIN}\r".encode())
            terminal.read_until(b"ype your question", seconds=30)
            opened(terminal)
            wiped(terminal)
            terminal.output = b""
