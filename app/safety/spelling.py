"""Misspelt medical words, mended where only one letter is wrong and the word is long.

A short word one letter away is too often another word ("chest" and "cheat"), and so is an ordinary
one ("mother" and "smother"): both are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.safety.words import stem as stem_of

_SHORTEST = 6
"""Letters of a stem that is mended to; a slip in a shorter one makes another word."""
_DOUBLED = re.compile(r"([a-z])\1+")


class Spelling:
    """Finds the known stem that a stem is a slip of, by the letters that both can spare."""

    def __init__(self, known: Iterable[str], common: Iterable[str]) -> None:
        """Takes the stems to mend to, and the stems that are right as they are."""
        self._known = frozenset(known)
        self._common = frozenset(common)
        self._shortened: dict[str, list[str]] = {}
        self._single: dict[str, str] = {}
        for stem in sorted(self._known):
            if len(stem) >= _SHORTEST and stem.isalpha():
                for short in _shortened(stem):
                    self._shortened.setdefault(short, []).append(stem)
            if len(stem) >= _SHORTEST - 1 and stem.isalpha():
                self._single.setdefault(_DOUBLED.sub(r"\1", stem), stem)

    def mended(self, stem: str) -> str:
        """The known stem that was meant, or the stem itself."""
        if stem in self._known or stem in self._common or len(stem) < _SHORTEST - 1:
            return stem
        if stem.endswith("in") and (whole := stem_of(f"{stem}g")) in self._known:
            return whole  # "killin", "fittin"
        single = self._single.get(_DOUBLED.sub(r"\1", stem))
        if single is not None:
            return single
        for short in _shortened(stem):
            for near in self._shortened.get(short, ()):
                if near[0] == stem[0] and _one_slip(stem, near):
                    return near
        return stem


def _shortened(stem: str) -> Iterator[str]:
    """The stem, and the stem without each of its letters."""
    yield stem
    for place in range(len(stem)):
        yield stem[:place] + stem[place + 1 :]


def _one_slip(first: str, second: str) -> bool:
    """Whether one letter was left out, put in, changed, or two neighbours changed places."""
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    a, b = first[start:], second[start:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
