"""What a question leaves unsaid because the questions before it have said it.

"Is it contagious?" and "can I still go to work?" name no entry: they ask something of what is
talked of, and its entries alone can answer them. "Now I have a fever and my back hurts" names
entries of its own, and means something else after a bladder infection than alone: it borrows the
strongest concepts of the questions before it, where the entries about those speak of fever and
backs. A question that turns to a topic of its own borrows nothing.

The index tells them apart. Words are a topic where they make up the name of an entry, and none
where medicine merely uses them ("contagious", "family"): those are asked of every topic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from app.knowledge.concepts import Concept
from app.knowledge.naming import RELATIVES, Naming
from app.knowledge.thesaurus import Phrase
from app.knowledge.words import fold, terms

MOST_EARLIER = 12
"""Questions before this one that are looked at."""
_STRONGEST = 5
"""Concepts that one question lends; of a whole letter the rest would drown what is asked now."""
_DECAY = 0.8
"""What a borrowed concept counts for each question further back."""
_WORDS_OF_TOPIC = 2
"""So many words outside medicine are a topic of their own, though none of a reference's: "how do I
knit a scarf?" is no question about the gout before it, and "which shoes?" is."""

_JOINING = re.compile(r"^\W*(?:(?:and|but|so|or|also|then|ok|okay|well)\b\W*)+")
_CLAUSE = re.compile(r"[.!?;,]+|\b(?:and|or|but|if|when|because)\b")
_BACK = re.compile(
    r"\b(?:it|its|they|them|their|these|those|same|about that|(?:is|was|does|do|can) that)\b"
    r"|\bthis\b(?! (?:morning|afternoon|evening|week|weekend|month|year|summer|winter|time)\b)"
    r"|\bthat\W*$"
)
"""Words that stand for something named before."""
_SOMEBODY = re.compile(r"\b(?:he|she|him|her|his|hers)\b")
_RELATIVE = re.compile(rf"\b(?:{RELATIVES})\b")
"""Somebody who is brought in by these words, so that "she" may be her."""
_ADDING = re.compile(
    r"\b(?:also|now|as well|still|again|since|(?:what|how) about)\b|\btoo\b(?! \w)"
)
"""Words by which one goes on."""
_OWN = re.compile(r"\b(?:i|im|ive|ill|me|my|we|weve|us|our)\b")
_DEFINITE = re.compile(r"^the\b")
"""Tells of something that is known: "the swelling gets worse"."""
_ASKING = re.compile(r"^(?:what|which|who|how|when|where|why)\b|\?")
_OPENING = (
    r"^(?:can|could|may|should|shall|must|will|would|do|does|did|is|are|am|was|were|has|have"
    r"|what if|what happens (?:if|when))\b"
)
_WHETHER = re.compile(rf"{_OPENING}(?! you\b)")
"""How one asks whether something is, may or will be so."""
_WHETHER_I = re.compile(rf"{_OPENING} (?:i|we)\b")
_SHOULD_I = re.compile(r"\b(?:should|shall|must|may|will|am) (?:i|we)\b")
"""How one asks what to do or what will come, with what was said before."""
_MEASURE = re.compile(
    r"^(?:for )?how (?!do|does|did|can|could|would|will|is|are|to|about|come)\w+\b"
)
_FOR_WHAT = re.compile(
    r"\b(?:helps?|works?|allowed|ok|okay|fine|normal|enough|useful"
    r"|good|better|best|bad|worse|worst|(?:good|bad) idea)\W*$"
)
"""Leaves out what something is good or bad for."""


@dataclass(frozen=True, slots=True)
class Said:
    """One question of a conversation, and what it names."""

    text: str
    concepts: tuple[Concept, ...]
    naming: Naming = Naming.NOTHING
    aside: frozenset[str] = frozenset()
    """Its terms that are asked of every topic (`naming.aside`)."""

    @property
    def named(self) -> frozenset[str]:
        """Terms of medicine or of a document's subject in it, without what is asked of all."""
        anchored = chain(*(one.variants[0][0] for one in self.concepts if one.anchored))
        return frozenset(anchored) - self.aside

    @property
    def names(self) -> bool:
        """Whether it names anything that can be talked of."""
        return bool(self.named) or self.naming in (Naming.PART, Naming.ENTRY)

    @property
    def says(self) -> frozenset[str]:
        """All its terms, without what is asked of all."""
        return frozenset(chain(*(one.variants[0][0] for one in self.concepts))) - self.aside


@dataclass(frozen=True, slots=True)
class Leaning:
    """How a question stands to what is talked of."""

    share: float
    """What a borrowed concept counts beside the question's own; 0 where it begins anew."""
    within: bool = False
    """Whether only the entries of what is talked of can answer it."""
    if_spoken_of: bool = False
    """Whether it leans on it only where those entries speak of what it says."""


WHOLLY = Leaning(1.5, within=True)
"""It names nothing."""
ALONE = Leaning(0.0)
"""It begins something new."""
_EITHER = Leaning(1.5, within=True, if_spoken_of=True)
"""It asks whether something is so, and does not say of what."""
_GOING_ON = Leaning(1.5, if_spoken_of=True)
"""It goes on, and the topic outweighs what it names besides."""
_REFERRING = Leaning(0.8, if_spoken_of=True)
"""It seems to go on, and what it names itself weighs more."""
_PERHAPS = Leaning(0.4, if_spoken_of=True)
"""It tells or asks something that may be another matter."""

Spoken = Callable[[Said, tuple[Said, ...]], bool]
"""Whether the entries that a thread is about speak of what a question names."""


def thread_of(earlier: Iterable[Said], spoken: Spoken) -> tuple[Said, ...]:
    """The questions that say what is talked of now, the latest first.

    Args:
        earlier: those asked in this conversation, the latest first. None is taken beyond the one
            that began anew.
        spoken: asked where a question may lean on those before it or begin something new.
    """
    since: list[Said] = []
    for one in earlier:
        since.append(one)
        if one.names and not leaning(one).share:
            break
    thread: tuple[Said, ...] = ()
    for one in reversed(since):
        stands = stance(one, thread, spoken)
        if one.names and not stands.within:  # the others ask of the topic, and bring none
            thread = (one, *thread) if stands.share else (one,)
    return thread


def stance(question: Said, thread: tuple[Said, ...], spoken: Spoken) -> Leaning:
    """How the question stands to this thread; alone where there is none."""
    stands = leaning(question) if thread else ALONE
    return ALONE if stands.if_spoken_of and not spoken(question, thread) else stands


def borrowed(question: Said, thread: Sequence[Said], stands: Leaning) -> list[Concept]:
    """What the question borrows of those before it, the latest first.

    Returns:
        Concepts that the question does not name itself, weighed by how far it leans on them and
        less the further back they stand; none where it speaks for itself.
    """
    if not stands.share:
        return []
    own = {one.variants[0][0] for one in question.concepts}
    share = stands.share
    lent: dict[Phrase, Concept] = {}
    for before in thread:
        for one in _strongest(before.concepts):
            lent.setdefault(one.variants[0][0], replace(one, weight=one.weight * share))
        share *= _DECAY
    return [one for phrase, one in lent.items() if phrase not in own]


def leaning(question: Said) -> Leaning:
    """How the question stands to whatever is talked of, by how it is put and what it names."""
    put = _Put.of(question)
    if question.naming is Naming.ENTRY:
        if put.back and (put.whether or put.asking):
            return _GOING_ON
        if put.back or put.adding or put.whether_i or (put.whether and put.for_what):
            return _REFERRING
        return _PERHAPS if put.telling else ALONE
    if put.back or not question.says or _is_elliptic(put, question):
        return WHOLLY
    if question.naming is Naming.PART:
        if put.whether:
            return _EITHER
        if put.adding:
            return _GOING_ON
        return _REFERRING if put.telling else _PERHAPS if put.short else ALONE
    return _without_a_name(put, question.naming)


def _without_a_name(put: _Put, naming: Naming) -> Leaning:
    """The same for one that names nothing: what is put about oneself, or in words that the
    reference knows, is meant of the topic."""
    if put.telling:
        return _GOING_ON
    if put.adding or (put.short and put.own):
        return WHOLLY
    asks = put.own or put.whether or (put.short and put.asking)
    if asks and naming is Naming.NOTHING:
        return WHOLLY
    return _EITHER if put.whether else ALONE


@dataclass(frozen=True, slots=True)
class _Put:
    """How a question is put."""

    text: str
    """Folded, without "and" or "but" before it."""
    back: bool
    adding: bool
    whether: bool
    whether_i: bool
    asking: bool
    own: bool
    for_what: bool
    telling: bool
    """Whether somebody says how it is, with them or with what is known."""
    short: bool

    @classmethod
    def of(cls, question: Said) -> _Put:
        whole = fold(question.text)
        text = _JOINING.sub("", whole)
        whether, asking = bool(_WHETHER.search(text)), bool(_ASKING.search(text))
        own = bool(_OWN.search(text))
        told = (own or _DEFINITE.search(text)) and not _RELATIVE.search(text)
        return cls(
            text,
            back=_points_back(whole, question),
            adding=bool(_ADDING.search(whole)),
            whether=whether,
            whether_i=bool(_WHETHER_I.search(text)),
            asking=asking,
            own=own,
            for_what=bool(_FOR_WHAT.search(text)),
            telling=bool(told) and not (whether or asking),
            short=len(question.says) < _WORDS_OF_TOPIC,
        )


def _is_elliptic(put: _Put, question: Said) -> bool:
    """Whether it leaves out what it is about: "can I wait?", "does ice help?", "how long?"."""
    if put.whether_i or (put.whether and put.for_what):
        return True
    if _MEASURE.search(put.text) and question.naming is not Naming.FOREIGN:
        return True
    brief = len(question.says) <= _WORDS_OF_TOPIC
    advice = question.naming is not Naming.PART and _SHOULD_I.search(put.text)
    return brief and bool(advice or put.for_what)


def _points_back(text: str, question: Said) -> bool:
    """Whether a pronoun stands for something outside the question: "what is gout and how is it
    treated?" names in an earlier clause what its own "it" is."""
    somebody = not _RELATIVE.search(text)
    for clause in _CLAUSE.split(text):
        if _BACK.search(clause) or (somebody and _SOMEBODY.search(clause)):
            return True
        if not question.named.isdisjoint(terms(clause)):
            return False
    return False


def _strongest(concepts: Sequence[Concept]) -> list[Concept]:
    """The rarest words, those of medicine first, with the words of the phrases among them: a
    phrase is asked for by its words."""
    best = sorted(concepts, key=lambda one: (not one.anchored, -one.weight * one.rarity))
    phrases = {one.variants[0][0] for one in best[:_STRONGEST]}
    parts = {(word,) for phrase in phrases for word in phrase}
    return [one for one in concepts if one.variants[0][0] in phrases | parts]
