"""Finding the topic, then what is said about it.

FTS5's BM25 finds the candidates. They are scored together with the other entries of their topic:
a sign that stands under "symptoms" tells which entry under "treatment" is meant.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import groupby, islice
from operator import itemgetter

from app.knowledge.concepts import Concept, Understanding
from app.knowledge.naming import Names, aside
from app.knowledge.question import wanted_kinds
from app.knowledge.schema import FIELDS
from app.knowledge.scoring import WEIGHTS, Candidate, Ranked, Weighing, best_topics, scored
from app.knowledge.thesaurus import Phrase, Thesaurus
from app.knowledge.thread import MOST_EARLIER, WHOLLY, Said, borrowed, leaning, stance, thread_of

_CANDIDATES = 80
_TOPICS = 14
_PER_TOPIC = 40
_POSTINGS = 6000
"""Hits that FTS5 may weigh for one question; the commonest terms are left out beyond it, since
they cost the most and tell the least."""
_SUBJECT_SHARE = 0.9
"""Of what is talked of, entries that fit nearly as well as the best are subjects too."""
_ASKED_OF_IT = 0.5
"""What a word counts that is asked of every topic, beside those that name it."""
_SPOKEN_OF = 0.33
"""Which share of a question's words, weighed by rarity, its subject must speak of."""

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
        self._names = Names(connection, self._understanding)

    def ranked(self, question: str, earlier: Sequence[str] = ()) -> list[Ranked]:
        """The entries that fit best, best first; empty where no word of the question is known.

        Args:
            question: as it was typed.
            earlier: the questions before it in the same conversation, the latest last.
        """
        asked = self._said(question) if earlier else Said(question, self._concepts(question))
        subjects = cache(self._subjects)

        def spoken(one: Said, thread: tuple[Said, ...]) -> bool:
            return self._speaks_of(one, subjects(thread))

        leans = earlier and leaning(asked).share
        before = map(self._said, reversed(earlier[-MOST_EARLIER:] if leans else ()))
        thread = thread_of(before, spoken)
        stands = stance(asked, thread, spoken)
        weight = _ASKED_OF_IT if stands.within else 1.0
        own = (replace(one, weight=one.weight * weight) for one in asked.concepts)
        concepts = [*own, *borrowed(asked, thread, stands)]
        topics = subjects(thread) if stands.within else None
        return scored(self._found(concepts, topics), concepts, wanted_kinds(question))

    def _concepts(self, text: str) -> tuple[Concept, ...]:
        return tuple(self._understanding.concepts(text))

    def _said(self, text: str) -> Said:
        concepts, of_all = self._concepts(text), aside(text)
        return Said(text, concepts, self._names.named(concepts, of_all), of_all)

    def _subjects(self, thread: tuple[Said, ...]) -> set[str]:
        """The topics that a thread is about: what its concepts find alone."""
        concepts = borrowed(Said("", ()), thread, WHOLLY)
        found = {one.id: one for one in self._found(concepts)}
        ranked = scored(found.values(), concepts, wanted_kinds(""))
        enough = _SUBJECT_SHARE * max((one.score for one in ranked), default=0.0)
        return {found[one.id].topic for one in ranked if one.score >= enough}

    def _speaks_of(self, question: Said, subjects: Collection[str]) -> bool:
        """Whether the entries that a thread is about speak of what a question says."""
        concepts = question.concepts
        entries = self._found(concepts, subjects)
        whole = map(max, zip(*(one.hits for one in entries), strict=True))
        most = [concept.weight * concept.rarity for concept in concepts]
        spoken: float = sum(map(min, whole, most))
        return spoken >= _SPOKEN_OF * sum(most)

    def _found(
        self, concepts: Sequence[Concept], topics: Collection[str] | None = None
    ) -> list[Candidate]:
        """The entries of these topics, or of those that speak most of the concepts."""
        weighing = Weighing(concepts, self._means, self._understanding.rarity)
        if topics is not None:
            return list(self._weighed(self._ids_of_topics(topics), weighing))
        found = {one.id: one for one in self._candidates(concepts, weighing)}
        topics = best_topics(found.values(), _TOPICS)
        others = self._ids_of_topics(topics) - found.keys()
        found.update({one.id: one for one in self._weighed(others, weighing)})
        return [one for one in found.values() if one.topic in topics]

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

    def _candidates(self, concepts: Sequence[Concept], weighing: Weighing) -> Iterator[Candidate]:
        """What BM25 finds. The function is called by name: FTS5's own order by rank opens a second
        query inside the first, and takes half as long again."""
        query = self._query(concepts)
        if not query:
            return iter(())
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
