"""Whether a sign that a text mentions is said of somebody, here and now.

"No chest pain", "a stroke in 2010", "what is a stroke?", "my heart skipped a beat": the words of a
sign alone say little. What turns their meaning are the cues of the rule file. Denial, past and
topic are read each in a file of its own; here they are joined, and what is invented is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.safety.cues import Cues
from app.safety.denial import Denial
from app.safety.past import Past
from app.safety.patterns import Match, Text
from app.safety.rules import Mode, Sign
from app.safety.topic import Topic
from app.safety.words import Words

_MYSELF = frozenset({"i", "me", "we", "us"})


class Claims:
    """What the cues of one text make of a sign found in it."""

    def __init__(self, words: Words, text: Text, places: Mapping[str, int], mode: Mode) -> None:
        """Takes the words, what was found in them, and the place of each cue's list."""
        self._words, self._cues = words.words, Cues(text, places)
        self._denial = Denial(text, self._cues)
        self._past = Past(text, self._cues, mode)
        self._topic = Topic(words, text, self._cues, mode)
        self._of_me = frozenset(one.sentence for one in self._words if one.text in _MYSELF)
        self._story_from = min(
            (self._words[first].sentence for first, _ in self._cues.anywhere("story")), default=None
        )

    def counts(self, match: Match, sign: Sign, number: bool = False) -> bool:
        """Whether this mention says that the sign is there.

        A number is not negated: "no movements today, 29 weeks".
        """
        if self._cues.overlaps("idiom", match) or self._cues.beside("fiction", match):
            return False
        if self._narrated(match):
            return False
        if not number and self._denial.covers(match):
            return False
        if not sign.lasting and self._past.covers(match, sign):
            return False
        return sign.lasting or sign.asked or not self._topic.covers(match, sign)

    def _narrated(self, match: Match) -> bool:
        """Whether it happens in what somebody writes or reads: "my thriller. He gets stabbed".

        The story goes on over the sentences that speak of no "I".
        """
        sentence = self._words[match.first].sentence
        if self._story_from is None or sentence < self._story_from:
            return False
        return self._cues.told("story", match) or sentence not in self._of_me
