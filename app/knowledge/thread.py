"""What a question leaves unsaid because the questions before it have said it.

"Is it contagious?" names nothing to look for, and "now I have a fever and my back hurts" means
something else after a bladder infection than alone. Such a question borrows the strongest concepts
of those before it; where it names something itself they count less than that, and a question that
turns to a topic of its own borrows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from app.knowledge.concepts import LONGEST_QUESTION, Concept
from app.knowledge.question import stated_kinds, topic_words
from app.knowledge.thesaurus import Phrase
from app.knowledge.words import fold, term, terms

MOST_EARLIER = 6
"""Questions before this one that are looked at."""
_STRONGEST = 5
"""Concepts that one question lends; of a whole letter the rest would drown what is asked now."""
_NAMELESS, _REFERRING, _TELLING = 1.5, 0.8, 0.4
"""What a borrowed concept counts against the question's own: where that names nothing, where it
points back, and where somebody only tells what else is wrong, which may be another matter."""
_DECAY = 0.8
"""What it counts for each question further back that named something too."""
_WORDS_OF_TOPIC = 2
"""So many words outside medicine are a topic of their own, though none of a reference's: "how do I
knit a scarf?" is no question about the gout before it, and "can I swim?" is."""

_CLAUSE = re.compile(r"[.!?;,]+|\b(?:and|or|but|if|when|because)\b")
_BACK = re.compile(
    r"\b(?:it|its|this|they|them|their|these|those|same|about that|(?:is|was|does|do|can) that)\b"
)
"""Words that stand for something named before."""
_SOMEBODY = re.compile(r"\b(?:he|she|him|her|his|hers)\b")
_RELATIVE = re.compile(
    r"\b(?:son|daughter|child|baby|toddler|kid|boy|girl|husband|wife|partner|mother|father|mom|mum"
    r"|dad|brother|sister|grand\w+|friend|uncle|aunt|neighbou?r)\b"
)
"""Somebody who is brought in by these words, so that "she" may be her."""
_ADDING = re.compile(r"\b(?:also|too|now|as well|still|again|since|(?:what|how) about)\b")
"""Words by which one goes on telling."""
_OWN = re.compile(r"\b(?:i|im|ive|me|my)\b")


@dataclass(frozen=True, slots=True)
class Said:
    """One question of a conversation, and what it names."""

    text: str
    concepts: tuple[Concept, ...]

    @property
    def named(self) -> frozenset[str]:
        """Terms of medicine or of a document's subject in it, those left out that only tell which
        kind of answer is wanted ("which foods?", "is there a test?")."""
        anchored = chain(*(one.variants[0][0] for one in self.concepts if one.anchored))
        beside = set(topic_words(self.text)[:LONGEST_QUESTION]).difference(_naming(self.text))
        return frozenset(anchored).difference(map(term, beside))


def borrowed(question: Said, earlier: Sequence[Said]) -> list[Concept]:
    """What the question borrows of those before it.

    Args:
        question: the one that is asked now.
        earlier: those before it in this conversation, the latest last.

    Returns:
        Concepts that the question does not name itself, weighed by how far it leans on them and
        less the further back they stand; none where it speaks for itself.
    """
    share = leaning(question) if earlier else 0.0
    if not share:
        return []
    own = {one.variants[0][0] for one in question.concepts}
    lent: dict[Phrase, Concept] = {}
    for before in _thread(earlier[-MOST_EARLIER:]):
        for one in _strongest(before.concepts):
            lent.setdefault(one.variants[0][0], replace(one, weight=one.weight * share))
        share *= _DECAY
    return [one for phrase, one in lent.items() if phrase not in own]


def leaning(question: Said) -> float:
    """What a concept of earlier questions counts beside those of this one, by how it is put; 0
    where it begins something new."""
    text = fold(question.text)
    back, own = _points_back(text, question), bool(_OWN.search(text))
    if question.named:
        telling = own and "?" not in text and not _RELATIVE.search(text)
        return _REFERRING if back else _TELLING if telling else 0.0
    asks = own or bool(stated_kinds(text) - {"information"})
    short = len(_naming(text)) < _WORDS_OF_TOPIC
    return _NAMELESS if back or (short and asks) or not question.concepts else 0.0


def _naming(text: str) -> list[str]:
    """The words that may name a topic: without those that tell which kind of answer is wanted,
    alone or two together ("side effects")."""
    found = [word for word in topic_words(text)[:LONGEST_QUESTION] if not stated_kinds(word)]
    pairs = [pair for pair in pairwise(found) if stated_kinds(" ".join(pair))]
    return [word for word in found if word not in chain(*pairs)]


def _thread(earlier: Sequence[Said]) -> Iterator[Said]:
    """The questions that named something, the latest first, back to the one that began its topic:
    it neither leans on those before it nor names a thing that they name."""
    naming = [one for one in reversed(earlier) if one.named]
    for place, one in enumerate(naming):
        yield one
        before = frozenset[str]().union(*(other.named for other in naming[place + 1 :]))
        if not leaning(one) and one.named.isdisjoint(before):
            return


def _points_back(text: str, question: Said) -> bool:
    """Whether it goes on telling, or a pronoun stands for something outside the question: "what is
    gout and how is it treated?" names in an earlier clause what its own "it" is."""
    if _ADDING.search(text):
        return True
    somebody = not _RELATIVE.search(text)
    for clause in _CLAUSE.split(text):
        if _BACK.search(clause) or (somebody and _SOMEBODY.search(clause)):
            return True
        if not question.named.isdisjoint(terms(clause)):
            return False
    return False


def _strongest(concepts: Sequence[Concept]) -> list[Concept]:
    """The rarest words of medicine, with the words of the phrases among them: a phrase is asked
    for by its words."""
    anchored = (one for one in concepts if one.anchored)
    best = sorted(anchored, key=lambda one: -one.weight * one.rarity)[:_STRONGEST]
    phrases = {one.variants[0][0] for one in best}
    parts = {(word,) for phrase in phrases for word in phrase}
    return [one for one in concepts if one.variants[0][0] in phrases | parts]
