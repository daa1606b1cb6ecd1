"""An answer's Markdown while it grows: one widget, laid out anew with each piece."""

from __future__ import annotations

from textual.content import Content
from textual.css.styles import RulesMap
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widgets import Static

from app.glyphs import spelled_out
from app.ui.console import has_poor_font
from app.ui.inert import UNDECIDED_LINE, InertParser
from app.ui.layout import lay_out


class MarkdownVisual(Visual):
    """Parsed Markdown that can be drawn at any width."""

    def __init__(self, text: str) -> None:
        self._tokens = InertParser().parse(text)
        self._laid_out: tuple[int, Content] = (0, Content())

    def at(self, width: int) -> Content:
        """The text laid out for a width; kept for the frames that follow."""
        if self._laid_out[0] != width:
            self._laid_out = width, Content("\n").join(lay_out(self._tokens, width))
        return self._laid_out[1]

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        """The rows of the screen."""
        return self.at(width).render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """All there is: text fills its lines."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        """How many rows it takes."""
        return self.at(width).get_height(rules, width) if self._tokens else 0


class AnswerMarkdown(Static):
    """Markdown that grows by `write` and does nothing but show text.

    The beginning of a line is held back until it says what the line is; drawn at once, a list
    after a paragraph would flicker as a heading's underline.
    """

    def __init__(self, text: str = "") -> None:
        self._markdown = MarkdownVisual(text)
        super().__init__(self._markdown, markup=False)
        self._text = text

    def on_mount(self) -> None:
        if not self._text.isascii() and has_poor_font(self.app):
            self._show(self._text)  # only now is it known what the terminal can draw

    def write(self, piece: str) -> None:
        """Show more of the text."""
        self._text += piece
        line = self._text.rfind("\n") + 1
        undecided = UNDECIDED_LINE.fullmatch(self._text, line)
        self._show(self._text[:line] if undecided else self._text)

    def finish(self) -> None:
        """Show what was held back: nothing more will come."""
        self._show(self._text)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected part of the text as it stands on the screen."""
        return selection.extract(self._markdown.at(self.size.width).plain), "\n"

    def _show(self, text: str) -> None:
        self._markdown = MarkdownVisual(spelled_out(text) if has_poor_font(self.app) else text)
        if self.size.width:
            self._markdown.at(self.size.width)  # here, where the pace of drawing measures it
        self.update(self._markdown)
