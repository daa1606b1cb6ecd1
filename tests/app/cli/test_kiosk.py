"""The kiosk in a real terminal, with a real engine: between two people nothing is left."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from app.cli import root
from app.config import load_config
from app.ui.pin import Pin
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


def test_a_pin_is_set_at_a_terminal_and_the_settings_keep_a_hash(
    environ: dict[str, str], home: Path
) -> None:
    settings = home / "config" / "bedside" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('# Ward 3\n[ui]\nkiosk_pin = "1111"\nmode = "clinician"\n')
    assert typed_at("kiosk", "pin", environ=environ, first=PIN, second=PIN) == 0
    text = settings.read_text()
    assert text.startswith('# Ward 3\n[ui]\nkiosk_pin_hash = "scrypt:14:')
    assert text.endswith('"\nmode = "clinician"\n')
    assert "1111" not in text
    assert typed_at("kiosk", "pin", environ=environ, first=PIN, second="8642") == 2
    assert typed_at("kiosk", "pin", environ=environ, first="12", second=None) == 2
    assert settings.read_text() == text
    hashed = Pin.read(str(load_config(settings, {}).ui.kiosk_pin_hash))
    assert hashed.fits(PIN) and not hashed.fits("1111")


def typed_at(*arguments: str, environ: dict[str, str], first: str, second: str | None) -> int:
    """Set a PIN; nothing of what is typed comes back. The exit code."""
    with run_in_terminal("app", *arguments, environ=environ) as terminal:
        terminal.read_until(b"New PIN: ")
        terminal.send(f"{first}\n".encode())
        if second is not None:
            terminal.read_until(b"once more: ")
            terminal.send(f"{second}\n".encode())
        code = os.waitstatus_to_exitcode(terminal.wait())
        assert first.encode() not in terminal.output
        return code


def test_a_pipe_is_no_place_for_a_pin() -> None:
    done = CliRunner().invoke(root, ["kiosk", "pin"], input=f"{PIN}\n{PIN}\n")
    assert done.exit_code == 2 and "at a terminal only" in done.stderr


def test_a_pin_can_be_taken_away(home: Path) -> None:
    settings = home / "own.toml"
    settings.write_text('[ui]\nkiosk_pin = "1111"\n')
    done = CliRunner().invoke(root, ["--config", str(settings), "kiosk", "pin", "--remove"])
    assert (done.exit_code, settings.read_text()) == (0, "[ui]\n"), done.output


def test_root_makes_no_settings_that_the_kiosk_cannot_read(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    services = home / "etc" / "config.toml"
    done = CliRunner().invoke(root, ["--config", str(services), "kiosk", "pin", "--remove"])
    assert done.exit_code == 2 and "install -m 640 -g bedside" in done.stderr
    assert not services.parent.exists()
    done = CliRunner().invoke(root, ["kiosk", "pin", "--remove"])
    assert done.exit_code == 0, "root's own kiosk, as in a container"


def test_a_new_pin_has_no_wrong_ones_yet(
    environ: dict[str, str], home: Path, nonsense_model: Path
) -> None:
    """Whoever sets it may be root, whose own state is not the kiosk's."""
    noted = {"wrong": 9, "boot": "", "at": 0.0, "pin": Pin.of("1111").salt.hex()}
    path = home / "state" / "bedside" / "kiosk-pin.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(noted))
    locked = {**environ, "BEDSIDE_UI__KIOSK_PIN_HASH": str(Pin.of(PIN))}
    with run_in_terminal(
        "app", "--kiosk", "--model", str(nonsense_model), environ=locked
    ) as terminal:
        terminal.read_until(b"Locked", seconds=60)
        terminal.settle(0.5)
        terminal.send(f"{PIN}\r".encode())
        terminal.read_until(b"ype your question", seconds=30)


def test_a_kill_does_not_shorten_the_wait(environ: dict[str, str], nonsense_model: Path) -> None:
    arguments = ("--kiosk", "--model", str(nonsense_model))
    locked = {**environ, "BEDSIDE_UI__KIOSK_PIN_HASH": str(Pin.of(PIN))}
    with run_in_terminal("app", *arguments, environ=locked) as terminal:
        terminal.read_until(b"Locked", seconds=60)
        terminal.settle(0.5)
        for seconds in (b"Wait 1", b"Wait 2", b"Wait 4"):
            terminal.send(b"1111\r")
            terminal.read_until(seconds, seconds=30)
            if seconds != b"Wait 4":
                terminal.output = b""
                terminal.read_until(b"again", seconds=30)
        os.kill(terminal.pid, signal.SIGKILL)
    with run_in_terminal("app", *arguments, environ=locked) as terminal:
        terminal.read_until(b"Too many wrong PINs", seconds=60)
