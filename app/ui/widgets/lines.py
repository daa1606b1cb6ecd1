"""The single lines around the prompt: notice, hint and status."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual.timer import Timer
from textual.widgets import Static

from app.sanitise import one_line
from app.ui.pace import Speed
from app.ui.state import Phase

_HINT_SECONDS = 8.0


class NoticeLine(Static):
    """What this is not, and whom to call. Drawn by the screen, always there, never the model's."""

    DEFAULT_CSS = """
    NoticeLine {
        height: auto;
        color: $warning;
    }
    """

    def __init__(self, notice: str) -> None:
        super().__init__(notice, markup=False)


class HintLine(Static):
    """One sentence on what was just done or goes on; gone when there is nothing to say."""

    DEFAULT_CSS = """
    HintLine {
        height: auto;
        max-height: 5;
        padding: 0 1;
        display: none;
        color: $secondary;
        &.-problem { color: $error; }
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._timer: Timer | None = None

    def say(self, sentence: str) -> None:
        """Show a sentence for some seconds."""
        self._show(sentence, problem=False)
        self._timer = self.set_timer(_HINT_SECONDS, self.clear)

    def keep(self, sentence: str, *, problem: bool = False) -> None:
        """Show a sentence until the next one or `clear`."""
        self._show(sentence, problem=problem)

    def clear(self) -> None:
        """Give the line back to the conversation."""
        self._show("", problem=False)

    def _show(self, sentence: str, *, problem: bool) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.set_class(problem, "-problem")
        self.update(sentence)
        self.display = bool(sentence)


@dataclass(frozen=True, slots=True)
class Status:
    """What the status line shows."""

    phase: Phase = Phase.LOADING
    model: str = ""
    tokens: int = 0
    context: int = 0
    """Tokens that the context holds; 0 before the model is loaded."""
    speed: Speed = field(default_factory=Speed)

    def parts(self) -> list[str]:
        """The words of the line, the most wanted first."""
        parts = [self.phase.value]
        if self.speed.decode is not None:
            parts.append(f"{self.speed.decode:.1f} tokens/s")
        if self.context:
            parts.append(f"{self.tokens} / {self.context} tokens")
        if self.model:
            parts.append(one_line(self.model))  # a name out of a file
        return parts


class StatusLine(Static):
    """What the chat is doing, how fast, how full the context is, and which model answers."""

    DEFAULT_CSS = """
    StatusLine {
        height: 1;
        padding: 0 1;
        color: $quiet;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)

    def show(self, status: Status) -> None:
        """Draw the status."""
        self.update(" · ".join(status.parts()))
