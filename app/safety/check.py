"""The check itself: from the turns of a person to the worst alert, or none.

It is pure: the same turns give the same alert, and nothing is kept. Whoever calls it keeps the
worst alert of a session (`worse_of`), so that nothing said later takes one back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.safety.claims import Claims
from app.safety.cues import CUES
from app.safety.language import is_english
from app.safety.patterns import Lexicon, Pattern, Text
from app.safety.rules import Complaint, Level, Measure, Mode, Rule, Rulebook, Sign
from app.safety.signs import Reader, Signs
from app.safety.spelling import Spelling
from app.safety.when import parse_condition
from app.safety.words import Words, split, stem

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
class Finding:
    """What one turn says, without its words: a session can keep it and read no turn twice."""

    signs: frozenset[str]
    english: bool
    """False where the rules cannot have understood it."""


class RedFlags:
    """A rulebook made fit for use. Making it takes some tens of milliseconds: do it once.

    `book` is the rulebook it was made from.
    """

    def __init__(self, rulebook: Rulebook) -> None:
        """Raises ValueError, naming the place, where a pattern or a condition cannot be read."""
        self.book = rulebook
        self._lexicon = Lexicon(rulebook.lists)
        self._readers = {sign.name: self._reader(sign) for sign in rulebook.signs}
        self._by_place: dict[int, list[tuple[Reader, Pattern]]] = {}
        for reader in self._readers.values():
            for pattern in reader.patterns:
                rare = min(pattern.places, key=self._lexicon.commonness)
                self._by_place.setdefault(rare, []).append((reader, pattern))
        self._rare = frozenset(self._by_place)
        unknown = set(rulebook.cues) - set(CUES)
        if unknown:
            raise ValueError(f"there is no cue “{min(unknown)}”")
        self._cues = {
            name: self._lexicon.place(phrases) for name, phrases in rulebook.cues.items() if phrases
        }
        unknown = {one.level for one in rulebook.weighed} - set(rulebook.weights.levels)
        if unknown:
            raise ValueError(f"there are no weights for “{min(unknown)}”")
        names = frozenset(self._readers) | {one.sign for one in rulebook.weighed}
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
            if measure.sign not in self._readers:
                raise ValueError(f"a measure names the sign “{measure.sign}”, which is not there")
            self._measures.setdefault(measure.quantity, []).append(measure)
        self._spelling = Spelling(self._lexicon.stems, map(stem, rulebook.common))
        self._known = frozenset(one for one in self._lexicon.stems if len(one) > 3)

    def check(self, turns: Sequence[str], mode: Mode = "patient") -> Alert | None:
        """The worst alert over what a person has written so far, the last turn last."""
        return self.judge([self.read(turn, mode) for turn in turns])

    def read(self, turn: str, mode: Mode = "patient") -> Finding:
        """What one turn says; in a session each turn is read once and judged with the others."""
        words = self.split(turn)
        english = is_english(words.text, words.words, self._known)
        weighed = self._weighed(words) if english and mode == "patient" else frozenset[str]()
        return Finding(self._signs_of(words, mode) | weighed, english)

    def split(self, turn: str) -> Words:
        """A turn taken apart, misspellings of the rules' words mended."""
        return split(turn, self._spelling.mended)

    def judge(self, findings: Sequence[Finding]) -> Alert | None:
        """The worst alert over the turns of a session, the last turn last.

        Signs of several turns count together: a fever in the first, a stiff neck in the third.
        """
        worst = next(self._alerts(findings), None)
        return worst or self._about_language(findings[-1:])

    def raised(self, findings: Sequence[Finding]) -> tuple[Alert, ...]:
        """What the last turn raises, by itself or with those before it: the worst alert, and with
        an emergency also a crisis, since somebody else helps with that.

        What the turns before it had raised without it counts only where it says so again: an
        emergency that was told once must not stand in the way of every later question, nor hide
        the next one. Of two that are as bad the new one is shown.
        """
        before = {one.id for one in self._alerts(findings[:-1])}
        new = (one for one in self._alerts(findings) if one.id not in before)
        first: dict[Level, Alert] = {}
        for one in (*new, *self._alerts(findings[-1:])):
            first.setdefault(one.level, one)
        if urgent := tuple(first[one] for one in (Level.CALL, Level.CRISIS) if one in first):
            return urgent
        least = first.get(Level.TODAY) or self._about_language(findings[-1:])
        return (least,) if least is not None else ()

    def _alerts(self, findings: Sequence[Finding]) -> Iterator[Alert]:
        """Every rule that the turns fulfil, the worst first. One more turn never ends one."""
        found = [one.signs for one in findings]
        together = frozenset[str]().union(*found)
        for rule, conditions in self._rules:
            for condition in conditions:
                if not condition.possible(together):
                    continue
                signs = condition.met(found, rule.over_turns)
                if signs is not None:
                    yield Alert(rule, signs)
                    break

    def _about_language(self, latest: Sequence[Finding]) -> Alert | None:
        """Where the rules found nothing: whether they could have understood the last turn."""
        if all(one.english for one in latest):
            return None
        return Alert(self._unread(), frozenset())

    def questions_for(self, text: str) -> Complaint | None:
        """What to ask after a symptom that could be dangerous; None where a patient names none."""
        found = [self.signs(text)]
        for complaint, conditions in self._complaints:
            if any(one.met(found, over_turns=False) is not None for one in conditions):
                return complaint
        return None

    def signs(self, turn: str, mode: Mode = "patient") -> frozenset[str]:
        """Names of the signs that one turn reports by its phrases and numbers, nothing weighed."""
        return self._signs_of(self.split(turn), mode)

    def _weighed(self, words: Words) -> frozenset[str]:
        """A ward clinician types cases all day, so this is for patients alone."""
        if not self.book.weighed:
            return frozenset()
        odds = self.book.weights.weigh(words)
        return frozenset(one.sign for one in self.book.weighed if odds[one.level] > one.above)

    def _signs_of(self, words: Words, mode: Mode) -> frozenset[str]:
        text = Text(words.words, self._lexicon, self.book.fillers)
        signs = Signs(words, text, Claims(words, text, self._cues, mode))
        signs.measure(self._readers, self._measures)
        for place in self._rare & text.places:
            for reader, pattern in self._by_place[place]:
                if pattern.needed <= text.places:
                    signs.look_for(reader, pattern)
        return frozenset(signs.said)

    def _reader(self, sign: Sign) -> Reader:
        try:
            return Reader(
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
