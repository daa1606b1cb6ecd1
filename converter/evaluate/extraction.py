"""Which option a written answer names, by a rule that anyone can follow by hand.

Of letters, the first of these that is there decides:

1. the answer begins with the letter, alone or before `.`, `:`, `,` or `)`: `B`, `(B)`, `B. …`;
2. a letter after `answer is` or `answer:`: `The right answer is (B)`;
3. the one letter that stands in round brackets or before `)`, `.` or `:`, if only one does;
4. the one option whose whole text is written there, if only one is.

Of words (yes, no, maybe): the word that the answer begins with; the one after `answer is` or
`answer:`; the one that is written, if only one is. Case does not matter for words. Where nothing
applies nothing was read: the question counts as wrong, and reports count how often.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from converter.evaluate.form import LETTERS
from converter.evaluate.question import Question

_AFTER_ANSWER = r"\banswer(?:\s+is|\s*:)\s*:?\s*[(\[\"'*]*"


def extract(written: str, question: Question, by_label: bool) -> int | None:
    """The option that an answer names, or None where nothing can be read from it."""
    text = written.strip()
    if by_label:
        return _word(text, question.options)
    return _letter(text, len(question.options), question.options)


def _letter(text: str, count: int, options: Sequence[str]) -> int | None:
    letters = f"[{LETTERS[0]}-{LETTERS[count - 1]}]"
    for pattern in (
        rf"^[(\[\"'*]*({letters})[)\]*]*(?:[.:,)\"']|\s*$|\s*\n)",
        rf"(?i:{_AFTER_ANSWER})({letters})\b",
    ):
        if found := re.search(pattern, text):
            return LETTERS.index(found[1])
    marked = set(re.findall(rf"(?<![\w.])\(?({letters})[).:](?!\w)", text))
    if marked:
        return LETTERS.index(marked.pop()) if len(marked) == 1 else None
    return _only(options, text)


def _word(text: str, labels: Sequence[str]) -> int | None:
    ordered = sorted(labels, key=len, reverse=True)
    words = "|".join(f"({re.escape(label)})" for label in ordered)
    for before in (r"^[(\[\"'*]*", _AFTER_ANSWER):
        found = re.search(rf"{before}(?:{words})(?!\w)", text, re.IGNORECASE)
        if found and found.lastindex:
            return labels.index(ordered[found.lastindex - 1])
    return _only(labels, text)


def _only(options: Sequence[str], text: str) -> int | None:
    """The one option that is written in a text as whole words."""
    there = [
        number
        for number, option in enumerate(options)
        if re.search(rf"(?<!\w){re.escape(option)}(?!\w)", text, re.IGNORECASE)
    ]
    return there[0] if len(there) == 1 else None
