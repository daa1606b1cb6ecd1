"""The passages that an answer leans on, one at a time, each with where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from app.knowledge.passage import Passage
from app.sanitise import clean, one_line
from app.ui.commands import PageDown, PageUp, ShowSources
from app.ui.screens.dialog import Dialog
from app.ui.widgets.markdown import AnswerMarkdown
from app.ui.widgets.sources import review

_DIGITS = "123456789"


class SourcesScreen(Dialog[None]):
    """Digits and arrows choose a passage. An address is text: nothing here opens a browser."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(f"{ShowSources.keys},q,enter", "close", "Close", priority=True),
        Binding("right,n", "step(1)", "Next", priority=True),
        Binding("left,p", "step(-1)", "Previous", priority=True),
        Binding(f"{PageUp.keys},up", "scroll(-1)", "Up", priority=True),
        Binding(f"{PageDown.keys},down", "scroll(1)", "Down", priority=True),
        *(Binding(digit, f"open({digit})", "Open", priority=True) for digit in _DIGITS),
    ]

    DEFAULT_CSS = """
    SourcesScreen #box { scrollbar-size-vertical: 1; }
    SourcesScreen .head { color: $quiet; margin-bottom: 1; }
    SourcesScreen .title { text-style: bold; }
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        super().__init__()
        self._passages = passages
        self._index = 0
        self._title = Static(classes="title", markup=False)
        self._head = Static(classes="head", markup=False)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box", can_focus=False) as box:
            box.border_subtitle = "← → another one, Esc closes"
            yield self._title
            yield self._head

    async def on_mount(self) -> None:
        await self._show()

    async def action_step(self, step: int) -> None:
        """Open the next or the previous passage, round and round."""
        self._index = (self._index + step) % len(self._passages)
        await self._show()

    async def action_open(self, number: int) -> None:
        """Open a passage by the number that the answer gives it."""
        if number <= len(self._passages):
            self._index = number - 1
            await self._show()

    def action_scroll(self, direction: int) -> None:
        """Move within a long passage."""
        box = self.query_one("#box")
        box.scroll_relative(y=direction * max(1, box.size.height - 2), animate=False)

    async def _show(self) -> None:
        box, passage = self.query_one("#box"), self._passages[self._index]
        box.border_title = f"Source {self._index + 1} of {len(self._passages)}"
        self._title.update(one_line(passage.title))
        self._head.update("\n".join(passage_head(passage)))
        await box.remove_children(AnswerMarkdown)
        await box.mount(AnswerMarkdown(clean(passage.text)))
        box.scroll_home(animate=False)


def passage_head(passage: Passage) -> list[str]:
    """Where a passage comes from, a line for each thing that is known."""
    lines = [
        f"Source: {one_line(passage.source) or 'not known'}",
        one_line(passage.url),
        f"Date: {one_line(passage.date) or 'not known'}",
        f"Licence: {one_line(passage.licence) or 'not known'}",
        review(passage),
    ]
    return [line for line in lines if line]
