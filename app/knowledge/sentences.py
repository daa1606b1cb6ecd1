"""Sentences of answers and passages."""

from __future__ import annotations

import re

_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*(?:\s*\[\d{1,3}\])*\s+(?=[\"'“‘(\[]?[A-Z0-9])|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|vs|e\.g|i\.e|approx|etc|No|Fig|Inc)|\b[A-Z]"
    r"|(?:^|\n)\s*\d{1,2})\.$"
)
_CITATIONS = re.compile(r"(?:\s*\[\d{1,3}\])+\s*")
_LONGEST_ABBREVIATION = 8
_BULLET = re.compile(r"^(?:[-*•+]|\d{1,2}[.)])\s+|^#{1,6}\s+")


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with its closing marks and citations; a line ends one, too.

    Bullets and heading marks are left out. "Dr. Smith" is not cut; an abbreviation that the rule
    does not know may be.
    """
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        before = text[max(start, end.start() - _LONGEST_ABBREVIATION) : end.start()]
        if _ABBREVIATION.search(before) and "\n" not in end[0]:
            continue
        found.append(text[start : end.end()])
        start = end.end()
    found.append(text[start:])
    if len(found) > 1 and _CITATIONS.fullmatch(found[-1]):
        found[-2:] = ["".join(found[-2:])]
    return [plain for one in found if (plain := _BULLET.sub("", one.strip()))]
