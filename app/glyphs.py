"""What the kiosk's console font can draw, and what stands for a character that it cannot.

A console font holds 512 shapes. A sign that it lacks shows as a diamond, and a superscript that
fell away would be a wrong number: 10⁹ must never read 109.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

FONT = "Uni2-Terminus"
"""Debian's console-setup has it in eight sizes, all with the same characters."""

OWN = "─│┃┼╭╮╰╯•·–…▲█“”←→°"
"""What the screens draw by themselves besides ASCII; a test holds this list to what they draw."""

_POINTS = """
20-7E A0-113 116-127 12A-12B 12E-131 134-137 139-13E 141-148 14C-14D 150-165 16A-17E 192 218-21B
2C6-2C7 2C9 2D8-2D9 2DB-2DD 384-386 388-38A 38C 38E-3A1 3A3-3CE 3F3-3F4 400-45F 490-491 4AE 4D0-4D1
1E40-1E41 2000-200A 2010-201A 201C-201E 2020-2022 2026 202F-2030 2032-2033 2039-203A 203C 207F 20A7
20AC 20AE 2116 2122 2126 212A-212B 2190-2195 21A8 21B5 21D0-21D5 2205-2206 2208 2212 2219-221A
221E-221F 2227-222A 2248 2260-2261 2264-2265 226A-226B 2295-2296 2298-2299 229B-229C 2302 2310
2320-2321 2460-2468 24B6-24EA 2500-257F 2588 2591-2592 25A0 25AE 25B2 25B4 25B6 25B8 25BC 25BE 25C0
25C2 25C8 25CF 2610-2612 263A-263C 2666 2717-2718 2BBD FFFD
"""
"""The font's own table: `python -m tests.deploy.psf Uni2-Terminus32x16.psf.gz` prints it."""

UNKNOWN = "\ufffd"

_ALIKE = dict(zip("✓✔✅❌○◦□▢▪▫‣➜➔ʼ∕⚠▁▂▃▄▅▆▇▀▓", "√√√✗ooo☐••▸→→’/!___▒▒███▒", strict=True))
_NO_CELL = ("Mn", "Me", "Cf")
_SHADES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_SUPERSCRIPTS = re.compile("[\u2070-\u207f\u00b9\u00b2\u00b3]+")


@cache
def characters() -> frozenset[str]:
    """All that the font can draw."""
    ranges = [[int(end, 16) for end in part.split("-")] for part in _POINTS.split()]
    return frozenset(chr(point) for ends in ranges for point in range(ends[0], ends[-1] + 1))


def spelled_out(text: str) -> str:
    """The text with what the font lacks written in more characters: `10^9`, `1 1/3`, `°C`.

    It may grow, so it is for text that has not been laid out yet.
    """
    if text.isascii() or characters().issuperset(text):
        return text
    text = _SUPERSCRIPTS.sub(_raised, text)
    pieces: list[str] = []
    for character in text:
        piece = _spelled(character)
        if piece != character and "/" in piece and pieces and pieces[-1][-1:].isdigit():
            piece = f" {piece}"  # one and a third is not eleven thirds
        pieces.append(piece)
    return "".join(pieces)


@lru_cache(1024)
def stand_in(character: str) -> str:
    """One character of the font for one that it may lack; `UNKNOWN` where none means the same.

    Nothing for what stands on no cell of its own: accents, joiners, shades of an emoji.
    """
    if character in characters():
        return character
    if unicodedata.category(character) in _NO_CELL or character in _SHADES:
        return ""
    if character in _ALIKE:
        return _ALIKE[character]
    if "<super>" in unicodedata.decomposition(character):
        return UNKNOWN
    plain = unicodedata.normalize("NFKD", character)
    known = len(plain) == 1 or all(map(unicodedata.combining, plain[1:]))
    return plain[0] if plain and known and plain[0] in characters() else UNKNOWN


def _raised(run: re.Match[str]) -> str:
    if characters().issuperset(run[0]):
        return run[0]
    return "^" + unicodedata.normalize("NFKC", run[0]).replace("−", "-")


def _spelled(character: str) -> str:
    if character in characters():
        return character
    plain = unicodedata.normalize("NFKC", character).replace("\u2044", "/")
    return plain if characters().issuperset(plain) else character
