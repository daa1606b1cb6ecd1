"""The check itself: from the turns of a person to the worst alert, or none.

It is pure: the same turns give the same alert, and nothing is kept. Whoever calls it keeps the
worst alert of a session (`worse_of`), so that nothing said later takes one back.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from app.safety.claims import CUES, Claims
from app.safety.language import is_english
from app.safety.numbers import readings
from app.safety.patterns import Lexicon, Match, Pattern, Text
from app.safety.rules import Complaint, Level, Measure, Mode, Rule, Rulebook, Sign
from app.safety.spelling import Spelling
from app.safety.when import parse_condition
from app.safety.words import Word, Words, split, stem

UNREAD = "unread"
"""Id of the alert about a text in another language."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A red flag that was found."""

    rule: Rule
    signs: frozenset[str]
    """Names of the signs it rests on; never words of the person."""

    @property
    def level(self) -> Level:
        return self.rule.level

    @property
    def id(self) -> str:
        return self.rule.id


def worse_of(earlier: Alert | None, later: Alert | None) -> Alert | None:
    """The alert that a session keeps: the worse one, and of two equals the earlier."""
    if earlier is None or later is None:
        return earlier or later
    return later if later.level > earlier.level else earlier


@dataclass(frozen=True, slots=True)
class _Reader:
    """A sign with its patterns parsed."""

    sign: Sign
    patterns: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]


class RedFlags:
    """A rulebook made fit for use. Making it takes some tens of milliseconds: do it once.

    `book` is the rulebook it was made from.
    """

    def __init__(self, rulebook: Rulebook) -> None:
        """Raises ValueError, naming the place, where a pattern or a condition cannot be read."""
        self.book = rulebook
        self._lexicon = Lexicon(rulebook.lists)
        self._signs = {sign.name: self._reader(sign) for sign in rulebook.signs}
        self._by_place: dict[int, list[tuple[str, Pattern]]] = {}
        for reader in self._signs.values():
            for pattern in reader.patterns:
                rare = min(pattern.places, key=self._lexicon.phrases_at)
                self._by_place.setdefault(rare, []).append((reader.sign.name, pattern))
        unknown = set(rulebook.cues) - set(CUES)
        if unknown:
            raise ValueError(f"there is no cue “{min(unknown)}”")
        self._cues = {
            name: self._lexicon.place(phrases) for name, phrases in rulebook.cues.items() if phrases
        }
        names = frozenset(self._signs)
        self._rules = [
            (rule, tuple(parse_condition(when, names) for when in rule.when))
            for rule in sorted(rulebook.rules, key=lambda one: -one.level)
        ]
        self._complaints = [
            (one, tuple(parse_condition(when, names) for when in one.when))
            for one in rulebook.complaints
        ]
        self._measures: dict[str, list[Measure]] = {}
        for measure in rulebook.measures:
            if measure.sign not in names:
                raise ValueError(f"a measure names the sign “{measure.sign}”, which is not there")
            self._measures.setdefault(measure.quantity, []).append(measure)
        self._spelling = Spelling(self._lexicon.stems, map(stem, rulebook.common))
        self._known = frozenset(one for one in self._lexicon.stems if len(one) > 3)

    def check(self, turns: Sequence[str], mode: Mode = "patient") -> Alert | None:
        """The worst alert over what a person has written so far, the last turn last.

        Signs of several turns count together: a fever in the first, a stiff neck in the third.
        """
        read = [self._split(turn) for turn in turns]
        found = [self._signs_of(words, mode) for words in read]
        together = frozenset[str]().union(*found)
        for rule, conditions in self._rules:
            for condition in conditions:
                if not condition.possible(together):
                    continue
                signs = condition.met(found, rule.over_turns)
                if signs is not None:
                    return Alert(rule, signs)
        if read and not is_english(read[-1].text, read[-1].words, self._known):
            return Alert(self._unread(), frozenset())
        return None

    def questions_for(self, text: str) -> Complaint | None:
        """What to ask after a symptom that could be dangerous; None where it names none."""
        found = [self.signs(text, "patient")]
        for complaint, conditions in self._complaints:
            if any(one.met(found, over_turns=False) is not None for one in conditions):
                return complaint
        return None

    def signs(self, turn: str, mode: Mode = "patient") -> frozenset[str]:
        """Names of the signs that one turn reports."""
        return self._signs_of(self._split(turn), mode)

    def _signs_of(self, words: Words, mode: Mode) -> frozenset[str]:
        text = Text(words.words, self._lexicon, self.book.fillers)
        claims = Claims(words, text, self._cues, mode)
        said = self._measured(words, text, claims)
        for place in text.places:
            for name, pattern in self._by_place.get(place, ()):
                if name not in said and self._says(self._signs[name], pattern, text, claims):
                    said.add(name)
        return frozenset(said)

    def _says(self, reader: _Reader, pattern: Pattern, text: Text, claims: Claims) -> bool:
        """Whether a sign's pattern is there, is meant, and nothing beside it takes it back."""
        matches = text.matches(pattern)
        if not matches:
            return False
        taken_back = self._taken_back(reader, text)
        return any(
            text.words[match.first].sentence not in taken_back and claims.counts(match, reader.sign)
            for match in matches
        )

    def _measured(self, words: Words, text: Text, claims: Claims) -> set[str]:
        """Signs that are numbers, where somebody claims them as any other."""
        said = set()
        starts = [word.start for word in words.words]
        for reading in readings(words.text):
            index = max(0, bisect_right(starts, reading.start) - 1)
            for measure in self._measures.get(reading.quantity, ()):
                if not starts or not measure.low <= reading.value < measure.high:
                    continue
                reader, match = self._signs[measure.sign], Match(((index, index),))
                if text.words[index].sentence in self._taken_back(reader, text):
                    continue
                if claims.counts(match, reader.sign, number=True):
                    said.add(measure.sign)
        return said

    def _taken_back(self, reader: _Reader, text: Text) -> set[int]:
        """Sentences in which something says that the sign's words mean less there."""
        return {
            text.words[match.first].sentence
            for pattern in reader.unless
            for match in text.matches(pattern)
        }

    def _split(self, turn: str) -> Words:
        words = split(turn)
        mended = tuple(self._mended(word) for word in words.words)
        return Words(words.text, mended, words.questions)

    def _mended(self, word: Word) -> Word:
        meant = self._spelling.mended(word.stem)
        if meant == word.stem:
            return word
        return Word(word.text, meant, word.start, word.sentence, word.clause, word.after_pause)

    def _reader(self, sign: Sign) -> _Reader:
        try:
            return _Reader(
                sign,
                tuple(map(self._lexicon.parse, sign.patterns)),
                tuple(map(self._lexicon.parse, sign.unless)),
            )
        except ValueError as error:
            raise ValueError(f"sign “{sign.name}”: {error}") from error

    def _unread(self) -> Rule:
        return Rule(
            id=UNREAD,
            level=Level.UNREAD,
            title="Not checked for emergencies",
            when=(),
            say=self.book.softer,
            steps=(),
            source="",
            reviewed="none",
        )
