"""What a question asks for: the words that name its topic, and the kind of answer it wants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from app.knowledge.words import fold, words
from app.toml_file import read_toml

KINDS = (
    "information", "symptoms", "causes", "treatment", "exams and tests", "outlook", "frequency",
    "inheritance", "genetic changes", "susceptibility", "prevention", "considerations",
    "research", "stages", "complications", "support groups", "urgency",
)  # fmt: skip
"""MedQuAD's question types, and "urgency" for when to get help (a section of Bedside's cards)."""

_SENTENCE = re.compile(r"[^.!?]+[.!?]*")
_WHEN = re.compile(
    r"\b(?:this|last|since|on|tomorrow|yesterday|until|next)(?: last)? "
    r"(?:morning|afternoon|evening|night|noon|weekend|summer|autumn|winter|spring"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
)
"""When it began or will be; "at night" is a sign and stays."""

_UNSTATED: Mapping[str, float] = {"information": 0.6, "symptoms": 0.6}
"""Whoever only tells what is wrong wants to know what it may be."""


@dataclass(frozen=True, slots=True)
class _Habits:
    """How people ask: `questions.toml`, which ships with Bedside and has a test."""

    asking: frozenset[str]
    signs: Mapping[str, re.Pattern[str]]
    related: Mapping[str, Mapping[str, float]]


def wanted_kinds(question: str) -> dict[str, float]:
    """How well a passage of each kind would answer the question, 0 to 1; missing kinds are 0."""
    habits = _habits()
    asked = [part for part in _SENTENCE.findall(question) if part.endswith("?")]
    found = stated_kinds("".join(asked)) or stated_kinds(question)
    wanted = dict.fromkeys(found, 1.0) or dict(_UNSTATED)
    for kind in found:
        for other, weight in habits.related.get(kind, {}).items():
            wanted[other] = max(wanted.get(other, 0.0), weight)
    return wanted


def stated_kinds(text: str) -> set[str]:
    """The kinds that a text asks for in so many words."""
    text = " ".join(re.findall(r"[^\W_]+", fold(text)))
    found = {kind for kind, pattern in _habits().signs.items() if pattern.search(text)}
    return found - {"information"} or found  # "what are the symptoms": "what are" says nothing


def topic_words(question: str) -> list[str]:
    """The words that tell what the question is about: those that ask are left out.

    A question of nothing but asking words ("what is research?") keeps them all.
    """
    return naming_words(question) or words(question)


def naming_words(question: str) -> list[str]:
    """The same, and none of a question of nothing but asking words ("how long?")."""
    return [w for w in words(_WHEN.sub(" ", fold(question))) if w not in _habits().asking]


@lru_cache(maxsize=1)
def _habits() -> _Habits:
    tables = read_toml(Path(__file__).with_name("questions.toml"))
    signs = cast("Mapping[str, list[str]]", tables["signs"])
    return _Habits(
        asking=frozenset(cast("str", tables["asking"]).split()),
        signs={kind: re.compile(rf"\b(?:{'|'.join(any_)})\b") for kind, any_ in signs.items()},
        related=cast("Mapping[str, Mapping[str, float]]", tables["related"]),
    )
