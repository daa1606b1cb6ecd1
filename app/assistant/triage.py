"""Red flags in a conversation: heard before the model, kept for the session, asked about once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from app.assistant.events import Alert, Answered, Asked
from app.assistant.questions import OpenQuestions
from app.safety import Card, Level, Mode, Question, Rule, card, clinician_line

if TYPE_CHECKING:  # the check itself comes with the rules, when a screen is painted
    from app.safety import Alert as Found
    from app.safety import Finding, RedFlags

_HEARD = 20_000
"""Characters from each end of a very long text; nobody types as much, and a paste of a megabyte
must not hold the screen up."""

_HELP = Rule(
    id="help",
    level=Level.CRISIS,
    title="Help in a crisis",
    when=(),
    say="If you think of harming yourself, or somebody harms you, talk to somebody now.",
    steps=("Stay with somebody you trust, or call them.", "Put away what could hurt you."),
    source="",
    reviewed="none",
)


class Triage:
    """The rules over everything said in a session; later words never take an alert back."""

    def __init__(
        self,
        load: Callable[[], RedFlags],
        mode: Mode,
        emergency_number: str = "",
        crisis_line: str = "",
    ) -> None:
        """`load` makes the rules, once, when they are first needed. The numbers are settings."""
        self._load = load
        self.mode: Mode = mode
        self._numbers = (emergency_number, crisis_line)
        self._heard: list[Finding] = []
        self._before_last = 0
        """How many of them were there before the last question; a yes to a question adds one."""
        self._worst: Found | None = None
        self._asked: set[str] = set()
        self._open = OpenQuestions(lambda: self._flags)

    @cached_property
    def _flags(self) -> RedFlags:
        return self._load()

    @property
    def alert(self) -> Alert | None:
        """The session's worst."""
        return None if self._worst is None else self._shown(self._worst)

    @property
    def questions(self) -> tuple[Question, ...]:
        """Those that have been offered and wait for a yes or a no, the first to be asked first."""
        return self._open.standing

    @property
    def _told(self) -> frozenset[str]:
        """Names of the signs that the session holds."""
        return frozenset[str]().union(*(one.signs for one in self._heard))

    def prepare(self) -> None:
        """Make the rules now and not under the first question."""
        _ = self._flags

    def hear(self, text: str, *, instead: bool = False) -> tuple[Alert, ...]:
        """The alerts that these words raise, new ones or such that they state again, the worst
        first; two where an emergency is a crisis too.

        Args:
            text: what the person wrote.
            instead: it is the last question in other words. It is judged as the first wording
                was, or a card that stood alone would leave with a comma; what the first wording
                said still counts with later turns.
        """
        if not instead:
            self._before_last = len(self._heard)
        return self._judge(self._heard[: self._before_last], text)

    def _judge(self, earlier: Sequence[Finding], text: str) -> tuple[Alert, ...]:
        from app.safety import worse_of

        latest = self._flags.read(_ends(text), self.mode)
        self._heard.append(latest)
        found = self._flags.raised([*earlier, latest])
        for one in found:
            if one.level is not Level.UNREAD:
                self._worst = worse_of(self._worst, one)
        return tuple(map(self._shown, found))

    def holds(self, alert: Alert) -> bool:
        """Whether the card stands alone and the model waits until it is asked for."""
        return alert.patient and alert.card.level is Level.CALL

    def take_answers(self, text: str) -> Answered | None:
        """Which of the questions that stand these words answer, once they have been heard."""
        gone = self._open.hear(_ends(text), self._told)
        return Answered(gone) if gone else None

    def ask_about(self, text: str) -> Asked | None:
        """What to ask after this complaint, if it has not been asked or told before."""
        if self.mode != "patient":
            return None
        complaint = self._flags.questions_for(_ends(text))
        if complaint is None or complaint.id in self._asked:
            return None
        self._asked.add(complaint.id)
        offered = self._open.offer(complaint.questions, self._told)
        return Asked(complaint.id, offered) if offered else None

    def confirm(self, question: Question) -> Alert | None:
        """A yes to one of the questions counts as if the person had said it; the worst alert."""
        alerts = self._judge(self._heard, question.means)
        self._open.settle(question, self._told)
        return alerts[0] if alerts else None

    def deny(self, question: Question) -> None:
        """A no to one of the questions: what it asks for is not asked again."""
        self._open.deny(question, self._told)

    def help_card(self) -> Card:
        """The card that is always one key away."""
        from app.safety import Alert as Found

        return card(Found(_HELP, frozenset()), *self._numbers)

    def clear(self) -> None:
        """A new conversation, perhaps another person."""
        self._heard.clear()
        self._asked.clear()
        self._open.clear()
        self._worst, self._before_last = None, 0

    def _shown(self, found: Found) -> Alert:
        words = card(found, *self._numbers)
        return Alert(words, clinician_line(found), patient=self.mode == "patient")


def _ends(text: str) -> str:
    return text if len(text) <= 2 * _HEARD else f"{text[:_HEARD]}\n{text[-_HEARD:]}"
