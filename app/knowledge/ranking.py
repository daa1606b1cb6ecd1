"""Finding the topic, then what is said about it.

FTS5's BM25 finds the candidates. They are scored together with the other entries of their topic:
a sign that stands under "symptoms" tells which entry under "treatment" is meant.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from app.knowledge.concepts import Concept, Understanding
from app.knowledge.question import wanted_kinds
from app.knowledge.schema import FIELDS
from app.knowledge.scoring import WEIGHTS, Candidate, Ranked, Weighing, best_topics, scored
from app.knowledge.thesaurus import Phrase, Thesaurus

_CANDIDATES = 80
_TOPICS = 14
_PER_TOPIC = 40
_POSTINGS = 6000
"""Hits that FTS5 may weigh for one question; the commonest terms are left out beyond it, since
they cost the most and tell the least."""

_ENTRY = (
    "SELECT passage.id, passage.topic, passage.kind, "
    "search.topic, search.also, search.kind, search.body "
    "FROM passage JOIN search ON search.rowid = passage.id WHERE "
)


class Ranking:
    """Ranks the entries of one index. Its counts are those of when it was made."""

    def __init__(self, connection: sqlite3.Connection, thesaurus: Thesaurus) -> None:
        self._connection = connection
        facts = dict(connection.execute("SELECT name, value FROM fact").fetchall())
        self._means = {field: float(facts[f"mean {field}"]) or 1.0 for field in FIELDS}
        self._understanding = Understanding(connection, thesaurus, int(facts["passages"]))

    def ranked(self, question: str) -> list[Ranked]:
        """The entries that fit best, best first; empty where no word of the question is known."""
        concepts = self._understanding.concepts(question)
        query = self._query(concepts)
        if not query:
            return []
        weighing = Weighing(concepts, self._means, self._understanding.rarity)
        found = {one.id: one for one in self._candidates(query, weighing)}
        topics = best_topics(found.values(), _TOPICS)
        for topic in topics:
            found.update({one.id: one for one in self._of_topic(topic, weighing)})
        best = [one for one in found.values() if one.topic in topics]
        return scored(best, concepts, wanted_kinds(question))

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
        weights = ", ".join(str(WEIGHTS[field]) for field in FIELDS)
        rows = self._connection.execute(
            f"SELECT rowid FROM search WHERE search MATCH ? AND rank MATCH 'bm25({weights})' "
            "ORDER BY rank LIMIT ?",
            (query, _CANDIDATES),
        )
        numbers = ", ".join(str(int(row[0])) for row in rows)
        yield from self._weighed(f"passage.id IN ({numbers})", (), weighing)

    def _of_topic(self, topic: str, weighing: Weighing) -> Iterator[Candidate]:
        where = f"passage.topic = ? ORDER BY passage.id LIMIT {_PER_TOPIC}"
        return self._weighed(where, (topic,), weighing)

    def _weighed(
        self, where: str, values: tuple[str, ...], weighing: Weighing
    ) -> Iterator[Candidate]:
        for number, topic, kind, *fields in self._connection.execute(_ENTRY + where, values):
            yield Candidate(number, topic, kind, weighing.hits(fields))
