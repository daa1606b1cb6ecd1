"""Whether a sign that a text mentions is said of somebody, here and now.

"No chest pain", "a stroke in 2010", "what is a stroke?", "my heart skipped a beat": the words of a
sign alone say little. What turns their meaning are the cues of the rule file, each with a reach.
In doubt a symptom counts and a disease's name does not: people report the one and ask about the
other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from app.safety.patterns import Match, Span, Text
from app.safety.rules import Mode, Sign
from app.safety.words import Words

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

_AFTER_AGE = frozenset({"m", "f", "yo", "y", "male", "female", "year", "month", "mo", "week"})
"""Words behind an age; a case report names its patient so."""
_NOT_ASKING = frozenset({"not", "hardly", "barely", "only", "just", "no"})
_BEFORE_YEAR = frozenset(
    {"in", "since", "of", "was", "around", "until", "till", "summer", "winter"}
)
_BEFORE_TIME = frozenset({"at", "by", "from", "onset", "time", "approx", "now", "about", "it", ""})
_UNITS = frozenset(
    {"ml", "mls", "mg", "mcg", "g", "units", "iu", "kcal", "h", "hrs", "hours", "cc"}
)
_CLOSING = frozenset({"because", "since", "until", "when", "with"})
_PAST = frozenset({"was", "were", "had", "tried", "used"})
_FREE_IN_BELLY = frozenset({"fluid", "air", "gas", "blood"})
_DONE = frozenset({"taken", "given", "used", "needed", "done", "yet", "left", "anymore"})
"""Words that end what was denied where a comma follows."""
_SPANS = frozenset({"day", "hour", "week", "month", "age"})
_MYSELF = frozenset({"i", "me", "we", "us"})
_YEAR = re.compile(r"19[3-9]\d|20\d\d")
_LIST_AHEAD = 8
"""How far behind one item of a list its "or" may stand, in words."""
_NOT_REACH, _NO_REACH, _LONG_REACH, _HISTORY_REACH = 4, 12, 40, 6
"""Words that "not", "no", "denies" and "history of" reach, small ones not counted."""


class Claims:
    """The cues of one text, and what they make of a sign found in it."""

    def __init__(self, words: Words, text: Text, cues: Mapping[str, int], mode: Mode) -> None:
        """Takes the words, what was found in them, and the place of each cue's list."""
        self._words, self._text, self._mode = words.words, text, mode
        self._cues: dict[int, dict[str, list[Span]]] = {}
        """By sentence and name, where a cue stands."""
        for name, place in cues.items():
            for span in text.at(place) if place in text.places else ():
                here = self._cues.setdefault(self._words[span[0]].sentence, {})
                here.setdefault(name, []).append(span)
        numbers = [index for index, word in enumerate(self._words) if word.text[0].isdigit()]
        self._years = frozenset(self._words[at].clause for at in numbers if self._is_year(at))
        self._outgrown = self._clauses_of_younger_years(numbers)
        self._aged = frozenset(self._words[at].sentence for at in numbers if self._is_age(at))
        self._of_me = frozenset(one.sentence for one in self._words if one.text in _MYSELF)
        self._listing = frozenset(word.sentence for word in words.words if word.after_pause)
        self._asked = words.questions | self._opened_by("asking")
        self._story_from = min(
            (sentence for sentence, cues in self._cues.items() if "story" in cues), default=None
        )

    def counts(self, match: Match, sign: Sign, number: bool = False) -> bool:
        """Whether this mention says that the sign is there.

        A number is not negated: "no movements today, 29 weeks".
        """
        if self._overlaps("idiom", match) or self._beside("fiction", match):
            return False
        if self._narrated(match):
            return False
        if not number and self._negated(match):
            return False
        if not sign.lasting and self._past(match, sign):
            return False
        return sign.lasting or sign.asked or not self._topic(match, sign)

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
        if self._mode == "clinician":
            return frozenset()
        texts = [word.text for word in self._words]
        whole = [at for at in numbers if at and texts[at].isdigit()]
        now = [int(texts[at]) for at in whole if "now" in (texts[at - 1], *texts[at + 1 : at + 2])]
        over = frozenset(one.clause for one in self._words if one.text in _PAST)
        return over & {
            self._words[at].clause
            for at in whole
            if texts[at - 1] in ("at", "aged") and int(texts[at]) < max(now, default=0)
        }

    def _is_age(self, index: int) -> bool:
        after = self._words[index + 1].text if index + 1 < len(self._words) else ""
        return after in _AFTER_AGE and self._words[index].text.isdigit()

    def _cue(self, name: str, match: Match) -> Sequence[Span]:
        """Where a cue stands in the sentence of a match."""
        here = self._cues.get(self._words[match.spans[0][0]].sentence)
        return here.get(name, ()) if here else ()

    def _told(self, name: str, match: Match) -> bool:
        return bool(self._cue(name, match))

    def _beside(self, name: str, match: Match) -> list[int]:
        """Where a cue begins that is no part of the sign, as "films" in "showed me rude films"."""
        return [first for first, last in self._cue(name, match) if not _touches(match, first, last)]

    def _opened_by(self, name: str) -> frozenset[int]:
        """Sentences that begin with a cue."""
        return frozenset(
            sentence
            for sentence, cues in self._cues.items()
            for first, last in cues.get(name, ())
            if self._begins(first) and not self._is_not(last + 1)
        )

    def _begins(self, index: int) -> bool:
        """Whether a word is the first of its sentence."""
        return index == 0 or self._words[index - 1].sentence != self._words[index].sentence

    def _is_not(self, index: int) -> bool:
        """Whether "can" goes on as no question does: "can't breathe", "can hardly stand"."""
        return index < len(self._words) and self._words[index].text in _NOT_ASKING

    def _overlaps(self, name: str, match: Match) -> bool:
        return any(_touches(match, first, last) for first, last in self._cue(name, match))

    def _same_clause(self, index: int, match: Match) -> bool:
        clauses = {self._words[start].clause for start, _ in match.spans}
        return self._words[index].clause in clauses

    def _negated(self, match: Match) -> bool:
        """A negation before the sign, or within it and no part of it, reaches its last place."""
        if self._is_free_of(match):
            return True
        masked = self._cue("not_negation", match)
        for name, reach in (("negation", _NO_REACH), ("long_negation", _LONG_REACH)):
            for first, last in self._cue(name, match):
                if any(start <= first <= end for start, end in (*masked, *match.spans)):
                    continue
                if last < match.spans[-1][0] and self._reaches(first, last, match, reach):
                    return True
        return self._answered_no(match) or any(
            0 < first - match.last <= 3 and self._same_clause(first, match)
            for first, _ in self._cue("afterwards_none", match)
        )

    def _answered_no(self, match: Match) -> bool:
        """Whether somebody was asked for it and said no, and the sentence ends there.

        What goes on may take the no back: "asked if I had plans, I said no but I lied".
        """
        asked = any(first < match.first for first, _ in self._cue("asked_whether", match))
        return asked and any(
            first > match.last and not self._goes_past(last + 1)
            for first, last in self._cue("said_no", match)
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
        if self._text.gap(last, goal) > reach or not self._same_clause(first, match):
            return False
        between = self._words[last + 1 : goal + 1]
        if plain_not and any(one.after_pause for one in between):
            return False
        if reach == _LONG_REACH:
            between = between[:0]
        ends = {span[0] for span in self._cue("resume", match)}
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

    def _past(self, match: Match, sign: Sign) -> bool:
        """Said of years ago, or of an illness that somebody has had."""
        masked = self._cue("not_history", match)
        listed = sign.diagnosis and self._mode == "clinician"  # "PMH: COPD, gout, MI"
        reach = _LONG_REACH if listed else _HISTORY_REACH
        for first, last in self._cue("history_of", match):
            if any(start <= first <= end for start, end in masked):
                continue
            near = last < match.first and self._text.gap(last, match.first) <= reach
            if near and self._same_clause(first, match) and not self._between("case", last, match):
                return True
        ongoing = self._goes_on(match)
        if self._dated(match) and (sign.diagnosis or not ongoing):
            return True
        return (
            sign.diagnosis
            and not ongoing
            and not self._doubted(match)
            and any(
                last < match.first and self._text.gap(last, match.first) <= 2
                for _, last in self._cue("had", match)
            )
        )

    def _goes_on(self, match: Match) -> bool:
        """Whether its clause says that it is not over; "still on tablets" says nothing of that."""
        masked = self._cue("not_ongoing", match)
        return any(
            self._same_clause(first, match)
            and not any(start <= first <= end for start, end in masked)
            for first, _ in self._cue("ongoing", match)
        )

    def _narrated(self, match: Match) -> bool:
        """Whether it happens in what somebody writes or reads: "my thriller. He gets stabbed".

        The story goes on over the sentences that speak of no "I".
        """
        sentence = self._words[match.first].sentence
        if self._story_from is None or sentence < self._story_from:
            return False
        return self._told("story", match) or sentence not in self._of_me

    def _doubted(self, match: Match) -> bool:
        """Whether "I think" or "just now" stands near: an illness that is suspected is not past."""
        return any(
            self._same_clause(first, match)
            and (first > match.first or self._text.gap(last, match.first) <= 6)
            for first, last in self._cue("uncertain", match)
        )

    def _dated(self, match: Match) -> bool:
        """Whether its clause speaks of years ago, names a year, or an age that is past."""
        if any(self._same_clause(first, match) for first in self._beside("long_ago", match)):
            return True
        clause = self._words[match.first].clause
        return clause in self._years or clause in self._outgrown

    def _between(self, name: str, after: int, match: Match) -> bool:
        return any(after < first < match.first for first, _ in self._cue(name, match))

    def _topic(self, match: Match, sign: Sign) -> bool:
        """Asked about in general, and not said of anyone."""
        claimed = self._claimed(match)
        own = self._told("own", match) or self._words[match.first].sentence in self._aged
        if self._told("lookup", match) and self._looked_up(match, own):
            return True
        if self._introduced(match):
            return not (self._possessed(match) or claimed)
        if self._followed(match) and (sign.diagnosis or not own):
            return True
        asked = self._words[match.first].sentence in self._asked
        if self._general(match) and (asked or self._told("condition", match)):
            return True
        if sign.diagnosis and self._taken_for(match):
            return True
        if sign.diagnosis:
            return self._unclaimed(match, claimed or self._noted(match, asked), own, asked)
        return asked and not own and not claimed and not self._bare(match)

    def _claimed(self, match: Match) -> bool:
        """Whether "I have" or "is it" stands before it; "is it true" claims nothing."""
        masked = self._cue("not_claim", match)
        return any(
            first < match.first and not any(start <= first <= end for start, end in masked)
            for first, _ in self._cue("claim", match)
        )

    def _taken_for(self, match: Match) -> bool:
        """Whether it was suspected and is no more: "thought it was a clot but it was not"."""
        suspected = any(
            last < match.first and self._text.gap(last, match.first) <= 2
            for _, last in self._cue("discarded", match)
        )
        return suspected and any(
            word.text == "but" and word.sentence == self._words[match.last].sentence
            for word in self._words[match.last + 1 : match.last + 8]
        )

    def _noted(self, match: Match, asked: bool) -> bool:
        """A clinician's note claims without a verb: "pyelonephritis, T 38.4", "STEMI, en route".

        A name alone is what somebody looks up, and "review" or "clinic" is no emergency.
        """
        if self._mode != "clinician" or self._told("routine", match):
            return False
        if asked:
            return self._queried(match)
        listed = self._words[match.first].sentence in self._listing
        return listed or self._told("case", match) or self._told("uncertain", match)

    def _queried(self, match: Match) -> bool:
        """A note may begin with a doubt: "Cauda equina? Saddle numbness since noon"."""
        behind = self._words[match.last + 1 : match.last + 2]
        follows = bool(behind) and behind[0].sentence != self._words[match.last].sentence
        return follows and self._begins(match.first)

    def _looked_up(self, match: Match, own: bool) -> bool:
        """A clinician's search names people too ("dose in pregnant women"); a case has signs."""
        case = self._told("case", match)
        return not case if self._mode == "clinician" else not (own or case)

    def _introduced(self, match: Match) -> bool:
        """Whether "symptoms of", "risk of" or "what is" stands right before it."""
        return any(
            last < match.first and self._text.gap(last, match.first) <= 2
            for _, last in self._cue("about", match)
        )

    def _general(self, match: Match) -> bool:
        """Whether it is said of "someone" or "people", and of nobody in particular."""
        masked = self._cue("not_generic", match)
        return any(
            last < match.first
            and self._text.gap(last, match.first) <= 5
            and not any(start <= first <= end for start, end in masked)
            and not self._between("own", last, match)
            for first, last in self._cue("generic", match)
        )

    def _followed(self, match: Match) -> bool:
        return any(0 < first - match.last <= 2 for first, _ in self._cue("after_topic", match))

    def _possessed(self, match: Match) -> bool:
        """Whether "my" or "his" stands in it or right before it."""
        return any(
            match.first - 3 <= first <= match.last for first, _ in self._cue("possessive", match)
        )

    def _unclaimed(self, match: Match, claimed: bool, own: bool, asked: bool) -> bool:
        """A disease's name of which nobody says that somebody has it."""
        feared = any(
            last < match.first and self._text.gap(last, match.first) <= 2
            for _, last in self._cue("worry", match)
        )
        if feared and not self._told("ongoing", match):
            return True
        if claimed:
            supposed = any(first < match.first for first, _ in self._cue("condition", match))
            return supposed and not self._told("uncertain", match)
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
            first == lo for first, _ in self._cue("asking", match)
        )


def _touches(match: Match, first: int, last: int) -> bool:
    """Whether a place of a match and the words from `first` to `last` share one."""
    return any(first <= end and start <= last for start, end in match.spans)
