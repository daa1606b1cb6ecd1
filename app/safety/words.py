"""A text as words: lower case, contractions opened, each with its stem, sentence and clause."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "ʼ": "'", "–": "-", "—": " - "})
_CONTRACTIONS = (
    (r"\b(?:can'?t|cannot|cnat)\b", "can not"),
    (r"\bwon'?t\b", "will not"),
    (r"\bain'?t\b", "is not"),
    (r"\b(is|are|was|were|do|does|did|has|have|had|could|would|should)n'?t\b", r"\1 not"),
    (r"\bi'?m\b", "i am"),
    (r"\bi'?ve\b", "i have"),
    (r"\b(he|she|it|that|there|what|who|where|how)'s\b", r"\1 is"),
    (r"\b(he|she|what|it)s\b", r"\1 is"),
    (r"\b(we|you|they)'re\b", r"\1 are"),
    (r"\b(we|you|they)'?ve\b", r"\1 have"),
    (r"\b(i|we|you|they|he|she|it)'ll\b", r"\1 will"),
    (r"\b(i|we|you|they|he|she|it)'d\b", r"\1 would"),
    (r"([a-z])'s\b", r"\1"),
    (r"([a-z])'([a-z])", r"\1\2"),
)
"""Applied in this order to lower case."""
_TOKEN = re.compile(
    r"(?P<word>spo2|sp02|o2|co2|[^\W\d_]+)|(?P<number>\d+(?:[.,]\d+)?)"
    r"|(?P<end>\.(?!\d)|[;!?\n…])|(?P<pause>[,:()\[\]]|\s-+\s)"
)
_VOWEL = re.compile("[aeiouy]")
_ABBREVIATED = frozenset({"dr", "mr", "mrs", "ms", "st", "vs", "eg", "ie", "approx", "temp", "yr"})
_TURNS = frozenset({"but", "however", "although", "though", "whereas", "then"})
"""Words that begin a clause of their own."""
_SUBJECTS = frozenset({"i", "he", "she", "it", "we", "they", "there", "no", "denies"})
"""Words that begin one after a comma."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word or number."""

    text: str
    stem: str
    start: int
    """Its place in the normalised text, in characters."""
    sentence: int
    clause: int
    after_pause: bool
    """A comma, colon, bracket or dash stands before it."""


@dataclass(frozen=True, slots=True)
class Words:
    """A text, taken apart."""

    text: str
    """Normalised: what `Word.start` counts in."""
    words: tuple[Word, ...]
    questions: frozenset[int]
    """Sentences that end with a question mark."""


def split(text: str) -> Words:
    """Take a text apart. Linear in its length; every string is accepted."""
    normal = _normal(text)
    words: list[Word] = []
    questions = set()
    sentence = clause = 0
    pause = False
    for found in _TOKEN.finditer(normal):
        kind, token = found.lastgroup, found.group()
        if kind == "end":
            if token == "." and words and words[-1].text in _ABBREVIATED:
                continue
            if token == "?":
                questions.add(sentence)
            if words and words[-1].sentence == sentence:
                sentence, clause, pause = sentence + 1, clause + 1, False
            continue
        if kind == "pause":
            pause = True
            continue
        if token in _TURNS or (pause and token in _SUBJECTS):
            clause += 1
        words.append(Word(token, stem(token), found.start(), sentence, clause, pause))
        pause = False
    return Words(normal, tuple(words), frozenset(questions))


def _normal(text: str) -> str:
    """Compatible characters, case and contractions made one, so that a rule is written once."""
    normal = unicodedata.normalize("NFKC", text).casefold().translate(_QUOTES)
    for pattern, replacement in _CONTRACTIONS:
        normal = re.sub(pattern, replacement, normal)
    return normal


def stem(word: str) -> str:
    """The part of a word that its forms share: "breathing" and "breathe" become "breath".

    Light on purpose: it strips what English inflects and nothing that tells words apart, and it
    treats rules and texts alike, so an odd stem does no harm unless two words meet in it.
    """
    if len(word) <= 3 or not word.isalpha():
        return word
    if len(word) > 5:
        word = word.replace("ae", "e").replace("oe", "e")
    if len(word) > 6 and word.endswith("ness"):
        word = word[:-4]
    word = _without_plural(word)
    for ending in ("ing", "ed", "ly"):
        rest = word[: -len(ending)]
        if word.endswith(ending) and len(rest) >= 3 and _VOWEL.search(rest) and rest[-1] != "e":
            word = _undoubled(rest)
            break
    if len(word) > 4 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "y" if len(word) > 4 and word.endswith("i") else word


def _without_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _undoubled(rest: str) -> str:
    double = rest[-1] == rest[-2] and rest[-1] not in "lsz"
    return rest[:-1] if double else rest
