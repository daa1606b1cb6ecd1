"""Finding the topic, then what is said about it.

FTS5's BM25 finds the candidates. They are then ranked by concepts (a synonym is not counted as a
second hit), with BM25F's field weights (Robertson, Zaragoza and Taylor, CIKM 2004), and together
with the other entries of their topic: a sign that stands under "symptoms" tells which entry under
"treatment" is meant.
"""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.knowledge.concepts import Concept, Understanding
from app.knowledge.question import wanted_kinds
from app.knowledge.schema import FIELDS
from app.knowledge.thesaurus import Phrase, Thesaurus

_WEIGHTS = {"topic": 5.0, "also": 4.0, "kind": 0.5, "body": 1.0}
"""How much a hit in each field counts."""
_LENGTH_SHARE = {"topic": 0.6, "also": 0.0, "kind": 0.0, "body": 0.6}
"""BM25's b: how far a long field is held against its hits."""
_SATURATION = 1.2
"""BM25's k1."""

_CANDIDATES = 80
_TOPICS = 14
_PER_TOPIC = 40
_POSTINGS = 9000
"""Hits that FTS5 may weigh for one question; the commonest terms are left out beyond it, since
they cost the most and tell the least."""

_TOPIC_SHARE = 0.7
"""What the topic as a whole counts, against the entry itself."""
_KIND_SHARE = 0.5
"""How much better an entry is that is of the kind that was asked for."""

_LEAST_COVERAGE = 0.4
_LEAST_UNANCHORED = 0.8
"""What a good passage covers of the question: more, and two words at least, where none of them is
one of medicine or of a topic's name, since common words are found everywhere. Set on the
development questions; `tests/bench/retrieval_bench.py` prints what they let through."""
_RAREST_UNANCHORED = 1.5
"""What words outside medicine count at most in it."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """An entry with how well it fits."""

    id: int
    score: float
    coverage: float
    """Which share of the question, weighed by rarity, its topic's entries speak of: 0 to 1. A
    plain mention of a concept covers it whole, a related one in part."""
    good: bool
    """Whether that suffices to lean an answer on it."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    id: int
    topic: str
    kind: str
    hits: tuple[float, ...]
    """What each concept contributes."""


class Ranking:
    """Ranks the entries of one index. Answers from what the index held when it was made."""

    def __init__(self, connection: sqlite3.Connection, thesaurus: Thesaurus) -> None:
        self._connection = connection
        facts = dict(connection.execute("SELECT name, value FROM fact").fetchall())
        self._means = [float(facts[f"mean {field}"]) or 1.0 for field in FIELDS]
        self._understanding = Understanding(connection, thesaurus, int(facts["passages"]))

    def ranked(self, question: str) -> list[Ranked]:
        """The entries that fit best, best first; empty where no word of the question is known."""
        concepts = self._understanding.concepts(question)
        query = self._query(concepts)
        if not query:
            return []
        found = self._candidates(query, concepts)
        topics = self._best_topics(found.values())
        for topic in topics:
            found.update(self._of_topic(topic, concepts, found))
        return _scored(found.values(), topics, concepts, wanted_kinds(question))

    def _query(self, concepts: Sequence[Concept]) -> str:
        """All variants of all concepts as one FTS5 query. Terms are quoted: FTS5 reads none of
        them as an operator, and none can hold a quote."""
        phrases = {phrase for concept in concepts for phrase, _ in concept.variants}
        counted = sorted(
            (min(map(self._understanding.frequency, phrase)), phrase) for phrase in phrases
        )
        taken: list[Phrase] = []
        spent = 0
        for count, phrase in counted:
            if count and (spent + count <= _POSTINGS or not taken):
                taken.append(phrase)
                spent += count
        return " OR ".join(f'"{" ".join(phrase)}"' for phrase in taken)

    def _candidates(self, query: str, concepts: Sequence[Concept]) -> dict[int, _Candidate]:
        weights = ", ".join(str(_WEIGHTS[field]) for field in FIELDS)
        rows = self._connection.execute(
            f"SELECT rowid FROM search WHERE search MATCH ? AND rank MATCH 'bm25({weights})' "
            "ORDER BY rank LIMIT ?",
            (query, _CANDIDATES),
        )
        numbers = ", ".join(str(int(row[0])) for row in rows)
        return self._weighed(f"passage.id IN ({numbers})", (), concepts)

    def _of_topic(
        self, topic: str, concepts: Sequence[Concept], known: Mapping[int, _Candidate]
    ) -> dict[int, _Candidate]:
        found = self._weighed(f"passage.topic = ? LIMIT {_PER_TOPIC}", (topic,), concepts)
        return {number: one for number, one in found.items() if number not in known}

    def _weighed(
        self, where: str, values: tuple[str, ...], concepts: Sequence[Concept]
    ) -> dict[int, _Candidate]:
        rows = self._connection.execute(
            "SELECT passage.id, passage.topic, passage.kind, "
            "search.topic, search.also, search.kind, search.body "
            f"FROM passage JOIN search ON search.rowid = passage.id WHERE {where}",
            values,
        )
        return {
            number: _Candidate(number, topic, kind, self._hits(fields, concepts))
            for number, topic, kind, *fields in rows
        }

    def _hits(self, fields: Sequence[str], concepts: Sequence[Concept]) -> tuple[float, ...]:
        padded = [(f" {field} ", self._scale(place, field)) for place, field in enumerate(fields)]
        padded[0] = (padded[0][0], padded[0][1] * self._named(fields[0], concepts))
        whole = "".join(text for text, _ in padded)
        return tuple(_hit(concept, whole, padded) for concept in concepts)

    def _scale(self, place: int, field: str) -> float:
        """A field's weight, less for a field that is longer than usual."""
        name = FIELDS[place]
        share = _LENGTH_SHARE[name]
        length = field.count(" ") + 1 if field else 0
        return _WEIGHTS[name] / (1 - share + share * length / self._means[place])

    def _named(self, topic: str, concepts: Sequence[Concept]) -> float:
        """Which share of the topic's own words, weighed by rarity, the question names.

        Without it, "attacks of pain" would find "Heart attack" by half of its name.
        """
        asked = {one for concept in concepts for phrase, _ in concept.variants for one in phrase}
        rarities = {one: self._understanding.rarity(one) for one in topic.split()}
        whole = sum(rarities.values())
        return sum(rarities[one] for one in rarities if one in asked) / whole if whole else 0.0

    def _best_topics(self, found: Iterable[_Candidate]) -> dict[str, tuple[float, ...]]:
        """What each concept contributes in the best entry of each topic, for the best topics."""
        merged: dict[str, tuple[float, ...]] = {}
        for one in found:
            before = merged.get(one.topic, one.hits)
            merged[one.topic] = tuple(map(max, before, one.hits))
        best = sorted(merged, key=lambda topic: sum(merged[topic]), reverse=True)[:_TOPICS]
        return {topic: merged[topic] for topic in best}


def _hit(concept: Concept, whole: str, fields: Sequence[tuple[str, float]]) -> float:
    """BM25F of the concept's best variant."""
    best = 0.0
    for phrase, share in concept.variants:
        needle = f" {' '.join(phrase)} "
        if needle in whole:
            frequency = sum(scale * text.count(needle) for text, scale in fields)
            best = max(best, share * frequency / (frequency + _SATURATION))
    return concept.weight * concept.rarity * (1 + _SATURATION) * best


def _least_coverage(concepts: Sequence[Concept]) -> float:
    if any(concept.anchored for concept in concepts):
        return _LEAST_COVERAGE
    return _LEAST_UNANCHORED if len(concepts) > 1 else math.inf


def _mention(concept: Concept) -> float:
    """What a plain mention of the concept covers: words outside medicine are capped, since what a
    small index has never met is rare to it without being important."""
    rarity = concept.rarity if concept.anchored else min(concept.rarity, _RAREST_UNANCHORED)
    return concept.weight * rarity


def _scored(
    found: Iterable[_Candidate],
    topics: Mapping[str, tuple[float, ...]],
    concepts: Sequence[Concept],
    kinds: Mapping[str, float],
) -> list[Ranked]:
    """By the topic, the entry itself, and whether it is of the kind that was asked for."""
    mentions = [_mention(concept) for concept in concepts]
    asked = sum(
        mention
        for mention, concept in zip(mentions, concepts, strict=True)
        if len(concept.variants[0][0]) == 1  # a phrase is asked for by its words
    )
    least = _least_coverage(concepts)
    members: dict[str, list[_Candidate]] = defaultdict(list)
    for one in found:
        if one.topic in topics:
            members[one.topic].append(one)
    ranked = []
    for entries in members.values():
        whole = [max(one.hits[place] for one in entries) for place in range(len(concepts))]
        topic = sum(whole)
        coverage = min(sum(map(min, whole, mentions)) / asked, 1.0)
        for one in entries:
            fit = _TOPIC_SHARE * topic + (1 - _TOPIC_SHARE) * sum(one.hits)
            score = fit * (1 + _KIND_SHARE * kinds.get(one.kind, 0.0))
            ranked.append(Ranked(one.id, score, coverage, coverage >= least))
    return sorted(ranked, key=lambda one: (-one.score, one.id))
