"""Patterns over words: parsed once, looked up together, matched in time linear in the text.

`app.safety.rules` says how they are written. All phrases of all patterns are found in one walk
over the words; a pattern is then joined only where each of its places was found.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
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


class _Node:
    """A phrase, or the beginning of longer ones, in the tree of all phrases."""

    __slots__ = ("exact", "next", "places")

    def __init__(self) -> None:
        self.next: dict[str, _Node] = {}
        """By the stem of the word that goes on."""
        self.exact: dict[str, _Node] = {}
        """By that word itself."""
        self.places: set[int] = set()
        """What the phrase that ends here fills."""

    def grown(self, wanted: str) -> _Node:
        """The node that one more word of a phrase leads to."""
        if wanted.startswith(_EXACT):
            return self.exact.setdefault(wanted.removeprefix(_EXACT), _Node())
        return self.next.setdefault(wanted, _Node())


class Lexicon:
    """All phrases, each with the places it can fill."""

    def __init__(self, lists: Mapping[str, Sequence[str]]) -> None:
        """Takes the named lists that `{name}` stands for."""
        self._lists = lists
        self._ids: dict[str, int] = {}
        self._tree = _Node()
        self._read: dict[str, tuple[str, ...]] = {}
        self._ends: list[frozenset[_Node]] = []
        """By place: where the phrases end that fill it."""
        self._commonness: list[int] = []
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

    def commonness(self, place: int) -> int:
        """How often a text is likely to fill a place: short single words stand everywhere."""
        return self._commonness[place]

    def find(self, words: Sequence[Word], fillers: Sequence[bool]) -> Found:
        """Every phrase in the text: one walk down the tree from each word."""
        walk = _Walk(words, fillers)
        for index, word in enumerate(words):
            walk.on(self._tree, word, index, index)
        return Found(walk.phrases, self._ends)

    def _place(self, item: str) -> int:
        if item in self._ids:
            return self._ids[item]
        place = self._ids[item] = len(self._ids)
        ends = set()
        phrases = dict.fromkeys(self._alternatives(item, ()))
        for phrase in phrases:
            node = self._tree
            for word in phrase:
                node = node.grown(word)
            node.places.add(place)
            ends.add(node)
            self.stems.update(phrase)
        self._ends.append(frozenset(ends))
        self._commonness.append(sum(map(_commonness, phrases)))
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


class Found:
    """The phrases of one text, and the places that they fill."""

    def __init__(
        self, phrases: Mapping[_Node, list[Span]], ends: Sequence[frozenset[_Node]]
    ) -> None:
        """Takes where each phrase stands, and by place which phrases fill it."""
        self._phrases, self._ends = phrases, ends
        self._nodes = frozenset(phrases)

    def places(self) -> frozenset[int]:
        """Every place that was filled somewhere."""
        return frozenset[int]().union(*(node.places for node in self._nodes))

    def at(self, place: int) -> Sequence[Span]:
        """Where a place is filled, in the order of the text."""
        filled = [self._phrases[node] for node in self._nodes & self._ends[place]]
        return filled[0] if len(filled) == 1 else sorted(set(chain(*filled)))


class _Walk:
    """One way through a text down the tree of phrases.

    A phrase stays in one sentence, and takes the first word that fits: small ones that do not fit
    are passed over.
    """

    __slots__ = ("_fillers", "_words", "phrases")

    def __init__(self, words: Sequence[Word], fillers: Sequence[bool]) -> None:
        self._words, self._fillers = words, fillers
        self.phrases: dict[_Node, list[Span]] = {}

    def on(self, node: _Node, word: Word, start: int, index: int) -> None:
        """From a node, by a word, to what it goes on with: by its stem, and as it stands."""
        for reached in (node.next.get(word.stem), node.exact.get(word.text)):
            if reached is None:
                continue
            if reached.places:
                self.phrases.setdefault(reached, []).append((start, index))
            if reached.next or reached.exact:
                self._go_on(reached, start, index)

    def _go_on(self, node: _Node, start: int, index: int) -> None:
        words, passed = self._words, list[str]()
        sentence = words[index].sentence
        for following in range(index + 1, min(index + _MOST_FILLERS + 2, len(words))):
            word = words[following]
            if word.sentence != sentence:
                return
            if word.stem in node.next or word.text in node.exact:
                if word.text not in passed:
                    self.on(node, word, start, following)
                passed.append(word.text)
            if not self._fillers[following]:
                return


class Text:
    """A text's words with what was found in them, ready for patterns to be matched."""

    def __init__(self, words: Sequence[Word], lexicon: Lexicon, fillers: frozenset[str]) -> None:
        self.words = words
        small = [word.text in fillers for word in words]
        self._others = [0, *accumulate(not one for one in small)]
        self._found = lexicon.find(words, small)
        self.places = self._found.places()
        """Every place that was filled somewhere."""
        self._spans: dict[int, Sequence[Span]] = {}

    def at(self, place: int) -> Sequence[Span]:
        """Where one place was filled, in the order of the text."""
        spans = self._spans.get(place)
        if spans is None:
            spans = self._spans[place] = self._found.at(place)
        return spans

    def gap(self, end: int, start: int) -> int:
        """Words between two words, small ones not counted."""
        return self._others[start] - self._others[end + 1]

    def matches(self, pattern: Pattern) -> list[Match]:
        """Where a pattern stands; of several ways to join its places only the nearest."""
        if not self.places >= pattern.needed:
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


def _commonness(phrase: tuple[str, ...]) -> int:
    """A guess from the letters, which saves a list of frequencies: "me" is common."""
    letters = sum(map(len, phrase))
    return 40 if letters <= 3 else 8 if letters == 4 else 1


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
