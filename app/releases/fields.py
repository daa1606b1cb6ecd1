"""JSON objects from strangers, field by field: each of the kind it should be, and nothing else."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.errors import BadInputError
from app.sanitise import one_line

_MOST_TEXTS = 64
_LONGEST_TEXT = 64


class Fields:
    """The fields of one JSON object, which complain in a sentence that names the file and field."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        self._values, self._where = values, where

    @classmethod
    def read(cls, content: bytes, where: str, largest: int) -> Fields:
        """The object in these bytes.

        Args:
            content: JSON in UTF-8, of anyone's making.
            where: what it is, as `The bundle's manifest`, to begin a sentence.
            largest: bytes; more is refused unread.

        Raises:
            BadInputError: it is no such object, or a key stands in it twice.
        """
        fields = cls({}, where)
        if len(content) > largest:
            raise fields.wrong("it is too large")
        try:
            values = json.loads(content.decode("utf-8"), object_pairs_hook=fields._once)
        except (ValueError, RecursionError) as error:
            raise fields.wrong("it is no JSON text") from error
        return cls(fields._object(values, ""), where)

    def text(self, name: str, longest: int = _LONGEST_TEXT, *, empty: bool = False) -> str:
        """One line of plain ASCII, which may be an empty one where that is said."""
        value = self._value(name)
        if not isinstance(value, str) or len(value) > longest or not _plain(value):
            raise self.wrong(f"“{name}” is no short text")
        if not value and not empty:
            raise self.wrong(f"“{name}” is no short text")
        return value

    def matching(self, name: str, pattern: str) -> str:
        """A text of this form as a whole."""
        value = self.text(name, 256)
        if not re.fullmatch(pattern, value):
            raise self.wrong(f"“{name}” is not of the right form")
        return value

    def sha256(self, name: str) -> str:
        """A hash, as 64 hex digits in lower case."""
        return self.matching(name, "[0-9a-f]{64}")

    def choice(self, name: str, choices: Iterable[str], *, empty: bool = False) -> str:
        """One of these."""
        value = self.text(name, empty=empty)
        if value not in choices:
            raise self.wrong(f"“{name}” is “{one_line(value, 40)}”, which is not known here")
        return value

    def number(self, name: str, least: int, most: int) -> int:
        """A whole number in this range."""
        value = self._value(name)
        if type(value) is not int or not least <= value <= most:
            raise self.wrong(f"“{name}” is no number that can be")
        return value

    def texts(self, name: str, choices: Iterable[str] = ()) -> tuple[str, ...]:
        """A list of short texts, none of them twice; each one of `choices` where there are any."""
        value = self._value(name)
        known = tuple(choices)
        if not isinstance(value, list) or len(value) > _MOST_TEXTS:
            raise self.wrong(f"“{name}” is no short list")
        for one in value:
            if not isinstance(one, str) or not _word(one) or (known and one not in known):
                raise self.wrong(f"“{name}” holds what is not known here")
        if len(set(value)) != len(value):
            raise self.wrong(f"“{name}” names one thing twice")
        return tuple(value)

    def inner(self, name: str) -> Fields:
        """An object in this one."""
        return Fields(self._object(self._value(name), name), self._where)

    def names(self, most: int) -> tuple[str, ...]:
        """The names of all fields, where they are themselves the content."""
        if len(self._values) > most:
            raise self.wrong("it holds more than it can need")
        return tuple(self._values)

    def check_nothing_else(self, kind: Any) -> None:
        """See that no field is there which this dataclass does not have."""
        known = {field.name for field in dataclasses.fields(kind)}
        for name in self._values:
            if name not in known:
                raise self.wrong(f"“{one_line(name, 40)}” is not known here")

    def wrong(self, why: str) -> BadInputError:
        """The complaint."""
        return BadInputError(f"{self._where} cannot be used: {why}. Make or copy it again.")

    def _value(self, name: str) -> object:
        if name not in self._values:
            raise self.wrong(f"“{one_line(name, 40)}” is missing")
        return self._values[name]

    def _object(self, value: object, name: str) -> Mapping[str, object]:
        if not isinstance(value, dict):
            raise self.wrong(f"“{one_line(name, 40)}” is no object" if name else "it is no object")
        return value

    def _once(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        """Two readers may take two different ones of a key that stands twice, so none may."""
        values = dict(pairs)
        if len(values) != len(pairs):
            raise self.wrong("a name stands in it twice")
        return values


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _word(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_TEXT and _plain(text) and " " not in text
