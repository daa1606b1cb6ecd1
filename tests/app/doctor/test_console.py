"""The font's characters through the ioctl of a console, which a function stands in for."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from pathlib import Path

import pytest

from app.doctor.console import loaded_font
from app.monitor.devices import Devices


def console(root: Path, characters: str) -> Devices:
    """A console whose font has these."""
    (root / "dev").mkdir()
    (root / "dev/tty").touch()

    def control(_descriptor: int, request: int, buffer: bytearray) -> None:
        assert request == 0x4B66
        room, address = struct.unpack("@HxxxxxxP", buffer)
        assert room >= len(characters)
        pairs = b"".join(struct.pack("HH", ord(one), at) for at, one in enumerate(characters))
        ctypes.memmove(address, pairs, len(pairs))
        struct.pack_into("H", buffer, 0, len(characters))

    return Devices(root, control=control)


def refuse(_descriptor: int, _request: int, _buffer: bytearray) -> None:
    raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))


def test_the_characters_are_read(tmp_path: Path) -> None:
    assert loaded_font(console(tmp_path, "Aß╭"), "dev/tty") == frozenset("Aß╭")


def test_what_is_no_console_tells_nothing(tmp_path: Path) -> None:
    devices = console(tmp_path, "A")
    assert loaded_font(devices, "dev/tty9") is None
    assert loaded_font(Devices(tmp_path, control=refuse), "dev/tty") is None


@pytest.mark.skipif(not os.access("/dev/tty1", os.R_OK), reason="no console that may be asked")
def test_a_real_console_has_letters() -> None:
    found = loaded_font(Devices(), "dev/tty1")
    assert found is None or set("AZaz09") <= found
