"""One answer of the model: its Markdown as it grows, and what the screen says about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static

from app.assistant.notices import DEMONSTRATION
from app.sanitise import clean
from app.ui.pace import FlushPace
from app.ui.widgets.markdown import AnswerMarkdown


@dataclass(slots=True)
class AnswerText:
    """An answer as the transcript keeps it, to draw it again when its widget is gone."""

    text: str = ""
    mark: str = ""
    """What the screen says below it: stopped, cut, failed; empty for a whole answer."""
    failed: bool = False
    notes: list[str] = field(default_factory=list)
    """Sentences of the assistant about this turn."""


class Answer(Vertical):
    """Draws an answer in batches, so that a growing list leaves time for the keys."""

    DEFAULT_CSS = """
    Answer {
        height: auto;
        padding: 0 1 0 2;
        Static { height: auto; }
        .note, .mark { color: $quiet; }
        .mark.-failed { color: $error; }
        .demonstration { color: $warning; }
    }
    """

    def __init__(self, answer: AnswerText, *, demonstration: bool) -> None:
        super().__init__()
        self.answer = answer
        self._demonstration = demonstration
        self._markdown = AnswerMarkdown(answer.text or None)
        self._mark = Static(answer.mark, classes="mark", markup=False)
        self._pending: list[str] = []
        self._pace = FlushPace()
        self._last_flush = 0.0
        self._timer: Timer | None = None
        self._drawing = asyncio.Lock()

    def compose(self) -> ComposeResult:
        yield self._markdown
        for note in self.answer.notes:
            yield self._note(note)
        self._show_mark(self.answer.mark)
        yield self._mark
        if self._demonstration:
            yield Static(DEMONSTRATION, classes="demonstration", markup=False)

    def write(self, piece: str) -> None:
        """Add a piece of the answer; it is drawn with those that come before the next drawing.

        The assistant has taken control sequences out of the stream. What would still come through
        is taken out here, since a single one could redraw the whole terminal.
        """
        piece = clean(piece)
        self.answer.text += piece
        self._pending.append(piece)
        if self._timer is None:
            wait = self._last_flush + self._pace.interval - perf_counter()
            self._timer = self.set_timer(max(wait, 0.001), self.flush)

    async def flush(self) -> None:
        """Draw what is waiting. Returns when it is on the screen's tree, also if another flush
        was on its way."""
        async with self._drawing:
            if self._timer is not None:
                self._timer.stop()
                self._timer = None
            text = "".join(self._pending)
            self._pending.clear()
            if not text:
                return
            started = perf_counter()
            await self._markdown.write(text)
            self._last_flush = perf_counter()
            self._pace.took(self._last_flush - started)

    async def note(self, sentence: str) -> None:
        """Show a sentence of the assistant below the text."""
        sentence = clean(sentence)
        self.answer.notes.append(sentence)
        await self.mount(self._note(sentence), before=self._mark)

    def progress(self, sentence: str) -> None:
        """Say what is going on before the first words."""
        self._show_mark(sentence)

    async def finish(self, mark: str, *, failed: bool = False) -> None:
        """Draw the rest and say how it ended."""
        self.answer.mark, self.answer.failed = clean(mark), failed
        await self.flush()
        await self._markdown.finish()
        self._show_mark(self.answer.mark)

    def _note(self, sentence: str) -> Static:
        return Static(sentence, classes="note", markup=False)

    def _show_mark(self, mark: str) -> None:
        self._mark.update(mark)
        self._mark.display = bool(mark)
        self._mark.set_class(self.answer.failed, "-failed")
