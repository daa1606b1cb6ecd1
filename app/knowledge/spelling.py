"""What a word that stands nowhere in the index was probably meant to be."""

from __future__ import annotations

import math
import re
import sqlite3

from app.knowledge.words import fold

_CANDIDATES = 60
_SOUNDS = (
    (re.compile(r"^ps|^tz"), "s"),
    (re.compile(r"^[pkg]n"), "n"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"rh"), "r"),
    (re.compile(r"qu|ck|ch|c(?![eiy])|x"), "k"),
    (re.compile(r"c|z"), "s"),
    (re.compile(r"ae|oe|ea|ee|ei|ie|y"), "i"),
    (re.compile(r"ou|au|oo"), "o"),
    (re.compile(r"(.)\1+"), r"\1"),
    (re.compile(r"(?<=.)h"), ""),
)
"""Sounds that have several spellings, each written one way: "soriasis" is "psoriasis"."""


class Spelling:
    """Corrects words by the words of the index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def knows(self, word: str) -> bool:
        """Whether the word stands in the index as it is."""
        row = self._connection.execute("SELECT 1 FROM word WHERE word = ?", (word,)).fetchone()
        return row is not None

    def corrected(self, word: str) -> str | None:
        """The nearest word of the index, or None where none is near.

        Near is one slip (a letter wrong, missing, too many, or two swapped) in a word of up to
        eight letters, two in a longer one, behind the same initial; or a word that sounds the
        same, give or take a slip in a long one. Of equally near words the commonest is taken.
        Words with digits are never corrected: a dose or a gene's name must not be guessed.
        """
        word = fold(word)
        if len(word) < 4 or not word.isalpha():
            return None
        best, best_cost = None, math.inf
        for candidate, count in self._candidates(word):
            cost = _cost(word, candidate) - math.log10(count + 1) / 20
            if cost < best_cost:
                best, best_cost = candidate, cost
        return best

    def _candidates(self, word: str) -> list[tuple[str, int]]:
        """Words of about the same length that share most runs of three letters."""
        framed = f"^{word}$"
        runs = {framed[i : i + 3] for i in range(len(framed) - 2)}
        runs |= {f"^{initial}{word[1]}" for initial in "kp" if word[0] in "ckpfs"}
        query = " OR ".join(f'"{run}"' for run in sorted(runs))
        rows = self._connection.execute(
            "SELECT trim(spelling.word, '^$'), word.count FROM spelling "
            "JOIN word ON word.word = trim(spelling.word, '^$') WHERE spelling MATCH ? "
            "AND length(spelling.word) BETWEEN ? AND ? ORDER BY bm25(spelling) LIMIT ?",
            (query, len(word), len(word) + 5, _CANDIDATES),
        )
        return [(str(found), int(count)) for found, count in rows]


def _cost(word: str, candidate: str) -> float:
    """Slips between two words, by letters or by sound (half a slip more); infinite if too many."""
    heard, said = _sound(word), _sound(candidate)
    if heard[:1] != said[:1]:
        return math.inf
    by_letter = distance(word, candidate, 1 if len(word) < 9 else 2)
    by_sound = distance(heard, said, 0 if len(word) < 7 else 1)
    return min(by_letter, by_sound + 0.5)


def _sound(word: str) -> str:
    for pattern, replacement in _SOUNDS:
        word = pattern.sub(replacement, word)
    return word


def distance(left: str, right: str, allowed: float) -> float:
    """Slips between two words (optimal string alignment), or infinity where more than allowed."""
    if abs(len(left) - len(right)) > allowed:
        return math.inf
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > allowed:
            return math.inf
    return row[-1] if row[-1] <= allowed else math.inf
