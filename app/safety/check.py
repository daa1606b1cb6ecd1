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
from app.safety.rules import Complaint, Level, Mode, Rule, Rulebook, Sign
from app.safety.spelling import Spelling
from app.safety.when import Condition, parse_condition
from app.safety.words import Word, Words, split

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
    """A rulebook made fit for use; made once, it takes some milliseconds."""

    def __init__(self, rulebook: Rulebook) -> None:
        """Raises ValueError, naming the place, where a pattern or a condition cannot be read."""
        self._book = rulebook
        self._lexicon = Lexicon(rulebook.lists)
        self._signs = {sign.name: self._reader(sign) for sign in rulebook.signs}
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
        for measure in rulebook.measures:
            if measure.sign not in names:
                raise ValueError(f"a measure names the sign “{measure.sign}”, which is not there")
        self._spelling = Spelling(self._lexicon.stems, rulebook.common)
        self._known = frozenset(one for one in self._lexicon.stems if len(one) > 3)

    def check(self, turns: Sequence[str], mode: Mode = "patient") -> Alert | None:
        """The worst alert over what a person has written so far, the last turn last.

        Signs of several turns count together: a fever in the first, a stiff neck in the third.
        """
        found = [self.signs(turn, mode) for turn in turns]
        for rule, conditions in self._rules:
            for condition in conditions:
                signs = condition.met(found, rule.over_turns)
                if signs is not None:
                    return Alert(rule, signs)
        if turns and not self._english(turns[-1]):
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
        words = self._split(turn)
        text = Text(words.words, self._lexicon, self._book.fillers)
        claims = Claims(words, text, self._cues, mode)
        said = {
            reader.sign.name
            for reader in self._signs.values()
            if any(
                claims.counts(match, reader.sign)
                for pattern in reader.patterns
                for match in text.matches(pattern)
                if not self._taken_back(reader, match, text)
            )
        }
        return frozenset(said | self._measured(words, text, claims))

    def _measured(self, words: Words, text: Text, claims: Claims) -> set[str]:
        """Signs that are numbers, where somebody claims them as any other."""
        said = set()
        starts = [word.start for word in words.words]
        for reading in readings(words.text):
            index = max(0, bisect_right(starts, reading.start) - 1)
            for measure in self._book.measures:
                if measure.quantity != reading.quantity or not words.words:
                    continue
                reader, match = self._signs[measure.sign], Match(((index, index),))
                if measure.low <= reading.value < measure.high:
                    if not self._taken_back(reader, match, text) and claims.counts(
                        match, reader.sign
                    ):
                        said.add(measure.sign)
        return said

    def _taken_back(self, reader: _Reader, match: Match, text: Text) -> bool:
        sentence = text.words[match.first].sentence
        return any(
            text.words[other.first].sentence == sentence
            for pattern in reader.unless
            for other in text.matches(pattern)
        )

    def _split(self, turn: str) -> Words:
        words = split(turn)
        mended = tuple(self._mended(word) for word in words.words)
        return Words(words.text, mended, words.questions)

    def _mended(self, word: Word) -> Word:
        stem = self._spelling.mended(word.stem)
        if stem == word.stem:
            return word
        return Word(word.text, stem, word.start, word.sentence, word.clause, word.after_pause)

    def _english(self, turn: str) -> bool:
        words = self._split(turn)
        return is_english(words.text, words.words, self._known)

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
            say=self._book.softer,
            steps=(),
            source="",
            reviewed="none",
        )
