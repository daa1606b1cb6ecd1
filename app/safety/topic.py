"""Whether a sign is only asked about: "what is a stroke?", "symptoms of", "dose in sepsis".

In doubt a symptom counts and a disease's name does not: people report the one and ask about the
other.
"""

from __future__ import annotations

from itertools import pairwise

from app.safety.cues import Cues
from app.safety.patterns import Match, Text
from app.safety.rules import Mode, Sign
from app.safety.words import Words

_AFTER_AGE = frozenset({"m", "f", "yo", "y", "male", "female", "year", "month", "mo", "week"})
"""Words behind an age; a case report names its patient so."""
_NOT_ASKING = frozenset({"not", "hardly", "barely", "only", "just", "no"})


class Topic:
    """What one text speaks of in general."""

    def __init__(self, words: Words, text: Text, cues: Cues, mode: Mode) -> None:
        """Takes the words, what was found in them, their cues, and who writes."""
        self._text, self._words, self._cues, self._mode = text, words.words, cues, mode
        self._aged = frozenset(
            one.sentence
            for one, behind in pairwise(self._words)
            if one.text.isdigit() and behind.text in _AFTER_AGE
        )
        self._listing = frozenset(one.sentence for one in self._words if one.after_pause)
        self._asked = words.questions | {
            self._words[first].sentence
            for first, last in cues.anywhere("asking")
            if self._begins(first) and not self._is_not(last + 1)
        }

    def covers(self, match: Match, sign: Sign) -> bool:
        """Whether it is asked about in general, and not said of anyone."""
        claimed = self._claimed(match)
        own = self._cues.told("own", match) or self._words[match.first].sentence in self._aged
        if self._cues.told("lookup", match) and self._looked_up(match, own):
            return True
        if self._cues.right_before("about", match):
            return not (self._possessed(match) or claimed)
        if self._followed(match) and (sign.diagnosis or not own):
            return True
        asked = self._words[match.first].sentence in self._asked
        if self._general(match) and (asked or self._cues.told("condition", match)):
            return True
        if sign.diagnosis and self._taken_for(match):
            return True
        if sign.diagnosis:
            return self._unclaimed(match, claimed or self._noted(match, asked), own, asked)
        return asked and not own and not claimed and not self._bare(match)

    def _claimed(self, match: Match) -> bool:
        """Whether "I have" or "is it" stands before it; "is it true" claims nothing."""
        claims = self._cues.unmasked("claim", "not_claim", match)
        return any(first < match.first for first, _ in claims)

    def _general(self, match: Match) -> bool:
        """Whether it is said of "someone" or "people", and of nobody in particular."""
        return any(
            last < match.first
            and self._text.gap(last, match.first) <= 5
            and not self._cues.between("own", last, match)
            for _, last in self._cues.unmasked("generic", "not_generic", match)
        )

    def _noted(self, match: Match, asked: bool) -> bool:
        """A clinician's note claims without a verb: "pyelonephritis, T 38.4", "STEMI, en route".

        A name alone is what somebody looks up, and "review" or "clinic" is no emergency.
        """
        if self._mode != "clinician" or self._cues.told("routine", match):
            return False
        if asked:
            return self._queried(match)
        listed = self._words[match.first].sentence in self._listing
        return listed or self._cues.told("case", match) or self._cues.told("uncertain", match)

    def _queried(self, match: Match) -> bool:
        """A note may begin with a doubt: "Cauda equina? Saddle numbness since noon"."""
        behind = self._words[match.last + 1 : match.last + 2]
        follows = bool(behind) and behind[0].sentence != self._words[match.last].sentence
        return follows and self._begins(match.first)

    def _looked_up(self, match: Match, own: bool) -> bool:
        """A clinician's search names people too ("dose in pregnant women"); a case has signs."""
        case = self._cues.told("case", match)
        return not case if self._mode == "clinician" else not (own or case)

    def _taken_for(self, match: Match) -> bool:
        """Whether it was suspected and is no more: "thought it was a clot but it was not"."""
        return self._cues.right_before("discarded", match) and any(
            word.text == "but" and word.sentence == self._words[match.last].sentence
            for word in self._words[match.last + 1 : match.last + 8]
        )

    def _followed(self, match: Match) -> bool:
        return any(0 < first - match.last <= 2 for first, _ in self._cues.at("after_topic", match))

    def _possessed(self, match: Match) -> bool:
        """Whether "my" or "his" stands in it or right before it."""
        return any(
            match.first - 3 <= first <= match.last
            for first, _ in self._cues.at("possessive", match)
        )

    def _unclaimed(self, match: Match, claimed: bool, own: bool, asked: bool) -> bool:
        """A disease's name of which nobody says that somebody has it."""
        feared = self._cues.right_before("worry", match)
        if feared and not self._cues.told("ongoing", match):
            return True
        if claimed:
            supposed = any(first < match.first for first, _ in self._cues.at("condition", match))
            return supposed and not self._cues.told("uncertain", match)
        return feared or asked or not own

    def _bare(self, match: Match) -> bool:
        """Nothing but the sign: "chest pain?" is no question about chest pain in general."""
        sentence = self._words[match.first].sentence
        length = match.last - match.first + 1
        lo, hi = match.first, match.last
        while lo > 0 and self._words[lo - 1].sentence == sentence:
            lo -= 1
        while hi + 1 < len(self._words) and self._words[hi + 1].sentence == sentence:
            hi += 1
            if hi - lo > length + 2:
                return False
        return hi - lo + 1 <= length + 2 and not any(
            first == lo for first, _ in self._cues.at("asking", match)
        )

    def _begins(self, index: int) -> bool:
        """Whether a word is the first of its sentence."""
        return index == 0 or self._words[index - 1].sentence != self._words[index].sentence

    def _is_not(self, index: int) -> bool:
        """Whether "can" goes on as no question does: "can't breathe", "can hardly stand"."""
        return index < len(self._words) and self._words[index].text in _NOT_ASKING
