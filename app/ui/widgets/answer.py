"""One answer of the model: its Markdown as it grows, and what the screen says about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static

from app.assistant.events import Support
from app.assistant.notices import DEMONSTRATION, doses_to_check
from app.knowledge.passage import Passage
from app.sanitise import clean, one_line
from app.ui.commands import Regenerate
from app.ui.pace import FlushPace
from app.ui.widgets.markdown import AnswerMarkdown
from app.ui.widgets.sources import PassageFirst, sources_line, support_line

HELD = f"The model was not asked. {Regenerate.key_names()} asks it all the same."


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom answers are drawn, and by which model; it decides what stands first."""

    demonstration: bool = False
    """The model is one: every answer says so."""
    clinician: bool = False

    @property
    def passage_first(self) -> bool:
        """Whether a passage stands in the place of the answer."""
        return self.demonstration or self.clinician


@dataclass(slots=True)
class AnswerText:
    """An answer as the transcript keeps it, to draw it again when its widget is gone."""

    text: str = ""
    flag: str = ""
    """Red flags, a line each, above all else."""
    passages: tuple[Passage, ...] | None = None
    """What it leans on; None where no reference was asked."""
    support: Support | None = None
    notes: list[str] = field(default_factory=list)
    """Sentences of the assistant about this turn."""
    mark: str = ""
    """What the screen says below it: stopped, cut, failed; empty for a whole answer."""
    failed: bool = False
    held: bool = False
    """A card stands alone: the model was not asked."""


class Answer(Vertical):
    """Draws an answer in batches, so that drawing leaves time for the keys."""

    DEFAULT_CSS = """
    Answer {
        height: auto;
        padding: 0 1 0 2;
        Static { height: auto; }
        .notes, .mark, .sources, .demonstration { margin-top: 1; }
        .notes, .mark, .sources { color: $quiet; }
        .flag { color: $error; margin-bottom: 1; }
        .mark.-failed { color: $error; }
        .doses, .demonstration { color: $warning; }
    }
    """

    def __init__(self, answer: AnswerText, reader: Reader) -> None:
        super().__init__()
        self.answer = answer
        self._reader = reader
        self._flag = Static(classes="flag", markup=False)
        self._markdown = AnswerMarkdown(answer.text)
        self._notes = Static(classes="notes", markup=False)
        self._mark = Static(classes="mark", markup=False)
        self._sources = Static(classes="sources", markup=False)
        self._doses = Static(classes="doses", markup=False)
        self._demonstration = Static(DEMONSTRATION, classes="demonstration", markup=False)
        self._pending: list[str] = []
        self._pace = FlushPace()
        self._last_flush = 0.0
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._flag
        if (first := self._first_passage) is not None:
            yield PassageFirst(first)
        yield self._markdown
        yield self._notes
        yield self._mark
        yield self._sources
        yield self._doses
        yield self._demonstration

    def on_mount(self) -> None:
        self._warn()
        self._show_aside()
        self.progress(self.answer.mark)

    def flag(self, line: str) -> None:
        """Show a red flag on a line above everything else, below one that is there."""
        lines = (self.answer.flag, one_line(line, 1000))
        self.answer.flag = "\n".join(filter(None, lines))
        self._show_aside()

    def lean_on(self, passages: tuple[Passage, ...]) -> None:
        """Show the sources, and the first passage itself where it is to come first."""
        self.answer.passages = passages
        self._show_aside()
        if (first := self._first_passage) is not None:
            self.mount(PassageFirst(first), before=self._markdown)

    def write(self, piece: str) -> None:
        """Add a piece of the answer; it is drawn with those that come before the next drawing.

        The assistant has taken control sequences out of the stream. What would still come through
        is taken out here, since a single one could redraw the whole terminal.
        """
        piece = clean(piece)
        self.answer.text += piece
        self._warn()
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
        self._show_aside()

    def support(self, support: Support) -> None:
        """Say how many sentences are not in the sources, and which amounts to check."""
        self.answer.support = support
        self._show_aside()

    def progress(self, sentence: str) -> None:
        """Say what is going on, or how it ended; nothing when it is empty."""
        _put(self._mark, sentence)
        self._mark.set_class(self.answer.failed, "-failed")

    def hold(self) -> None:
        """Say that the card stands alone."""
        self.answer.held = True
        self.finish(HELD)

    def finish(self, mark: str, *, failed: bool = False) -> None:
        """Draw the rest and say how it ended."""
        self.answer.mark, self.answer.failed = clean(mark), failed
        self.flush()
        self._markdown.finish()
        self.progress(self.answer.mark)

    @property
    def _first_passage(self) -> Passage | None:
        passages = self.answer.passages
        return passages[0] if passages and self._reader.passage_first else None

    def _warn(self) -> None:
        """Under words of a demonstration model stands what they are; a card alone has none."""
        self._demonstration.display = self._reader.demonstration and bool(self.answer.text)

    def _show_aside(self) -> None:
        """Everything but text and mark; what says nothing takes no row."""
        answer, sources = self.answer, []
        if answer.passages is not None:
            sources.append(sources_line(answer.passages, clinician=self._reader.clinician))
        if answer.support is not None:
            sources.append(support_line(answer.support))
        _put(self._flag, answer.flag)
        _put(self._notes, "\n".join(answer.notes))
        _put(self._sources, "\n".join(filter(None, sources)))
        _put(self._doses, "\n".join(doses_to_check(answer.support)) if answer.support else "")


def _put(line: Static, text: str) -> None:
    line.update(text)
    line.display = bool(text)
