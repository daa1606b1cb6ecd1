"""The characters of a console font: `python -m tests.deploy.psf FONT.psf.gz` prints its ranges.

Debian's package console-setup-linux has the fonts in /usr/share/consolefonts; none is kept here.
Both forms of the file are described in linux/Documentation and kbd's doc/font-formats.
"""

from __future__ import annotations

import gzip
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_OLD_MAGIC, _NEW_MAGIC = b"\x36\x04", b"\x72\xb5\x4a\x86"
_OLD_END, _OLD_SEQUENCE = 0xFFFF, 0xFFFE


def characters(path: Path) -> set[str]:
    """All characters that have a shape of their own; sequences of several are left out.

    Raises:
        ValueError: the file is no PSF font, or has no table of characters.
    """
    raw = path.read_bytes()
    font = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    if font[:2] == _OLD_MAGIC:
        return _old(font)
    if font[:4] == _NEW_MAGIC:
        return _new(font)
    raise ValueError(f"{path.name} is no PSF font")


def _old(font: bytes) -> set[str]:
    mode, height = font[2], font[3]
    if not mode & 0x06:
        raise ValueError("the font has no table of characters")
    table = font[4 + (512 if mode & 1 else 256) * height :]
    points = [point for (point,) in struct.iter_unpack("<H", table[: len(table) // 2 * 2])]
    found, in_sequence = set(), False
    for point in points:
        if point in (_OLD_END, _OLD_SEQUENCE):
            in_sequence = point == _OLD_SEQUENCE
        elif not in_sequence:
            found.add(chr(point))
    return found


def _new(font: bytes) -> set[str]:
    _, _, header, flags, count, size, _, _ = struct.unpack_from("<8I", font)
    if not flags & 1:
        raise ValueError("the font has no table of characters")
    entries = font[header + count * size :].split(b"\xff")
    return {one for entry in entries for one in entry.split(b"\xfe")[0].decode("utf-8")}


def ranges(found: Iterable[str]) -> str:
    """`20-7E A0 2500-257F`, in order."""
    spans: list[tuple[int, int]] = []
    for point in sorted(map(ord, found)):
        if spans and spans[-1][1] == point - 1:
            spans[-1] = spans[-1][0], point
        else:
            spans.append((point, point))
    return " ".join(f"{a:X}" if a == b else f"{a:X}-{b:X}" for a, b in spans)


if __name__ == "__main__":
    print(ranges(characters(Path(sys.argv[1]))))
