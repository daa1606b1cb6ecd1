"""The list of characters that ships against the font of Debian, and the reader against a font."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest

from app import glyphs
from tests.deploy import psf

FONTS = Path("/usr/share/consolefonts")


def _old() -> bytes:
    table = [0x41, 0xFFFF, 0x2500, 0x2501, 0xFFFE, 0x65, 0x301, 0xFFFF] + [0xFFFF] * 254
    return b"\x36\x04\x02\x10" + bytes(256 * 16) + struct.pack(f"<{len(table)}H", *table)


def _new() -> bytes:
    head = struct.pack("<8I", 0x864AB572, 0, 32, 1, 2, 16, 16, 8)
    return head + bytes(2 * 16) + "A\ufffe".encode()[:1] + b"\xff" + "─━".encode() + b"\xfee\xff"


@pytest.mark.parametrize("font", [_old(), _new(), gzip.compress(_old())])
def test_both_forms_are_read_and_sequences_left_out(tmp_path: Path, font: bytes) -> None:
    path = tmp_path / "font.psf"
    path.write_bytes(font)
    assert psf.characters(path) == {"A", "─", "━"}


@pytest.mark.parametrize("font", [b"", b"GIF89a", b"\x36\x04\x00\x10" + bytes(4096)])
def test_what_is_no_font_with_a_table_is_refused(tmp_path: Path, font: bytes) -> None:
    path = tmp_path / "font.psf"
    path.write_bytes(font)
    with pytest.raises(ValueError, match="font"):
        psf.characters(path)


def test_ranges() -> None:
    assert psf.ranges("cab\u2500") == "61-63 2500"
    assert psf.ranges(glyphs.characters()) == " ".join(glyphs._POINTS.split())


@pytest.mark.parametrize("size", ["16", "24x12", "28x14", "32x16"])
def test_debians_font_has_what_the_list_says(size: str) -> None:
    path = FONTS / f"{glyphs.FONT}{size}.psf.gz"
    if not path.exists():
        pytest.skip("console-setup-linux is not installed")
    assert psf.characters(path) == glyphs.characters()
