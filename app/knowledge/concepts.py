"""A question as concepts: each a phrase of its words, with what else may stand for it."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass

from app.knowledge.question import topic_words
from app.knowledge.spelling import Spelling
from app.knowledge.thesaurus import Phrase, Thesaurus
from app.knowledge.words import term

LONGEST_QUESTION = 64
"""Words. A longer question (a letter pasted whole) is searched by those that it begins with."""

_RELATED = 0.6
"""What a related phrase counts against the question's own."""
_RELATED_TO_PHRASE = 0.9
"""The same for phrases of several words, which are seldom ambiguous."""
_WORD_OF_PHRASE = 0.5
"""What a single word counts whose phrase stands in the thesaurus."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing that the question names."""

    variants: tuple[tuple[Phrase, float], ...]
    """The question's own phrase, which counts 1, and related ones, which count less."""
    rarity: float
    """Inverse document frequency of all variants together: log((N - n + 1/2) / (n + 1/2) + 1)."""
    weight: float = 1.0
    anchored: bool = False
    """Whether the thesaurus or the name of a topic holds the question's own phrase: it is a word
    of medicine, or of the documents' subjects."""


class Understanding:
    """Turns questions into concepts, by the thesaurus and the words that the index holds."""

    def __init__(self, connection: sqlite3.Connection, thesaurus: Thesaurus, total: int) -> None:
        self._connection, self._thesaurus, self._total = connection, thesaurus, total
        self._spelling = Spelling(connection)
        self._frequencies: dict[str, int] = {}
        self._known: set[str] = set()
        for phrase in thesaurus.related:
            self._known.update(phrase)

    def concepts(self, question: str) -> list[Concept]:
        """What the question names; empty where it holds no word that says anything."""
        named = [self._term(word) for word in topic_words(question)[:LONGEST_QUESTION]]
        weights: dict[Phrase, float] = {}
        for _, phrase in self._thesaurus.phrases_in(tuple(named)):
            weights[phrase] = 1.0
            if len(phrase) > 1:
                weights.update({(one,): weights.get((one,), _WORD_OF_PHRASE) for one in phrase})
        for one in named:
            weights.setdefault((one,), 1.0)
        return [self._concept(phrase, weight) for phrase, weight in weights.items()]

    def _term(self, word: str) -> str:
        """The term of a word, corrected where it stands in no entry and in no thesaurus."""
        own = term(word)
        if own in self._known or self._spelling.knows(word) or self.most((own,)):
            return own
        corrected = self._spelling.corrected(word)
        return term(corrected) if corrected else own

    def _concept(self, phrase: Phrase, weight: float) -> Concept:
        share = _RELATED if len(phrase) == 1 else _RELATED_TO_PHRASE
        related = self._thesaurus.related.get(phrase, ())
        variants = ((phrase, 1.0), *((other, share) for other in related))
        count = min(sum(self.most(one) for one, _ in variants), self._total)
        return Concept(variants, self._rarity(count), weight, self._is_anchored(phrase))

    def most(self, phrase: Phrase) -> int:
        """In how many entries the phrase stands, at most: as many as its rarest term."""
        return min(self.frequency(one) for one in phrase)

    def _is_anchored(self, phrase: Phrase) -> bool:
        if phrase in self._thesaurus.related:
            return True
        named = self._connection.execute(
            "SELECT 1 FROM vocabulary_of_fields WHERE term = ? AND col = 'topic'",
            (phrase[0],),
        )
        return len(phrase) == 1 and named.fetchone() is not None

    def _rarity(self, count: int) -> float:
        return math.log((self._total - count + 0.5) / (count + 0.5) + 1)

    def rarity(self, one: str) -> float:
        """Inverse document frequency of a term."""
        return self._rarity(self.frequency(one))

    def frequency(self, one: str) -> int:
        """In how many entries the term stands."""
        if one not in self._frequencies:
            self._frequencies[one] = self._counted(one)
        return self._frequencies[one]

    def _counted(self, one: str) -> int:
        row = self._connection.execute(
            "SELECT doc FROM vocabulary WHERE term = ?", (one,)
        ).fetchone()
        return int(row[0]) if row else 0
