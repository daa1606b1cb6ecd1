"""Keeps what the console's font cannot draw off the screen, whoever wanted to draw it."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

from app.glyphs import characters, stand_in

_JOINED = re.compile("\u200d.")
"""What is joined to an emoji shares its cells."""


class FontFilter(LineFilter):
    """Puts a stand-in in the place of each character that the font lacks.

    It sees every line on its way to the terminal, Textual's own borders and scroll bars too. Lines
    are laid out by then, so a text keeps its width; `AnswerMarkdown` has spelled out before what
    would need more room.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with their texts fitted."""
        return [
            segment if segment.text.isascii() else Segment(_fitted(segment.text), *segment[1:])
            for segment in segments
        ]


def has_poor_font(app: App[Any]) -> bool:
    """Whether the app draws for the console's font."""
    return any(isinstance(one, FontFilter) for one in app.get_line_filters())


def _fitted(text: str) -> str:
    if characters().issuperset(text):
        return text
    alone = _JOINED.sub("", unicodedata.normalize("NFC", text))
    drawn = "".join(f"{stand_in(one):<{cell_len(one)}}" for one in alone)
    return set_cell_size(drawn, cell_len(text))
