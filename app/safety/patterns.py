"""Patterns over words: parsed once, looked up together, matched in time linear in the text.

`app.safety.rules` says how they are written. All phrases of all patterns are found in one walk
over the words; a pattern is then joined only where each of its places was found.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise

from app.safety.words import Word, stems

_EXACT = "="
_MOST_FILLERS = 3
"""Small words that may stand between two words of a phrase."""
_NEAR = {" ": 0, "..": 4, "&": 6, "&&": 40}
"""By joiner, how many other words may stand between two places."""

Span = tuple[int, int]
"""First and last word of a phrase, as indexes."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Places to be found, and how each is joined to those before it."""

    places: tuple[int, ...]
    """Ids that `Lexicon` gave."""
    joiners: tuple[str, ...]
    needed: frozenset[int]
    """The places as a set, which is quicker to look for."""


@dataclass(frozen=True, slots=True)
class Match:
    """Where a pattern was found."""

    spans: tuple[Span, ...]
    """In the order of the text."""

    @property
    def first(self) -> int:
        return self.spans[0][0]

    @property
    def last(self) -> int:
        return self.spans[-1][1]


class Lexicon:
    """All phrases, each with the places it can fill."""

    def __init__(self, lists: Mapping[str, Sequence[str]]) -> None:
        """Takes the named lists that `{name}` stands for."""
        self._lists = lists
        self._ids: dict[str, int] = {}
        self._phrases: dict[str, dict[tuple[str, ...], list[int]]] = {}
        """By the first word: the other words, and the places that the phrase fills."""
        self._read: dict[str, tuple[str, ...]] = {}
        self._sizes: dict[int, int] = {}
        self.stems: set[str] = set()

    def parse(self, written: str) -> Pattern:
        """A pattern from its written form. Raises ValueError where it cannot be read."""
        places: list[int] = []
        joiners: list[str] = []
        joiner = ""
        for item in _items(written):
            if item in _NEAR:
                if joiner or not places:
                    raise ValueError(f"“{written}” joins nothing with “{item}”")
                joiner = item
                continue
            if places:
                joiners.append(joiner or " ")
            places.append(self._place(item))
            joiner = ""
        if joiner or not places:
            raise ValueError(f"“{written}” ends without a word")
        return Pattern(tuple(places), tuple(joiners), frozenset(places))

    def place(self, phrases: Sequence[str]) -> int:
        """One place that any of these phrases fills."""
        return self._place("|".join(phrase.replace(" ", "_") for phrase in phrases))

    def phrases_at(self, place: int) -> int:
        """How many phrases fill a place; the fewer, the less often a text has one."""
        return self._sizes[place]

    def find(self, words: Sequence[Word], fillers: Sequence[bool]) -> dict[int, list[list[Span]]]:
        """Every phrase in the text, by place: for each of its phrases that stand in the text the
        spans, in the order of the text. Phrases serve many places, so spans are shared."""
        present = {word.stem for word in words} | {_EXACT + word.text for word in words}
        starts: dict[str, list[int]] = {}
        for index, word in enumerate(words):
            starts.setdefault(word.stem, []).append(index)
            starts.setdefault(_EXACT + word.text, []).append(index)
        found: dict[int, list[list[Span]]] = {}
        for key, indexes in starts.items():
            for rest, places in self._phrases.get(key, {}).items():
                if rest and rest[0] not in present:
                    continue
                spans = list(_spans(rest, indexes, words, fillers))
                if spans:
                    for place in places:
                        found.setdefault(place, []).append(spans)
        return found

    def _place(self, item: str) -> int:
        if item in self._ids:
            return self._ids[item]
        place = self._ids[item] = len(self._ids)
        phrases = dict.fromkeys(self._alternatives(item, ()))
        self._sizes[place] = len(phrases)
        for phrase in phrases:
            self._phrases.setdefault(phrase[0], {}).setdefault(phrase[1:], []).append(place)
            self.stems.update(phrase)
        return place

    def _alternatives(self, item: str, inside: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for one in item.split("|"):
            if one.startswith("{"):
                name = one[1:-1]
                if name not in self._lists or name in inside:
                    raise ValueError(f"there is no list “{name}” that could stand here")
                for phrase in self._lists[name]:
                    yield from self._alternatives(phrase.replace(" ", "_"), (*inside, name))
                continue
            yield self._phrase(one)

    def _phrase(self, written: str) -> tuple[str, ...]:
        """The stems of a phrase; each is worked out once, for the rules repeat themselves."""
        phrase = self._read.get(written)
        if phrase is None:
            parts = [_wanted(part) for part in written.split("_")]
            if not all(parts):
                raise ValueError(f"“{written}” has a place without a word")
            phrase = self._read[written] = tuple(chain.from_iterable(parts))
        return phrase


class Text:
    """A text's words with what was found in them, ready for patterns to be matched."""

    def __init__(self, words: Sequence[Word], lexicon: Lexicon, fillers: frozenset[str]) -> None:
        self.words = words
        small = [word.text in fillers for word in words]
        self._others = [0, *accumulate(not one for one in small)]
        self._found = lexicon.find(words, small)
        self._spans: dict[int, list[Span]] = {}

    @property
    def places(self) -> Iterable[int]:
        """Every place that was filled somewhere."""
        return self._found

    def at(self, place: int) -> Sequence[Span]:
        """Where one place was filled."""
        spans = self._spans.get(place)
        if spans is None:
            spans = self._spans[place] = sorted(set(chain(*self._found.get(place, ()))))
        return spans

    def gap(self, end: int, start: int) -> int:
        """Words between two words, small ones not counted."""
        return self._others[start] - self._others[end + 1]

    def matches(self, pattern: Pattern) -> list[Match]:
        """Where a pattern stands; of several ways to join its places only the nearest."""
        if not self._found.keys() >= pattern.needed:
            return []
        partial: list[tuple[Span, ...]] = [(span,) for span in self.at(pattern.places[0])]
        for joiner, place in zip(pattern.joiners, pattern.places[1:], strict=True):
            spans = self.at(place)
            partial = [
                tuple(sorted((*one, span)))
                for one in partial
                for span in self._joined(one, spans, joiner)
            ]
        return [Match(one) for one in partial]

    def _joined(self, one: tuple[Span, ...], spans: Sequence[Span], joiner: str) -> Iterator[Span]:
        """The nearest span behind what was matched; where order does not count, others too."""
        first, last = one[0][0], one[-1][1]
        behind = bisect_left(spans, (last + 1, 0))
        if behind < len(spans) and self._near(last, spans[behind][0], joiner):
            yield spans[behind]
        if joiner.startswith("&"):
            before = bisect_left(spans, (first, 0)) - 1
            while before >= 0 and spans[before][1] >= first:
                before -= 1
            if before >= 0 and self._near(spans[before][1], first, joiner):
                yield spans[before]
            yield from _inside(one, spans)

    def _near(self, end: int, start: int, joiner: str) -> bool:
        a, b = self.words[end], self.words[start]
        together = a.sentence == b.sentence if joiner == "&&" else a.clause == b.clause
        return together and self.gap(end, start) <= _NEAR[joiner]


def _inside(one: tuple[Span, ...], spans: Sequence[Span]) -> Iterator[Span]:
    """The first span between two that were matched: "chopped my finger off"."""
    for (_, end), (start, _) in pairwise(one):
        index = bisect_left(spans, (end + 1, 0))
        if index < len(spans) and spans[index][1] < start:
            yield spans[index]


def _items(written: str) -> Iterator[str]:
    """The places and joiners; plain words in a row are one phrase."""
    row: list[str] = []
    for item in written.split():
        if item in _NEAR or "{" in item or "|" in item:
            if row:
                yield "_".join(row)
                row = []
            yield item
        else:
            row.append(item)
    if row:
        yield "_".join(row)


def _wanted(written: str) -> tuple[str, ...]:
    """The stems of a word as it is written in a pattern ("can't" is two), or the word itself."""
    if written.startswith(_EXACT):
        return (written,)
    return stems(written)


def _fits(word: Word, wanted: str) -> bool:
    return word.stem == wanted or (wanted[0] == _EXACT and word.text == wanted[1:])


def _spans(
    rest: tuple[str, ...], starts: Sequence[int], words: Sequence[Word], fillers: Sequence[bool]
) -> Iterator[Span]:
    """Where a phrase stands whose first word is at one of these."""
    for start in starts:
        last = _phrase_end(rest, start, words, fillers) if rest else start
        if last is not None:
            yield start, last


def _phrase_end(
    rest: tuple[str, ...], start: int, words: Sequence[Word], fillers: Sequence[bool]
) -> int | None:
    """The last word of a phrase whose first is here; it stays in one sentence."""
    index = start
    for wanted in rest:
        skipped = 0
        index += 1
        while (
            index < len(words)
            and not _fits(words[index], wanted)
            and fillers[index]
            and skipped < _MOST_FILLERS
        ):
            index += 1
            skipped += 1
        if index >= len(words) or not _fits(words[index], wanted):
            return None
    return index if words[index].sentence == words[start].sentence else None
