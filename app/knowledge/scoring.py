"""How well entries fit a question: BM25F over concepts, by topic and by entry.

Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields", CIKM 2004;
a concept counts by its best variant, so that a synonym is no second hit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.knowledge.concepts import Concept

WEIGHTS = {"topic": 5.0, "also": 4.0, "kind": 0.5, "body": 1.0}
"""How much a hit in each field of the index counts."""
_LENGTH_SHARE = {"topic": 0.6, "also": 0.0, "kind": 0.0, "body": 0.6}
"""BM25's b: how far a long field is held against its hits."""
_SATURATION = 1.2
"""BM25's k1."""

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
class Candidate:
    """An entry that may fit."""

    id: int
    topic: str
    kind: str
    hits: tuple[float, ...]
    """What each concept of the question contributes."""


class Weighing:
    """Weighs the fields of entries against the concepts of one question."""

    def __init__(
        self,
        concepts: Sequence[Concept],
        means: Mapping[str, float],
        rarity: Callable[[str], float],
    ) -> None:
        """Prepares the question.

        Args:
            concepts: what it names.
            means: the mean length of each field, in terms.
            rarity: of a term.
        """
        self._means, self._rarity = means, rarity
        self._shares: dict[str, float] = {}
        self._asked = {
            one for concept in concepts for phrase, _ in concept.variants for one in phrase
        }
        self._concepts = [
            (
                [(f" {' '.join(phrase)} ", share) for phrase, share in concept.variants],
                concept.weight * concept.rarity * (1 + _SATURATION),
            )
            for concept in concepts
        ]

    def hits(self, fields: Sequence[str]) -> tuple[float, ...]:
        """What each concept contributes to an entry with these fields, in the order of WEIGHTS.

        This is asked some hundred times a question, so a body is searched once for each variant,
        and for none that could not count more than what was found.
        """
        topic, also, kind, body = (f" {field} " for field in fields)
        head = f"{topic}{also}{kind}"  # two spaces between fields: no phrase reaches across
        scales: list[float] = []
        hits = []
        for variants, weight in self._concepts:
            best = 0.0
            for needle, share in variants:
                if best >= share:  # its part of `share` is less than one
                    continue
                in_body, in_head = body.count(needle), needle in head
                if not (in_body or in_head):
                    continue
                scales = scales or self._scales(fields)
                frequency = 0.0
                if in_head:
                    frequency = scales[0] * topic.count(needle) + scales[1] * also.count(needle)
                    frequency += scales[2] * kind.count(needle)
                frequency += scales[3] * in_body
                best = max(best, share * frequency / (frequency + _SATURATION))
            hits.append(weight * best)
        return tuple(hits)

    def _scales(self, fields: Sequence[str]) -> list[float]:
        """The fields' weights, less for a field that is longer than usual."""
        scales = []
        for (name, weight), field in zip(WEIGHTS.items(), fields, strict=True):
            share = _LENGTH_SHARE[name]
            length = field.count(" ") + 1 if field else 0
            scales.append(weight / (1 - share + share * length / self._means[name]))
        scales[0] *= self._share_named(fields[0])
        return scales

    def _share_named(self, topic: str) -> float:
        """`_named`, once for all entries of a topic."""
        if topic not in self._shares:
            self._shares[topic] = self._named(topic)
        return self._shares[topic]

    def _named(self, topic: str) -> float:
        """Which share of the topic's own words, weighed by rarity, the question names.

        Without it, "attacks of pain" would find "Heart attack" by half of its name.
        """
        rarities = {one: self._rarity(one) for one in topic.split()}
        whole = sum(rarities.values())
        named = sum(rarity for one, rarity in rarities.items() if one in self._asked)
        return named / whole if whole else 0.0


def best_topics(found: Iterable[Candidate], most: int) -> set[str]:
    """The topics whose entries together speak most of the question."""
    merged: dict[str, tuple[float, ...]] = {}
    for one in found:
        merged[one.topic] = tuple(map(max, merged.get(one.topic, one.hits), one.hits))
    return set(sorted(merged, key=lambda topic: (-sum(merged[topic]), topic))[:most])


def scored(
    found: Iterable[Candidate], concepts: Sequence[Concept], kinds: Mapping[str, float]
) -> list[Ranked]:
    """The candidates, best first: by their topic, by themselves, and by their kind."""
    mentions = [_mention(concept) for concept in concepts]
    asked = sum(
        mention
        for mention, concept in zip(mentions, concepts, strict=True)
        if len(concept.variants[0][0]) == 1  # a phrase is asked for by its words
    )
    least = _least_coverage(concepts)
    members: dict[str, list[Candidate]] = defaultdict(list)
    for one in found:
        members[one.topic].append(one)
    ranked = []
    for entries in members.values():
        whole = [max(column) for column in zip(*(one.hits for one in entries), strict=True)]
        coverage = min(sum(map(min, whole, mentions)) / asked, 1.0)
        for one in entries:
            fit = _TOPIC_SHARE * sum(whole) + (1 - _TOPIC_SHARE) * sum(one.hits)
            score = fit * (1 + _KIND_SHARE * kinds.get(one.kind, 0.0))
            ranked.append(Ranked(one.id, score, coverage, coverage >= least))
    return sorted(ranked, key=lambda one: (-one.score, one.id))


def _least_coverage(concepts: Sequence[Concept]) -> float:
    if any(concept.anchored for concept in concepts):
        return _LEAST_COVERAGE
    return _LEAST_UNANCHORED if len(concepts) > 1 else math.inf


def _mention(concept: Concept) -> float:
    """What a plain mention of the concept covers: words outside medicine are capped, since what a
    small index has never met is rare to it without being important."""
    rarity = concept.rarity if concept.anchored else min(concept.rarity, _RAREST_UNANCHORED)
    return concept.weight * rarity
