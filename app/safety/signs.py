"""The signs of one turn: patterns found in it, numbers read in it, and what takes them back."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.safety.claims import Claims
from app.safety.numbers import readings
from app.safety.patterns import Match, Pattern, Text
from app.safety.rules import Measure, Sign
from app.safety.words import Words


@dataclass(frozen=True, slots=True)
class Reader:
    """A sign with its patterns parsed."""

    sign: Sign
    patterns: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]


class Signs:
    """What one turn says. Made for the turn and dropped with it."""

    def __init__(self, words: Words, text: Text, claims: Claims) -> None:
        """Takes the words, what was found in them, and what their cues make of it."""
        self._words, self._text, self._claims = words, text, claims
        self._taken_back: dict[str, frozenset[int]] = {}
        self.said: set[str] = set()
        """Names of the signs found so far."""

    def look_for(self, reader: Reader, pattern: Pattern) -> None:
        """Add a sign whose pattern is there and is meant, and that nothing beside it takes back."""
        if reader.sign.name in self.said:
            return
        for match in self._text.matches(pattern):
            if self._holds(reader, match):
                self.said.add(reader.sign.name)
                return

    def measure(
        self, readers: Mapping[str, Reader], measures: Mapping[str, Sequence[Measure]]
    ) -> None:
        """Add the signs that are numbers, where somebody claims them as any other."""
        starts = [word.start for word in self._words.words]
        for reading in readings(self._words):
            index = bisect_right(starts, reading.start) - 1
            for measure in measures.get(reading.quantity, ()):
                if measure.low <= reading.value < measure.high and measure.sign not in self.said:
                    match = Match(((index, index),))
                    if self._holds(readers[measure.sign], match, number=True):
                        self.said.add(measure.sign)

    def _holds(self, reader: Reader, match: Match, number: bool = False) -> bool:
        if self._text.words[match.first].sentence in self._sentences_against(reader):
            return False
        return self._claims.counts(match, reader.sign, number)

    def _sentences_against(self, reader: Reader) -> frozenset[int]:
        """Sentences in which something says that the sign's words mean less there."""
        against = self._taken_back.get(reader.sign.name)
        if against is None:
            against = self._taken_back[reader.sign.name] = frozenset(
                self._text.words[match.first].sentence
                for pattern in reader.unless
                if pattern.needed <= self._text.places
                for match in self._text.matches(pattern)
            )
        return against
