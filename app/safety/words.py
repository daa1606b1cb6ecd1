"""A text as words: lower case, contractions opened, each with its stem, sentence and clause."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "ʼ": "'", "–": "-", "—": " - "})
_VERBS = ("is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "would", "should")
_SCOTS = ("can", "could", "did", "do", "does", "have", "is", "was", "will", "would")
"""Verbs before "-nae"."""
_CONTRACTIONS = {
    **{form: f"{verb} not" for verb in _VERBS for form in (f"{verb}n't", f"{verb}nt")},
    **{f"{who}'re": f"{who} are" for who in ("we", "you", "they")},
    **{form: f"{who} have" for who in ("i", "we", "you", "they") for form in (f"{who}'ve",)},
    **{f"{who}'ll": f"{who} will" for who in ("i", "we", "you", "they", "he", "she", "it")},
    **{f"{who}'d": f"{who} would" for who in ("i", "we", "you", "they", "he", "she", "it")},
    **{f"{who}'s": f"{who} is" for who in ("that", "there", "who", "where", "how")},
    **{
        form: f"{who} is" for who in ("he", "she", "it", "what") for form in (f"{who}'s", f"{who}s")
    },
    **dict.fromkeys(("can't", "cant", "cannot", "couldn't", "couldnt", "cnat"), "can not"),
    **dict.fromkeys(("won't", "wont"), "will not"),
    **{f"{verb}nae": f"{verb} not" for verb in _SCOTS},
    **{
        "dinnae": "do not",
        "wanna": "want to",
        "gonna": "going to",
        "ain't": "is not",
        "i'm": "i am",
        "im": "i am",
        "ive": "i have",
    },
    **{"nae": "no", "nowt": "nothing", "owt": "anything", "summat": "something", "hae": "have"},
    "canny": "can not",
    **{"heid": "head", "oot": "out", "doon": "down", "fae": "from"},
    **{"een": "eyes", "ower": "over", "roon": "round", "airm": "arm", "deid": "dead"},
    **dict.fromkeys(("masel", "mesel", "meself", "mysel"), "myself"),
    **{"mair": "more", "tae": "to", "wi": "with", "wis": "was", "oan": "on", "anither": "another"},
    **{"thocht": "thought", "aboot": "about", "ah": "i"},
    **{"goin": "going", "doin": "doing", "bein": "being", "livin": "living", "dyin": "dying"},
    **{"cyaan": "can not", "nuh": "not", "mek": "make", "tek": "take", "fi": "to"},
    **dict.fromkeys(("tonite", "tnite"), "tonight"),
}
"""Opened, so that a rule says "can not" and finds them all."""
_AS_TYPED = {"nite": "tonight", "moro": "tomorrow"}
_TONIGHT = re.compile(r"\b2(nite|night|moro|morrow|day)\b")
_SPACES = re.compile(r"[^\S\n ]+|  +")
_LINES = re.compile(r"(?: ?\n)+ ?")
_CONTRACTED = re.compile(
    rf"\b(?:[a-z]+'[a-z]+|{'|'.join(one for one in _CONTRACTIONS if one.isalpha())})\b"
)
_QUERIED = re.compile(r"\?(?<!\S\?)(?=[a-z])")
_RESULT = re.compile(r"([+-])(?<!\w[+-]) ?ve\b")
_MYSELF = re.compile(r"\b(my|him|her|your) self\b")
_UNABLE = re.compile(r"\b(?:(?:(?:is|was|am|are|were|be) )?(?:not able|unable) to|could not)\b")
_COUNTED = {
    **{"one": "1"},
    **{"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8"},
    **{"nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "fifteen": "15", "twenty": "20"},
    **{"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70"},
}
_COUNT = re.compile(
    rf"\b({'|'.join(_COUNTED)})(?=[ -](?:day|week|wk|month|year|yr|hour|tablet|pill|capsule)s?\b)"
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70}
_ONES = {
    **{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5},
    **{"six": 6, "seven": 7, "eight": 8, "nine": 9},
}
_COMPOUND = re.compile(rf"\b({'|'.join(_TENS)})[- ]({'|'.join(_ONES)})\b")
"""Numbers as "thirty-six"."""
_TOKEN = re.compile(
    r"(?P<word>spo2|sp02|o2|co2|[^\W\d_]+)|(?P<number>\d+(?:[.,]\d+)?)"
    r"|(?P<end>\.(?!\d)|[;!?\n…])|(?P<pause>[,:()\[\]]|\s-+\s)"
)
_VOWEL = re.compile("[aeiouy]")
_ABBREVIATED = frozenset({"dr", "mr", "mrs", "ms", "st", "vs", "eg", "ie", "approx", "temp", "yr"})
_TURNS = frozenset({"but", "however", "although", "though", "whereas", "then"})
"""Words that begin a clause of their own."""
_LONGEST_SENTENCE = 120
"""Words. Without full stops the time would grow with the square of the length."""
_SUBJECTS = frozenset({"i", "he", "she", "it", "we", "they", "there", "no", "denies", "had"})
"""Words that begin one after a comma."""


class Word(NamedTuple):
    """One word or number. A tuple, since a long turn has hundreds of them and is read each time."""

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


def split(text: str, mend: Callable[[str], str] = str) -> Words:
    """Take a text apart. Linear in its length; every string is accepted.

    `mend` gives the stem that was meant for one that is misspelt.
    """
    normal = _normal(text)
    words: list[Word] = []
    known: dict[str, str] = {}
    questions = set()
    sentence = clause = begun = 0
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
                begun = len(words)
            continue
        if kind == "pause":
            pause = True
            continue
        if words and len(words) - begun >= _LONGEST_SENTENCE:
            sentence, clause, begun = sentence + 1, clause + 1, len(words)
        if token in _TURNS or (pause and token in _SUBJECTS):
            clause += 1
        if token not in known:
            known[token] = mend(stem(token)) if len(token) > 3 else token
        words.append(Word(token, known[token], found.start(), sentence, clause, pause))
        pause = False
    return Words(normal, tuple(words), frozenset(questions))


def stems(written: str) -> tuple[str, ...]:
    """The stems of a word or two of a rule, as they come out of a text."""
    plain = written.isascii() and written.isalpha() and written.islower()
    if plain and written not in _CONTRACTIONS:
        return (stem(written),)  # the usual case, without the detour: a rulebook has thousands
    return tuple(word.stem for word in split(written).words)


def _normal(text: str) -> str:
    """Compatible characters, case and contractions made one, so that a rule is written once."""
    normal = unicodedata.normalize("NFKC", text).casefold().translate(_QUOTES)
    normal = _QUERIED.sub("query ", normal)
    normal = _RESULT.sub(lambda found: "positive" if found[1] == "+" else "negative", normal)
    if "2" in normal:
        normal = _TONIGHT.sub(lambda found: _AS_TYPED.get(found[1], f"to{found[1]}"), normal)
    if " self" in normal:
        normal = _MYSELF.sub(r"\1self", normal)
    normal = _UNABLE.sub("can not", _CONTRACTED.sub(_opened, normal))
    normal = _SPACES.sub(" ", normal)
    if "\n" in normal:
        normal = _LINES.sub("\n", normal)
    normal = _COMPOUND.sub(lambda found: str(_TENS[found[1]] + _ONES[found[2]]), normal)
    return _COUNT.sub(lambda found: _COUNTED[found[1]], normal)


def _opened(found: re.Match[str]) -> str:
    """A contraction in full; of other words with an apostrophe the owner, as "dad" of "dad's"."""
    word = found[0]
    if word in _CONTRACTIONS:
        return _CONTRACTIONS[word]
    return word.removesuffix("'s").replace("'", "")


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
