"""Whether a sign is denied: "no chest pain", "denies fever", "asked if it hurts, I said no".

A denial that reaches too far hides an emergency, so each has its reach, and what closes it is
looked for on the way.
"""

from __future__ import annotations

from app.safety.cues import Cues
from app.safety.patterns import Match, Text

_CLOSING = frozenset({"because", "since", "until", "when", "with"})
_FREE_IN_BELLY = frozenset({"fluid", "air", "gas", "blood"})
_DONE = frozenset({"taken", "given", "used", "needed", "done", "yet", "left", "anymore"})
"""Words that end what was denied where a comma follows."""
_SPANS = frozenset({"day", "hour", "week", "month", "age"})
_LIST_AHEAD = 8
"""How far behind one item of a list its "or" may stand, in words."""
_NOT_REACH, _NO_REACH, _LONG_REACH = 4, 12, 40
"""Words that "not", "no" and "denies" reach, small ones not counted."""


class Denial:
    """What the negations of one text deny."""

    def __init__(self, text: Text, cues: Cues) -> None:
        """Takes what was found in the text, and its cues."""
        self._text, self._words, self._cues = text, text.words, cues

    def covers(self, match: Match) -> bool:
        """Whether somebody says that it is not there.

        A negation before the sign, or within it and no part of it, reaches its last place.
        """
        if self._is_free_of(match):
            return True
        for name, reach in (("negation", _NO_REACH), ("long_negation", _LONG_REACH)):
            for first, last in self._cues.unmasked(name, "not_negation", match):
                if any(start <= first <= end for start, end in match.spans):
                    continue
                if last < match.spans[-1][0] and self._reaches(first, last, match, reach):
                    return True
        return self._answered_no(match) or any(
            0 < first - match.last <= 3 and self._cues.same_clause(first, match)
            for first, _ in self._cues.at("afterwards_none", match)
        )

    def _answered_no(self, match: Match) -> bool:
        """Whether somebody was asked for it and said no, and the sentence ends there.

        What goes on may take the no back: "asked if I had plans, I said no but I lied".
        """
        asked = any(first < match.first for first, _ in self._cues.at("asked_whether", match))
        return asked and any(
            first > match.last and not self._goes_past(last + 1)
            for first, last in self._cues.at("said_no", match)
        )

    def _goes_past(self, index: int) -> bool:
        """Whether the sentence goes on behind this word ("no, never" ends with it)."""
        following = self._words[index + 1 : index + 2]
        return bool(following) and following[0].sentence == self._words[index - 1].sentence

    def _is_free_of(self, match: Match) -> bool:
        """Whether "free" stands right behind it: "seizure free", "pain-free"; not "free fluid"."""
        behind = self._words[match.last + 1 : match.last + 3]
        return (
            bool(behind)
            and behind[0].text == "free"
            and not behind[0].after_pause
            and not (len(behind) > 1 and behind[1].text in _FREE_IN_BELLY)
        )

    def _reaches(self, first: int, last: int, match: Match, reach: int) -> bool:
        """Whether a negation is still in force where the sign's next place begins."""
        word = self._words[first]
        goal = next(start for start, _ in match.spans if start > last)
        plain_not = word.text in ("not", "never") and not self._denies_list(last, goal)
        if plain_not:
            reach = _NOT_REACH
        if word.text == "no" and self._words[last + 1].after_pause:
            return False  # an answer: "No, my chest hurts"
        if self._text.gap(last, goal) > reach or not self._cues.same_clause(first, match):
            return False
        between = self._words[last + 1 : goal + 1]
        if plain_not and any(one.after_pause for one in between):
            return False
        if reach == _LONG_REACH:
            between = between[:0]
        ends = {span[0] for span in self._cues.at("resume", match)}
        return not any(
            index in ends
            and (self._words[index].after_pause or self._words[index - 1].text in ("and", "with"))
            for index in range(last + 2, last + 1 + len(between))
        ) and not any(map(self._ends_list, range(last + 1, goal)))

    def _denies_list(self, last: int, goal: int) -> bool:
        """Whether a "not" goes on over commas: "I do not have a fever, a rash or a stiff neck"."""
        if self._words[last + 1].text not in ("have", "had", "got"):
            return False
        clause = self._words[goal].clause
        return any(
            word.text == "or" and word.clause == clause
            for word in self._words[last + 2 : goal + _LIST_AHEAD]
        )

    def _ends_list(self, index: int) -> bool:
        """Whether a word closes what was denied: "no wind for two days", "no tablets taken,"."""
        word = self._words[index].text
        if word in _DONE:
            return index + 1 < len(self._words) and self._words[index + 1].after_pause
        if word == "for" and index + 1 < len(self._words):
            return self._words[index + 1].text.isdigit() or self._words[index + 1].stem in _SPANS
        return word in _CLOSING
