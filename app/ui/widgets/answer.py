"""One answer of the model: its Markdown as it grows, and what the screen says about it."""

from __future__ import annotations

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
    notes: list[str] = field(default_factory=list)
    """Sentences of the assistant about this turn."""
    mark: str = ""
    """What the screen says below it: stopped, cut, failed; empty for a whole answer."""
    failed: bool = False


class Answer(Vertical):
    """Draws an answer in batches, so that drawing leaves time for the keys."""

    DEFAULT_CSS = """
    Answer {
        height: auto;
        padding: 0 1 0 2;
        Static { height: auto; }
        .notes, .mark, .demonstration { margin-top: 1; }
        .notes, .mark { color: $quiet; }
        .mark.-failed { color: $error; }
        .demonstration { color: $warning; }
    }
    """

    def __init__(self, answer: AnswerText, *, demonstration: bool) -> None:
        super().__init__()
        self.answer = answer
        self._demonstration = demonstration
        self._markdown = AnswerMarkdown(answer.text)
        self._notes = Static(classes="notes", markup=False)
        self._mark = Static(classes="mark", markup=False)
        self._pending: list[str] = []
        self._pace = FlushPace()
        self._last_flush = 0.0
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._markdown
        yield self._notes
        yield self._mark
        if self._demonstration:
            yield Static(DEMONSTRATION, classes="demonstration", markup=False)

    def on_mount(self) -> None:
        self._show_notes()
        self.progress(self.answer.mark)

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

    def flush(self) -> None:
        """Draw what is waiting."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._pending:
            started = perf_counter()
            self._markdown.write("".join(self._pending))
            self._pending.clear()
            self._last_flush = perf_counter()
            self._pace.took(self._last_flush - started)

    def note(self, sentence: str) -> None:
        """Show a sentence of the assistant below the text."""
        self.answer.notes.append(clean(sentence))
        self._show_notes()

    def progress(self, sentence: str) -> None:
        """Say what is going on, or how it ended; nothing when it is empty."""
        self._mark.update(sentence)
        self._mark.display = bool(sentence)
        self._mark.set_class(self.answer.failed, "-failed")

    def finish(self, mark: str, *, failed: bool = False) -> None:
        """Draw the rest and say how it ended."""
        self.answer.mark, self.answer.failed = clean(mark), failed
        self.flush()
        self._markdown.finish()
        self.progress(self.answer.mark)

    def _show_notes(self) -> None:
        self._notes.update("\n".join(self.answer.notes))
        self._notes.display = bool(self.answer.notes)
