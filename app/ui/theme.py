"""Colours and glyphs that every terminal has, down to the Linux console.

The console has 16 colours and a font without half blocks, so no border but round, heavy and the
plain line is used, and a scroll bar is made of whole cells (`notes/textual.md` 4.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.scrollbar import ScrollBarRender
from textual.theme import Theme

TRUE_COLOUR = Theme(
    name="bedside",
    primary="#5fb3a1",
    secondary="#7aa2c9",
    warning="#e0b060",
    error="#e07070",
    success="#7fc98f",
    accent="#5fb3a1",
    foreground="#dfe5e6",
    background="#12181b",
    surface="#12181b",
    panel="#1b2429",
    variables={
        "quiet": "#8fa1a8",
        "scrollbar": "#4a5c64",
        "scrollbar-hover": "#5fb3a1",
        "scrollbar-active": "#5fb3a1",
        "scrollbar-background": "#12181b",
        "scrollbar-background-hover": "#12181b",
        "scrollbar-background-active": "#12181b",
        "footer-background": "#1b2429",
        "input-cursor-background": "#dfe5e6",
        "input-cursor-foreground": "#12181b",
    },
)

SIXTEEN_COLOURS = Theme(
    name="bedside-console",
    ansi=True,
    primary="ansi_cyan",
    secondary="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    accent="ansi_cyan",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        "quiet": "ansi_default",
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "border": "ansi_cyan",
        "border-blurred": "ansi_white",
        "scrollbar": "ansi_white",
        "scrollbar-hover": "ansi_cyan",
        "scrollbar-active": "ansi_cyan",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "scrollbar-corner-color": "ansi_default",
        "input-cursor-background": "ansi_default",  # Textual reverses it
        "input-cursor-foreground": "ansi_default",
        "input-cursor-text-style": "none",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_cyan",
        "input-selection-background": "ansi_cyan",
        "input-selection-foreground": "ansi_black",
        "screen-selection-background": "ansi_cyan",
        "screen-selection-foreground": "ansi_black",
    },
)


class WholeCellScrollBar(ScrollBarRender):
    """A scroll bar whose ends are whole cells: the font lacks the eighths that Textual draws."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]


def few_colours(environ: Mapping[str, str]) -> bool:
    """Whether to draw in the terminal's own 16 colours.

    True for the Linux console and old terminals, and with NO_COLOR, where the user's own
    foreground and background are the most readable.
    """
    if "NO_COLOR" in environ:
        return True
    if environ.get("COLORTERM", "") in {"truecolor", "24bit"}:
        return False
    return "256color" not in environ.get("TERM", "")
