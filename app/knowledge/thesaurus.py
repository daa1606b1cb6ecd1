"""Lay words for clinical ones and back: whoever asks about "pee" must find "urine"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.errors import BadInputError
from app.knowledge.words import terms
from app.toml_file import read_toml

SHIPPED = Path(__file__).with_name("thesaurus.toml")

Phrase = tuple[str, ...]
"""Terms that stand side by side."""

LONGEST_PHRASE = 4
"""Terms. Longer ones are never found in a question."""


@dataclass(frozen=True, slots=True)
class Thesaurus:
    """Which phrases mean nearly the same."""

    related: Mapping[Phrase, tuple[Phrase, ...]]
    """In both directions, without chains: a word that is close to two is close to both, but they
    are not therefore close to each other."""
    medicines: Mapping[str, str]
    """Terms that name a medicine, each with the one of its names that stands for all."""

    def phrases_in(self, question: tuple[str, ...]) -> Iterator[tuple[int, Phrase]]:
        """Where known phrases begin in a row of terms; the longest wins, and none overlap."""
        place = 0
        while place < len(question):
            for length in range(min(LONGEST_PHRASE, len(question) - place), 0, -1):
                phrase = question[place : place + length]
                if phrase in self.related:
                    yield place, phrase
                    place += length - 1
                    break
            place += 1


def read_thesaurus(path: Path) -> Thesaurus:
    """Reads a file of tables `[area]` with `"lay words" = ["clinical words", …]`.

    Raises:
        BadInputError: the file is missing or not of that form.
    """
    related: dict[Phrase, dict[Phrase, None]] = defaultdict(dict)
    medicines: dict[str, str] = {}
    for area, lay, clinical in _pairs(read_toml(path), path):
        left, right = tuple(terms(lay)), tuple(terms(clinical))
        if area == "medicines":
            medicines.update({side[0]: left[0] for side in (left, right) if len(side) == 1})
        elif area == "medicine-classes" and len(right) == 1:
            medicines.setdefault(right[0], right[0])
        if left and right and left != right:
            related[left][right] = None
            related[right][left] = None
    return Thesaurus({phrase: tuple(others) for phrase, others in related.items()}, medicines)


@lru_cache(maxsize=1)
def shipped_thesaurus() -> Thesaurus:
    """Bedside's own, read once."""
    return read_thesaurus(SHIPPED)


def _pairs(tables: Mapping[str, object], path: Path) -> Iterator[tuple[str, str, str]]:
    for area, table in tables.items():
        if not isinstance(table, dict):
            raise BadInputError(f"{path.name}: {area} is no table of words. Write it as [{area}].")
        for lay, clinical in table.items():
            if not isinstance(clinical, list) or not all(isinstance(one, str) for one in clinical):
                raise BadInputError(f"{path.name}: “{lay}” has no list of words behind it.")
            yield from ((area, lay, one) for one in clinical)
