"""The yes/no questions that stand: those that a session has not answered yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.safety import Finding, Question, RedFlags

MOST_STANDING = 4
"""More would be a form to fill in, and nobody does."""

_CLAUSE = re.compile(r"[.!?;,\n]+|\b(?:and|but)\b", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:no|not|without|never|neither|nor|denies"
    r"|(is|are|was|were|do|does|did|has|have|had)n['\u2019]?t)\b",
    re.IGNORECASE,
)
"""The group is what stays of a contraction."""
_OPEN = re.compile(
    r"\b(?:not (?:sure|certain|only|just)|no (?:idea|doubt)|if|whether)\b"
    r"|(?:not|n['\u2019]?t) know\b",
    re.IGNORECASE,
)
"""Words with which a negation denies nothing."""


class OpenQuestions:
    """What was offered after complaints, until the person has told it, denied it or said no.

    A question is judged by what a yes to it would raise: it stands as long as that rests on a
    sign that has neither been told nor denied. What is denied only spares a question; it takes no
    alert back.
    """

    def __init__(self, flags: Callable[[], RedFlags]) -> None:
        """`flags` gives the rules; they are asked for when there is something to judge."""
        self._flags = flags
        self._denied: frozenset[str] = frozenset()
        self._meanings: dict[Question, Finding] = {}
        self.standing: tuple[Question, ...] = ()

    def offer(self, questions: Sequence[Question], told: frozenset[str]) -> tuple[Question, ...]:
        """Put these before those that stand, and let the last of them go where it gets too many.

        Args:
            questions: about a complaint, the most important first.
            told: names of the signs that the session holds.

        Returns:
            The ones that were not answered before.
        """
        fresh = tuple(one for one in questions if not self._answered(one, told))
        self.standing = (*fresh, *self.standing)[:MOST_STANDING]
        return fresh[:MOST_STANDING]

    def hear(self, text: str, told: frozenset[str]) -> tuple[Question, ...]:
        """Those that the words have answered; they stand no more."""
        self._denied = (self._denied | self._denied_in(text)) - told
        gone = tuple(one for one in self.standing if self._answered(one, told))
        self.standing = tuple(one for one in self.standing if one not in gone)
        return gone

    def settle(self, question: Question, told: frozenset[str]) -> None:
        """This one got its answer, and with it perhaps others theirs."""
        self._denied -= told
        self.standing = tuple(
            one for one in self.standing if one != question and not self._answered(one, told)
        )

    def deny(self, question: Question, told: frozenset[str]) -> None:
        """A no to a question: what a yes would have said is not so."""
        self._denied |= self._meaning(question).signs
        self.settle(question, told)

    def clear(self) -> None:
        """A new conversation, perhaps another person."""
        self._denied, self.standing = frozenset(), ()

    def _answered(self, question: Question, told: frozenset[str]) -> bool:
        meaning = self._meaning(question)
        left = replace(meaning, signs=meaning.signs - self._denied)
        raised = self._flags().judge([left])
        return raised is None or raised.signs <= told

    def _meaning(self, question: Question) -> Finding:
        """What a yes says; read once."""
        if question not in self._meanings:
            from app.safety import Finding

            signs = self._flags().signs(question.means)
            self._meanings[question] = Finding(signs, english=True)
        return self._meanings[question]

    def _denied_in(self, text: str) -> frozenset[str]:
        """The signs of a text's negated clauses, as they were without the negations: those that
        are told all the same are taken out by whoever asks.

        Clause by clause, since together they would say what none says: "a headache, and I did not
        hit my head".
        """
        negated = [
            one for one in _CLAUSE.split(text) if _NEGATION.search(one) and not _OPEN.search(one)
        ]
        if not negated:
            return frozenset()
        return self._flags().signs(". ".join(_NEGATION.sub(r"\1 ", one) for one in negated))
