"""The fixed yes/no questions after a symptom, one at a time below the conversation."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widgets import Static

from app.safety import Question
from app.ui.commands import AnswerNo, AnswerYes


class QuestionLine(Static):
    """Asks without being in the way: whoever goes on typing has not answered, and may."""

    DEFAULT_CSS = """
    QuestionLine {
        display: none;
        height: auto;
        padding: 0 1;
        color: $secondary;
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._waiting: list[Question] = []

    @property
    def current(self) -> Question | None:
        """The question that is asked now."""
        return self._waiting[0] if self._waiting else None

    def offer(self, questions: Sequence[Question]) -> None:
        """Ask these, after those that still wait."""
        self._waiting.extend(questions)
        self._show()

    def take(self) -> Question | None:
        """The question that was answered; the next one takes its place."""
        answered = self._waiting.pop(0) if self._waiting else None
        self._show()
        return answered

    def clear(self) -> None:
        """Ask nothing more."""
        self._waiting.clear()
        self._show()

    def _show(self) -> None:
        if self._waiting:
            keys = f"{AnswerYes.key_names()} yes, {AnswerNo.key_names()} no"
            more = f"; {len(self._waiting) - 1} more" if len(self._waiting) > 1 else ""
            self.update(f"? {self._waiting[0].ask} ({keys}{more})")
        self.display = bool(self._waiting)
