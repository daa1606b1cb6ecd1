"""A rulebook small enough to reason about, and the shipped one, made once."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from app.assistant.rulebook import red_flags
from app.safety import Level, RedFlags, Rule, Rulebook
from app.safety.rules import Sign

CUES: dict[str, tuple[str, ...]] = {
    "negation": ("no", "not", "without"),
    "long_negation": ("denies",),
    "not_negation": ("no relief",),
    "resume": ("severe", "my", "has"),
    "asked_whether": ("asked if",),
    "said_no": ("i said no",),
    "history_of": ("history of",),
    "long_ago": ("years ago",),
    "ongoing": ("still", "since"),
    "not_ongoing": ("still on", "none since"),
    "had": ("had",),
    "uncertain": ("think",),
    "about": ("what is", "symptoms of"),
    "fiction": ("movie",),
    "story": ("thriller",),
    "own": ("i", "my", "dad"),
    "possessive": ("my",),
    "claim": ("having", "think", "is it"),
    "not_claim": ("is it true",),
    "discarded": ("checked me for",),
    "generic": ("someone",),
    "condition": ("if",),
    "routine": ("review",),
    "asking": ("what", "can"),
    "idiom": ("stroke of luck",),
}


def rule(name: str, *when: str, level: Level = Level.CALL, **more: Any) -> Rule:
    """A rule whose words do not matter."""
    return Rule(name, level, name.title(), when, "Say.", ("Step.",), "A page", "none", **more)


def small(**more: Any) -> RedFlags:
    """Two symptoms, a disease and a lasting state."""
    book: dict[str, Any] = {
        "signs": (
            Sign("chest_pain", ("{pain} & chest",), unless=("gym",)),
            Sign("fever", ("fever",)),
            Sign("stroke", ("stroke",), diagnosis=True),
            Sign("diabetes", ("diabetic",), lasting=True),
        ),
        "rules": (
            rule("chest", "chest_pain"),
            rule("stroke", "stroke"),
            rule("ill", "fever + diabetes", level=Level.TODAY),
        ),
        "lists": {"pain": ("pain", "hurt")},
        "cues": CUES,
        "fillers": frozenset({"my", "a", "the", "is", "in", "really"}),
        "softer": "Only English is understood.",
    }
    return RedFlags(Rulebook(**{**book, **more}))


@lru_cache(maxsize=1)
def rules_alone() -> RedFlags:
    """The rules of the rule file without what is weighed, whose weights were fitted to the very
    tables that the rules are held against."""
    book = shipped().book
    weighed = {one.sign for one in book.weighed}
    kept = tuple(one for one in book.rules if not weighed & set(one.when))
    return RedFlags(replace(book, rules=kept, weighed=()))


@lru_cache(maxsize=1)
def shipped() -> RedFlags:
    """The rules of the rule file."""
    return red_flags()
