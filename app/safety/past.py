"""Whether a sign is over: "history of stroke", "a stroke in 2010", "I was low at 17".

What was long ago asks for no help today. An illness is mostly told of as past, a symptom as
present: of a symptom "it goes on" outweighs a date, and "I had" alone says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.safety.cues import Cues
from app.safety.patterns import Match, Text
from app.safety.rules import Mode, Sign

_BEFORE_YEAR = frozenset(
    {"in", "since", "of", "was", "around", "until", "till", "summer", "winter"}
)
_BEFORE_TIME = frozenset({"at", "by", "from", "onset", "time", "approx", "now", "about", "it", ""})
_UNITS = frozenset(
    {"ml", "mls", "mg", "mcg", "g", "units", "iu", "kcal", "h", "hrs", "hours", "cc"}
)
_PAST = frozenset({"was", "were", "had", "tried", "used"})
_YEAR = re.compile(r"19[3-9]\d|20\d\d")
_REACH, _LIST_REACH = 6, 40
"""Words that "history of" reaches, small ones not counted; and before a list of illnesses."""


class Past:
    """What one text tells of the past."""

    def __init__(self, text: Text, cues: Cues, mode: Mode) -> None:
        """Takes what was found in the text, its cues, and who writes."""
        self._text, self._words, self._cues, self._mode = text, text.words, cues, mode
        numbers = [index for index, word in enumerate(self._words) if word.text[0].isdigit()]
        self._years = frozenset(self._words[at].clause for at in numbers if self._is_year(at))
        self._outgrown = self._clauses_of_younger_years(numbers)

    def covers(self, match: Match, sign: Sign) -> bool:
        """Whether it is said of years ago, or of an illness that somebody has had."""
        if self._in_history(match, sign):
            return True
        ongoing = self._goes_on(match)
        if self._dated(match) and (sign.diagnosis or not ongoing):
            return True
        return (
            sign.diagnosis
            and not ongoing
            and not self._doubted(match)
            and self._cues.right_before("had", match)
        )

    def _in_history(self, match: Match, sign: Sign) -> bool:
        """Whether "history of" stands before it; a clinician's goes on: "PMH: COPD, gout, MI"."""
        reach = _LIST_REACH if sign.diagnosis and self._mode == "clinician" else _REACH
        return any(
            last < match.first
            and self._text.gap(last, match.first) <= reach
            and self._cues.same_clause(first, match)
            and not self._cues.between("case", last, match)
            for first, last in self._cues.unmasked("history_of", "not_history", match)
        )

    def _goes_on(self, match: Match) -> bool:
        """Whether its clause says that it is not over; "still on tablets" says nothing of that."""
        return any(
            self._cues.same_clause(first, match)
            for first, _ in self._cues.unmasked("ongoing", "not_ongoing", match)
        )

    def _doubted(self, match: Match) -> bool:
        """Whether "I think" or "just now" stands near: an illness that is suspected is not past."""
        return any(
            self._cues.same_clause(first, match)
            and (first > match.first or self._text.gap(last, match.first) <= 6)
            for first, last in self._cues.at("uncertain", match)
        )

    def _dated(self, match: Match) -> bool:
        """Whether its clause speaks of years ago, names a year, or an age that is past."""
        ago = self._cues.beside("long_ago", match)
        if any(self._cues.same_clause(first, match) for first in ago):
            return True
        clause = self._words[match.first].clause
        return clause in self._years or clause in self._outgrown

    def _is_year(self, index: int) -> bool:
        """ "In 2014"; a clinician also writes "TIA 2014", and 2014 for a quarter past eight."""
        if _YEAR.fullmatch(self._words[index].text) is None:
            return False
        before = self._words[index - 1].text if index else ""
        if before in _BEFORE_YEAR:
            return True
        after = self._words[index + 1].text if index + 1 < len(self._words) else ""
        return self._mode == "clinician" and before not in _BEFORE_TIME and after not in _UNITS

    def _clauses_of_younger_years(self, numbers: Sequence[int]) -> frozenset[int]:
        """Clauses like "I was low at 17", where somebody says "I'm 34 now".

        Of a patient alone: a clinician's "sats at 91, 95 now" are readings.
        """
        if self._mode == "clinician" or not numbers:
            return frozenset()
        texts = [word.text for word in self._words]
        whole = [at for at in numbers if at and texts[at].isdigit()]
        now = [int(texts[at]) for at in whole if "now" in (texts[at - 1], *texts[at + 1 : at + 2])]
        if not now:
            return frozenset()
        over = frozenset(one.clause for one in self._words if one.text in _PAST)
        return over & {
            self._words[at].clause
            for at in whole
            if texts[at - 1] in ("at", "aged") and int(texts[at]) < max(now)
        }
