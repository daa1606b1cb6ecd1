"""Which sentences of an answer do not stand in its sources, and which doses in none it cites.

Both checks are lexical: they compare words and numbers, not meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.knowledge.passage import Passage
from app.knowledge.sentences import sentences
from app.knowledge.thesaurus import shipped_thesaurus
from app.knowledge.words import fold, term, terms

_ENOUGH = 0.6
"""The share of a sentence's words that must stand together in a passage."""
_TOGETHER = 3
"""Sentences of a passage that are looked at side by side."""
_LEAST_WORDS = 2
"""Sentences with fewer words that say something ("Yes.") claim nothing and are not counted."""

_CITATION = re.compile(r"\[(\d{1,3})\]")
_NUMBER = r"\d+(?:[.,]\d+)*"
_NUMBERS = re.compile(rf"(?<![\w.]){_NUMBER}")
_NEGATION = re.compile(r"\b(?:not|no|never|none|without|cannot|dont|doesnt|isnt|arent|shouldnt)\b")

_UNITS = {
    "mg": "mg|milligrams?", "g": "g|gm|grams?", "mcg": "mcg|µg|μg|ug|micrograms?",
    "ml": "ml|mls|millilit(?:er|re)s?|cc", "l": "lit(?:er|re)s?", "unit": "units?|iu",
    "percent": "%|percent", "drop": "drops?", "puff": "puffs?",
    "tablet": "tablets?|pills?|capsules?|caplets?", "spoon": "(?:tea|table)spoons?|tsp|tbsp",
    "mmol": "mmol|mmol/l", "time": "times|x", "hour": "hours?|hrs?|hourly", "dose": "doses?",
}  # fmt: skip
_STRENGTH = {"mg", "g", "mcg", "ml", "unit", "percent", "drop", "puff", "tablet", "spoon", "dose"}
"""Units that make a number a dose; "times" and "hours" are compared only beside one of these."""
_AMOUNT = re.compile(
    rf"(?<![\w.])(?P<number>{_NUMBER}|one|two|three|four|five|six|half)"
    rf"(?:\s*(?:-|–|to|or)\s*(?P<upto>{_NUMBER}|two|three|four|five|six))?\s*-?\s*(?:"
    + "|".join(f"(?P<{unit}>{pattern})" for unit, pattern in _UNITS.items())
    + r")(?![\w])"
)
_WRITTEN = {
    "half": "0.5",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
}
_MILLIGRAMS = {"g": 1000.0, "mg": 1.0, "mcg": 0.001}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer, as it stands there."""

    text: str
    place: int
    """Its number in `claims(answer)`, from 0."""


def claims(answer: str) -> list[str]:
    """The sentences of an answer that claim something: what "of 5 sentences" counts.

    Left out are those of fewer than two words that say something, and questions.
    """
    return [
        one
        for one in sentences(answer)
        if len(terms(_CITATION.sub("", one))) >= _LEAST_WORDS and not one.endswith("?")
    ]


def unsupported_sentences(answer: str, passages: Sequence[Passage]) -> list[Sentence]:
    """The sentences of an answer that are not in the sources.

    A sentence is taken to be in the sources where one passage has, within three sentences side by
    side, at least 60 % of its words (by their stems) and all of its numbers, and where it denies
    something only if they do, too.

    What this sees: facts, names and numbers that come from nowhere; "not" put in or left out.
    What it cannot see: whether the sentence says the same as the words that it shares ("A causes
    B" and "B causes A" are one to it); a true sentence in quite other words (it is counted as not
    in the sources); whether the source itself is right or fits the question.
    """
    windows = [window for passage in passages for window in _windows(passage)]
    return [
        Sentence(text, place)
        for place, text in enumerate(claims(answer))
        if not any(_holds(window, text) for window in windows)
    ]


def uncited_doses(answer: str, passages: Sequence[Passage]) -> list[Sentence]:
    """The sentences with a dose that stands in no passage that the answer cites ("[1]").

    A dose is a number with a unit of medicine ("500 mg", "2 tablets"), or a number beside the name
    of a medicine that the thesaurus knows ("ibuprofen 400"). It is covered where a sentence of a
    cited passage has the same amount (1 g is 1000 mg) and every medicine that the answer's
    sentence names and the thesaurus knows. An answer that cites nothing has no dose covered.

    What this cannot see: numbers written out beyond six, a medicine that the thesaurus does not
    know, whether the dose is for this patient, or how often it may be taken when the amounts
    agree. It marks; it does not approve.
    """
    cited = {int(number) for number in _CITATION.findall(answer)}
    covered = [
        (_amounts(one), _medicines(one))
        for number, passage in enumerate(passages, 1)
        if number in cited
        for one in sentences(f"{passage.title}.\n{passage.text}")
    ]
    return [
        Sentence(text, place)
        for place, text in enumerate(claims(answer))
        if not _doses_covered(_CITATION.sub("", text), covered)
    ]


@dataclass(frozen=True, slots=True)
class _Window:
    terms: frozenset[str]
    numbers: frozenset[str]
    denies: bool


def _windows(passage: Passage) -> Iterator[_Window]:
    parts = sentences(passage.text)
    title = frozenset(terms(passage.title))
    for start in range(max(len(parts) - _TOGETHER + 1, 1)):
        text = " ".join(parts[start : start + _TOGETHER])
        yield _Window(title.union(terms(text)), _numbers(text), _denies(text))


def _holds(window: _Window, sentence: str) -> bool:
    claim = _CITATION.sub("", sentence)
    asked = set(terms(claim))
    shared = len(asked & window.terms) / len(asked)
    sound = _numbers(claim) <= window.numbers and (window.denies or not _denies(claim))
    return shared >= _ENOUGH and sound


def _denies(text: str) -> bool:
    return _NEGATION.search(fold(text)) is not None


def _numbers(text: str) -> frozenset[str]:
    return frozenset(_plain(number) for number in _NUMBERS.findall(text))


def _plain(number: str) -> str:
    """One writing for each number: "1,000" and "1000.0" are "1000"."""
    number = _WRITTEN.get(number, number)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", number):
        number = number.replace(",", "")
    number = number.replace(",", ".")
    return f"{float(number):g}" if number.count(".") <= 1 else number


def _amounts(text: str) -> frozenset[str]:
    """Every amount of a text with its unit, weights in milligrams."""
    return frozenset(_each_amount(text))


def _each_amount(text: str) -> Iterator[str]:
    for found in _AMOUNT.finditer(_lower(text)):
        unit = next(name for name in _UNITS if found[name])
        for number in filter(None, (found["number"], found["upto"])):
            yield _amount(_plain(number), unit)
    if _medicines(text):
        yield from (f"{_plain(number)} bare" for number in _bare_numbers(text))


def _amount(number: str, unit: str) -> str:
    if unit in _MILLIGRAMS and number.count(".") <= 1:
        return f"{float(number) * _MILLIGRAMS[unit]:g} mg"
    return f"{number} {unit}"


def _bare_numbers(text: str) -> Iterator[str]:
    """Numbers right behind or before the name of a medicine, without a unit."""
    parts = re.findall(rf"{_NUMBER}|[^\W\d_]+|%", _lower(text))
    for place, part in enumerate(parts):
        if not part[0].isdigit():
            continue
        behind = parts[place + 1] if place + 1 < len(parts) else ""
        if re.fullmatch("|".join(_UNITS.values()), behind):
            continue
        beside = {behind, parts[place - 1] if place else ""}
        if beside & _names(text):
            yield part


def _doses_covered(text: str, covered: Iterable[tuple[frozenset[str], frozenset[str]]]) -> bool:
    """Whether every dose of a sentence stands, with its medicines, in one source sentence."""
    amounts = _amounts(text)
    doses = {one for one in amounts if one.split()[1] in _STRENGTH | {"bare"}}
    named = _medicines(text)
    if not doses:
        return True
    rest = {one.partition(" ")[0] for one in doses if one.endswith("bare")}
    strong = {one for one in doses if not one.endswith("bare")}
    for found, medicines in covered:
        numbers = {one.partition(" ")[0] for one in found}
        if strong <= found and rest <= numbers and named <= medicines:
            return True
    return False


def _medicines(text: str) -> frozenset[str]:
    """The medicines that a text names, each by one of its names."""
    known = shipped_thesaurus().medicines
    return frozenset(known[term(word)] for word in _names(text))


def _names(text: str) -> set[str]:
    """The words of a text that name a medicine."""
    known = shipped_thesaurus().medicines
    return {word for word in re.findall(r"[^\W\d_]+", fold(text)) if term(word) in known}


def _lower(text: str) -> str:
    return text.casefold().replace("μ", "µ")
