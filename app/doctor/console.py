"""Asks the Linux console which characters its font can draw (GIO_UNIMAP of console_ioctl(2))."""

from __future__ import annotations

import os
import struct
from array import array

from app.monitor.devices import Devices

_GIO_UNIMAP = 0x4B66
_DESCRIPTION = struct.Struct("@HxxxxxxP")
"""`struct unimapdesc` where a pointer has 64 bits: how many pairs, and where they go."""
_MOST = 65535


def loaded_font(devices: Devices, path: str) -> frozenset[str] | None:
    """The characters of a console's font; None where this is no console, or not ours to ask.

    Args:
        devices: the machine.
        path: of the console, relative to the root: `dev/tty1`, or `dev/tty` for one's own.
    """
    pairs = array("H", bytes(4 * _MOST))  # a character, and the shape that it has
    request = bytearray(_DESCRIPTION.pack(_MOST, pairs.buffer_info()[0]))
    try:
        descriptor = os.open(devices.root / path, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        devices.control(descriptor, _GIO_UNIMAP, request)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    count = _DESCRIPTION.unpack(request)[0]
    return frozenset(map(chr, pairs[0 : 2 * count : 2]))
