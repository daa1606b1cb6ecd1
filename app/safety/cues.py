"""Where the cues of the rule file stand in one text, and how near to a sign.

A cue turns the meaning of a sign of its own sentence alone, and most within a reach. Denial, past
and topic ask the same few questions of both, which are answered here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.safety.patterns import Match, Span, Text

CUES = (
    "negation",
    "not_negation",
    "long_negation",
    "resume",
    "afterwards_none",
    "asked_whether",
    "said_no",
    "history_of",
    "not_history",
    "long_ago",
    "ongoing",
    "not_ongoing",
    "had",
    "uncertain",
    "about",
    "after_topic",
    "lookup",
    "case",
    "fiction",
    "story",
    "own",
    "possessive",
    "claim",
    "not_claim",
    "discarded",
    "worry",
    "generic",
    "not_generic",
    "routine",
    "condition",
    "asking",
    "idiom",
)
"""Names of the lists that a rulebook's cues may have."""


class Cues:
    """The cues of one text."""

    def __init__(self, text: Text, places: Mapping[str, int]) -> None:
        """Takes what was found in the text, and the place of each cue's list."""
        self._text, self._words = text, text.words
        self._cues: dict[int, dict[str, list[Span]]] = {}
        """By sentence and name, where a cue stands."""
        for name, place in places.items():
            for span in text.at(place) if place in text.places else ():
                here = self._cues.setdefault(self._words[span[0]].sentence, {})
                here.setdefault(name, []).append(span)

    def anywhere(self, name: str) -> list[Span]:
        """Where a cue stands in the whole text."""
        return [span for here in self._cues.values() for span in here.get(name, ())]

    def at(self, name: str, match: Match) -> Sequence[Span]:
        """Where a cue stands in the sentence of a match."""
        here = self._cues.get(self._words[match.spans[0][0]].sentence)
        return here.get(name, ()) if here else ()

    def unmasked(self, name: str, mask: str, match: Match) -> Sequence[Span]:
        """Where it stands and is no part of a phrase that means something else.

        "No relief from the chest pain" denies no pain.
        """
        spans = self.at(name, match)
        if not spans or not (masked := self.at(mask, match)):
            return spans
        return [one for one in spans if not any(lo <= one[0] <= hi for lo, hi in masked)]

    def told(self, name: str, match: Match) -> bool:
        """Whether a cue stands anywhere in the sentence of a match."""
        return bool(self.at(name, match))

    def beside(self, name: str, match: Match) -> list[int]:
        """Where a cue begins that is no part of the sign, as "films" in "showed me rude films"."""
        return [first for first, last in self.at(name, match) if not _touches(match, first, last)]

    def overlaps(self, name: str, match: Match) -> bool:
        """Whether a cue shares a word with the sign, as "my heart skipped a beat" may."""
        return any(_touches(match, first, last) for first, last in self.at(name, match))

    def between(self, name: str, after: int, match: Match) -> bool:
        """Whether a cue begins behind the word `after` and before the sign."""
        return any(after < first < match.first for first, _ in self.at(name, match))

    def right_before(self, name: str, match: Match) -> bool:
        """Whether a cue leads up to the sign with hardly a word between: "what is a stroke"."""
        return any(
            last < match.first and self._text.gap(last, match.first) <= 2
            for _, last in self.at(name, match)
        )

    def same_clause(self, index: int, match: Match) -> bool:
        """Whether a word stands in a clause in which a part of the sign begins."""
        clause = self._words[index].clause
        return any(self._words[start].clause == clause for start, _ in match.spans)


def _touches(match: Match, first: int, last: int) -> bool:
    """Whether a place of a match and the words from `first` to `last` share one."""
    return any(first <= end and start <= last for start, end in match.spans)
