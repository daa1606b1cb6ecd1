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
        self._standing: Sequence[Question] = ()

    @property
    def current(self) -> Question | None:
        """The question that is asked now."""
        return self._standing[0] if self._standing else None

    def show(self, questions: Sequence[Question]) -> None:
        """Ask the first of these, and say how many stand behind it; without any, disappear."""
        self._standing = questions
        if questions:
            keys = f"{AnswerYes.key_names()} yes, {AnswerNo.key_names()} no"
            more = f"; {len(questions) - 1} more" if len(questions) > 1 else ""
            self.update(f"? {questions[0].ask} ({keys}{more})")
        self.display = bool(questions)
