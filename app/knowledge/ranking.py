"""Finding the topic, then what is said about it.

FTS5's BM25 finds the candidates. They are scored together with the other entries of their topic:
a sign that stands under "symptoms" tells which entry under "treatment" is meant.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter

from app.knowledge.concepts import Concept, Understanding
from app.knowledge.question import wanted_kinds
from app.knowledge.schema import FIELDS
from app.knowledge.scoring import WEIGHTS, Candidate, Ranked, Weighing, best_topics, scored
from app.knowledge.thesaurus import Phrase, Thesaurus
from app.knowledge.thread import MOST_EARLIER, Said, borrowed

_CANDIDATES = 80
_TOPICS = 14
_PER_TOPIC = 40
_POSTINGS = 6000
"""Hits that FTS5 may weigh for one question; the commonest terms are left out beyond it, since
they cost the most and tell the least."""

_ENTRY = (
    "SELECT passage.id, passage.topic, passage.kind, "
    "search.topic, search.also, search.kind, search.body "
    "FROM passage JOIN search ON search.rowid = passage.id WHERE passage.id IN"
)


class Ranking:
    """Ranks the entries of one index. Its counts are those of when it was made."""

    def __init__(self, connection: sqlite3.Connection, thesaurus: Thesaurus) -> None:
        self._connection = connection
        facts = dict(connection.execute("SELECT name, value FROM fact").fetchall())
        self._means = {field: float(facts[f"mean {field}"]) or 1.0 for field in FIELDS}
        self._understanding = Understanding(connection, thesaurus, int(facts["passages"]))

    def ranked(self, question: str, earlier: Sequence[str] = ()) -> list[Ranked]:
        """The entries that fit best, best first; empty where no word of the question is known.

        Args:
            question: as it was typed.
            earlier: the questions before it in the same conversation, the latest last.
        """
        concepts = self._concepts(question, earlier)
        query = self._query(concepts)
        if not query:
            return []
        weighing = Weighing(concepts, self._means, self._understanding.rarity)
        found = {one.id: one for one in self._candidates(query, weighing)}
        topics = best_topics(found.values(), _TOPICS)
        others = self._ids_of_topics(topics) - found.keys()
        found.update({one.id: one for one in self._weighed(others, weighing)})
        best = [one for one in found.values() if one.topic in topics]
        return scored(best, concepts, wanted_kinds(question))

    def _concepts(self, question: str, earlier: Sequence[str]) -> list[Concept]:
        """What the question names, and what it borrows of those before it."""
        asked, *before = (
            Said(text, tuple(self._understanding.concepts(text)))
            for text in (question, *earlier[-MOST_EARLIER:])
        )
        return [*asked.concepts, *borrowed(asked, before)]

    def _query(self, concepts: Sequence[Concept]) -> str:
        """All variants of all concepts as one FTS5 query. Terms are quoted: FTS5 reads none of
        them as an operator, and none can hold a quote."""
        phrases = {phrase for concept in concepts for phrase, _ in concept.variants}
        counted = sorted((self._understanding.most(phrase), phrase) for phrase in phrases)
        taken: list[Phrase] = []
        spent = 0
        for count, phrase in counted:
            if count and (spent + count <= _POSTINGS or not taken):
                taken.append(phrase)
                spent += count
        return " OR ".join(f'"{" ".join(phrase)}"' for phrase in taken)

    def _candidates(self, query: str, weighing: Weighing) -> Iterator[Candidate]:
        """What BM25 finds. The function is called by name: FTS5's own order by rank opens a second
        query inside the first, and takes half as long again."""
        weights = ", ".join(str(WEIGHTS[field]) for field in FIELDS)
        rows = self._connection.execute(
            "SELECT rowid FROM search WHERE search MATCH ? "
            f"ORDER BY bm25(search, {weights}) LIMIT ?",
            (query, _CANDIDATES),
        )
        return self._weighed((row[0] for row in rows), weighing)

    def _ids_of_topics(self, topics: Collection[str]) -> set[int]:
        """The first entries of each topic; of a larger one the rest tells nothing more."""
        places = ", ".join("?" * len(topics))
        rows = self._connection.execute(
            f"SELECT topic, id FROM passage WHERE topic IN ({places}) ORDER BY topic, id",
            tuple(topics),
        )
        by_topic = groupby(rows, key=itemgetter(0))
        return {number for _, group in by_topic for _, number in islice(group, _PER_TOPIC)}

    def _weighed(self, ids: Iterable[int], weighing: Weighing) -> Iterator[Candidate]:
        numbers = ", ".join(str(int(one)) for one in ids)
        for number, topic, kind, *fields in self._connection.execute(f"{_ENTRY} ({numbers})"):
            yield Candidate(number, topic, kind, weighing.hits(fields))
