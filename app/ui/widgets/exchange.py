"""One question with its answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from app.ui.commands import OtherVersion
from app.ui.widgets.answer import Answer, AnswerText, Reader


@dataclass(slots=True)
class ExchangeText:
    """A question and its answers as the transcript keeps them."""

    question: str
    answers: list[AnswerText] = field(default_factory=list)
    shown: int = -1
    """Index of the answer that is drawn."""
    replaced: bool = False
    """The user changed the question and sent it again; the model no longer knows this one."""

    @property
    def answer(self) -> AnswerText | None:
        """The answer that is drawn."""
        return self.answers[self.shown] if self.answers else None

    @property
    def caption(self) -> str:
        """What stands above the answer; empty where there is nothing to say."""
        if self.replaced:
            return "You changed this question; the model no longer knows it."
        if len(self.answers) > 1:
            others = f"{OtherVersion.key_names()} shows the others"
            return f"Answer {self.shown + 1} of {len(self.answers)} ({others})"
        return ""


class Exchange(Vertical):
    """Draws the question and one of its answers."""

    DEFAULT_CSS = """
    Exchange {
        height: auto;
        margin-bottom: 1;
        Static { height: auto; }
        .question { border-left: heavy $primary; padding-left: 1; margin-bottom: 1; }
        .caption { color: $quiet; padding-left: 2; }
        &.-replaced .question { color: $quiet; border-left: heavy $quiet; }
    }
    """

    def __init__(self, exchange: ExchangeText, reader: Reader) -> None:
        super().__init__()
        self.exchange = exchange
        self._reader = reader
        self._caption = Static(classes="caption", markup=False)

    def compose(self) -> ComposeResult:
        yield Static(self.exchange.question, classes="question", markup=False)
        yield self._caption
        yield from (self._widget(answer) for answer in self.exchange.answers)

    def on_mount(self) -> None:
        self.update_view()

    async def add_answer(self) -> Answer:
        """Begin a new answer; earlier ones stay behind it.

        Where the model was not asked there was no answer, and the new one takes its place. Red
        flags are about the question: they stand above each of its answers.
        """
        before = self.exchange.answer
        await self.remove_children([one for one in self.query_children(Answer) if one.answer.held])
        self.exchange.answers = [one for one in self.exchange.answers if not one.held]
        answer = AnswerText(flag=before.flag if before else "")
        self.exchange.answers.append(answer)
        self.exchange.shown = len(self.exchange.answers) - 1
        widget = self._widget(answer)
        await self.mount(widget)
        self.update_view()
        return widget

    def show_next_version(self) -> None:
        """Draw the next answer, after the last the first."""
        self.exchange.shown = (self.exchange.shown + 1) % len(self.exchange.answers)
        self.update_view()

    def update_view(self) -> None:
        """Bring caption and visible answer to what the exchange says."""
        self.set_class(self.exchange.replaced, "-replaced")
        self._caption.update(self.exchange.caption)
        self._caption.display = bool(self.exchange.caption)
        for widget in self.query_children(Answer):
            widget.display = widget.answer is self.exchange.answer

    def _widget(self, answer: AnswerText) -> Answer:
        return Answer(answer, self._reader)
