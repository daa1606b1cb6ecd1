"""What a form of questions is: which fields tell it, and how its rows become questions."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.sanitise import one_line
from converter.evaluate.question import Question
from converter.evaluate.rows import Row

LETTERS = tuple(string.ascii_uppercase)
"""What options are called where they have letters; no set has more options."""


@dataclass(frozen=True, slots=True)
class Form:
    """A way in which a set of questions is written down, a JSON object a line."""

    name: str
    """For sentences."""
    task: str
    needs: tuple[str, ...]
    """The fields that a row is known by; a row that has them all is of this form."""
    read: Callable[[Sequence[Row]], Iterator[Question]]
    labels: tuple[str, ...] = ()
    """The options of every question, where they are the same in all; else they have letters."""


def lettered(row: Row, name: str) -> dict[str, str]:
    """Options by their letters out of an object `{"A": …}` or a list.

    Raises:
        BadInputError: there are fewer than two, or their letters are not A, B and so on.
    """
    value = row.value(name)
    if isinstance(value, list):
        value = dict(zip(LETTERS, value, strict=False)) if len(value) <= len(LETTERS) else None
    if not isinstance(value, dict) or not 2 <= len(value) <= len(LETTERS):
        raise row.wrong(f"must have two to {len(LETTERS)} options in its field `{name}`")
    if tuple(sorted(value)) != LETTERS[: len(value)]:
        letters = ", ".join(one_line(str(letter), 10) for letter in value)
        raise row.wrong(f"must call its options A, B and so on, not {one_line(letters, 60)}")
    return {letter: row.words(value[letter], f"option {letter}") for letter in sorted(value)}


def index(row: Row, name: str, labels: Sequence[str]) -> int:
    """Which of the labels a field names. Raises BadInputError where it is none of them."""
    value = row.value(name)
    if not isinstance(value, str) or value not in labels:
        shown = one_line(str(value), 40)
        raise row.wrong(
            f"says that the answer is `{shown}`, which is none of its options "
            f"({one_line(', '.join(labels), 80)}); mend it or fetch the file again"
        )
    return labels.index(value)


def own_id(*parts: str) -> str:
    """A name for a question that its publisher gave none: of its text and options."""
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "replace"))
    return digest.hexdigest()[:16]
