"""The frame of the SVG pictures, drawn by hand: a plotting library would outweigh what it draws."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

GREY, BLUE, GREEN, RED = "#555555", "#0072b2", "#009e73", "#d55e00"
"""Of Okabe and Ito, which people who confuse red and green can tell apart."""


def picture(title: str, width: int, height: int, parts: Iterable[str], *, left: int = 70) -> str:
    """A picture of elements on white, with its title above them from `left` on."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{left}" y="20" font-size="14">{escape(title)}</text>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
