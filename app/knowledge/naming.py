"""Whether a question names an entry, or only asks something of one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from enum import Enum
from itertools import chain, pairwise

from app.knowledge.concepts import LONGEST_QUESTION, Concept, Understanding
from app.knowledge.question import naming_words, stated_kinds, topic_words
from app.knowledge.words import fold, term, terms

_BETWEEN_NAMES = re.compile(r"[,:()]|\band\b", re.IGNORECASE)
"""A title may hold several: "Stroke and mini-stroke (TIA)"."""
_MOST_OF_NAME = 0.75
"""Of its words, weighed by rarity: so many are the name. "Back" is no back pain."""
_SEVERAL = 2
"""Words of one entry's names that together name it: "bitten" and "dog"."""

_HOW = re.compile(r"\bhow (\w+)")
RELATIVES = (
    r"son|daughter|child|baby|toddler|kid|boy|girl|husband|wife|partner|mother|father|mom|mum|dad"
    r"|brother|sister|grand\w+|friend|uncle|aunt|neighbou?r"
)
"""A pattern of those whom one asks for."""
_PERSON = re.compile(
    rf"(?:{RELATIVES}|teenager|adult|infant|newborn)s?|children|babies|m[ae]n|wom[ae]n|elderly"
    r"|pregnan(?:t|cy)|breastfe\w+"
)


class Naming(Enum):
    """How far the words of a question make up the names of an entry."""

    FOREIGN = "foreign"
    """Nothing, and a word is among them that stands in no entry: "scarf"."""
    NOTHING = "nothing"
    PART = "part"
    """One word of a name: "dog", of the names of animal bites."""
    ENTRY = "entry"
    """Most of a name in a title, or several words of one entry's names."""


class Names:
    """The titles and lay names of the entries in an index."""

    def __init__(self, connection: sqlite3.Connection, understanding: Understanding) -> None:
        self._connection, self._understanding = connection, understanding

    def named(self, concepts: Sequence[Concept], aside: frozenset[str]) -> Naming:
        """How far a question names an entry.

        Args:
            concepts: what stands in it.
            aside: those of its terms that name none alone (`aside`).
        """
        asked = set(chain(*(concept.variants[0][0] for concept in concepts)))
        if not asked:
            return Naming.NOTHING
        query = " OR ".join(f'"{one}"' for one in sorted(asked))
        rows = self._connection.execute(
            "SELECT min(passage.title), search.topic, also FROM search "
            "JOIN passage ON passage.id = search.rowid WHERE search MATCH ? GROUP BY search.topic",
            (f"{{topic also}} : ({query})",),
        )
        known = all(map(self._understanding.frequency, asked - aside))
        best = Naming.NOTHING if known else Naming.FOREIGN
        for title, topic, also in rows:
            found = asked.intersection((*topic.split(), *also.split()))
            if len(found) >= _SEVERAL or self._is_named(title, asked):
                return Naming.ENTRY
            if not found <= aside:
                best = Naming.PART
        return best

    def _is_named(self, title: str, asked: set[str]) -> bool:
        """Whether the words are most of one of the names that a title holds."""
        topic, _, _heading = title.partition(" - ")
        for name in map(terms, _BETWEEN_NAMES.split(topic)):
            rarities = {one: self._understanding.rarity(one) for one in name}
            named = sum(rarity for one, rarity in rarities.items() if one in asked)
            if named and named >= _MOST_OF_NAME * sum(rarities.values()):
                return True
        return False


def aside(question: str) -> frozenset[str]:
    """Terms of a question that are asked of every topic: how one asks ("how long"), which kind of
    answer is wanted ("foods"; two words together, "side effects"), and whom it concerns."""
    found = topic_words(question)[:LONGEST_QUESTION]
    naming = set(naming_words(question))
    alone = {w for w in found if w not in naming or stated_kinds(w) or _PERSON.fullmatch(w)}
    pairs = (pair for pair in pairwise(found) if alone.isdisjoint(pair))
    both = chain(*(pair for pair in pairs if stated_kinds(" ".join(pair))))
    return frozenset(map(term, (*alone, *both, *_HOW.findall(fold(question)))))
