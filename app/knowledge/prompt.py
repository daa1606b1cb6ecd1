"""Passages as they stand in the user turn that asked for them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.knowledge.passage import Passage
from app.knowledge.sentences import sentences
from app.knowledge.words import terms

_LEAST = 80
"""Characters. A passage that would get fewer is left out: half a sentence leads astray."""
_CITATION = re.compile(r"\[(\d{1,3})\]")


def passages_for_prompt(
    passages: Sequence[Passage], question: str, budget_chars: int
) -> tuple[str, int]:
    """The user turn with references, in the form that medquad-29m was trained on.

        References:
        [1] Glaucoma - symptoms: …

        Question: How do I know if I have glaucoma?

    A passage is data. Each stands on one line, so none can look like another reference or like
    the question; numbers in square brackets become round ones, so none can forge a citation. A
    passage that is too long gives the run of sentences that speaks most of the question.

    Args:
        passages: best first; they are numbered from 1 in this order.
        question: as it was typed.
        budget_chars: what the references may take, in characters, the question not counted.

    Returns:
        The turn, and how many of the passages stand in it (the first so many). Without passages,
        or where none fits, the turn is the bare question.
    """
    lines: list[str] = []
    left = budget_chars - len("References:\n\nQuestion: ")
    for number, passage in enumerate(passages, 1):
        head = f"[{number}] {_one_line(passage.title)}: "
        share = left // (len(passages) - number + 1) - len(head) - 1
        if share < _LEAST:
            break
        line = head + excerpt(passage.text, question, share)
        lines.append(line)
        left -= len(line) + 1
    if not lines:
        return question, 0
    references = "\n".join(lines)
    return f"References:\n{references}\n\nQuestion: {question}", len(lines)


def excerpt(text: str, question: str, limit: int) -> str:
    """At most `limit` characters of whole sentences, on one line: those about the question.

    The window with the most different words of the question wins, the earliest of equals. Where
    not even one sentence fits, it is cut at a word and ends in "…".
    """
    parts = [_one_line(one) for one in sentences(text)]
    if sum(map(len, parts)) + len(parts) - 1 <= limit:
        return " ".join(parts)
    asked = set(terms(question))
    found = [asked.intersection(terms(part)) for part in parts]
    best, best_hits = 0, -1
    for start in range(len(parts)):
        end = _end(parts, start, limit)
        hits = len(set[str]().union(*found[start:end]))
        if hits > best_hits:
            best, best_hits = start, hits
    chosen = parts[best : _end(parts, best, limit)]
    return " ".join(chosen) if chosen else _cut(parts[best], limit)


def _end(parts: Sequence[str], start: int, limit: int) -> int:
    """Behind the last sentence that still fits when the window begins at `start`."""
    length = -1
    for place in range(start, len(parts)):
        length += len(parts[place]) + 1
        if length > limit:
            return place
    return len(parts)


def _cut(sentence: str, limit: int) -> str:
    shorter = sentence[: limit - 1]
    return (shorter.rpartition(" ")[0] or shorter) + "…"


def _one_line(text: str) -> str:
    return _CITATION.sub(r"(\1)", " ".join(text.split()))
