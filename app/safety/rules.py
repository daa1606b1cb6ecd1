"""What the checks are given: rules as values, read from their file by someone else.

A *sign* is something a person may say ("neck_stiff"), found by patterns over words or by a number.
A *rule* asks for one sign or several and says what follows. Patterns are written as:

    worst headache          these words in this order; small words between them do not count
    {pain} & {chest}        both in one clause, in any order, at most six words apart
    {face} .. droop         in this order, at most four words apart
    {fever} && {rash}       both in one sentence
    weak|numb|{pain}        alternatives for one place

Words are compared by their stems, so `bleed` finds "bleeding"; `=sob` is that word alone and not
its forms. `{name}` stands for the phrases of a list. A low line joins the words of a phrase inside
alternatives: `chest_pain|angina`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from app.safety.weighing import Weights

Mode = Literal["patient", "clinician"]


class Level(IntEnum):
    """How urgent an alert is; a larger one is worse."""

    UNREAD = 1
    """Nothing was found because the text is not English: the softer card."""
    TODAY = 2
    """See someone today."""
    CRISIS = 3
    """A mental crisis, or harm by others."""
    CALL = 4
    """Call the emergency number now."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that a text may say."""

    name: str
    patterns: tuple[str, ...]
    unless: tuple[str, ...] = ()
    """Patterns that take it back where they stand in the same sentence."""
    diagnosis: bool = False
    """A disease's name: people ask about strokes more often than they report one, so it counts
    only where somebody claims it."""
    asked: bool = False
    """Also counts where somebody only asks: a way to die."""
    lasting: bool = False
    """A state in which a history still counts: diabetes, a blood thinner."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that is a sign: a temperature from 40 °C, a saturation below 93 %."""

    sign: str
    quantity: str
    """As `app.safety.numbers` names it."""
    low: float = float("-inf")
    """The smallest value that counts."""
    high: float = float("inf")
    """The first value that no longer counts."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A sign that the words of a text add up to; heard from patients alone."""

    sign: str
    level: str
    """Which of the weights' levels."""
    above: float
    """Log-odds."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One red flag."""

    id: str
    level: Level
    title: str
    when: tuple[str, ...]
    """Alternatives, each as `fever + neck_stiff/light_hurts - travel_vaccine`: all of the signs
    joined by `+` (any of those joined by `/`) and none behind the `-`."""
    say: str
    """The card's first sentence."""
    steps: tuple[str, ...]
    """What to do until help comes."""
    source: str
    """Name of the guidance page that the rule was written from."""
    reviewed: str
    """Date of a clinician's review, or "none"."""
    over_turns: bool = True
    """Whether the signs may come from several turns."""


@dataclass(frozen=True, slots=True)
class Question:
    """A fixed yes/no question after a symptom, answered with a key."""

    ask: str
    means: str
    """What a yes says. Given to the check as a turn of the person, it raises what it must."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A symptom that could be dangerous, and what to ask about it, once in a conversation."""

    id: str
    when: tuple[str, ...]
    """As a rule's."""
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that is written down; `RedFlags` makes it fit for use."""

    signs: tuple[Sign, ...]
    rules: tuple[Rule, ...]
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Phrases by the name of their list, for `{name}` in patterns."""
    cues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Phrases that turn a sign's meaning: "denies", "years ago", "what is"."""
    measures: tuple[Measure, ...] = ()
    weighed: tuple[Weighed, ...] = ()
    weights: Weights = field(default_factory=Weights)
    complaints: tuple[Complaint, ...] = ()
    fillers: frozenset[str] = frozenset()
    """Words that may stand anywhere inside a phrase."""
    common: frozenset[str] = frozenset()
    """Ordinary words that are no misspelling of a medical one."""
    softer: str = ""
    """What the card says where the text could not be read."""
