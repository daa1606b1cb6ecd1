"""Bounded reading of the values of a GGUF header: no number of the file is believed unchecked."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, cast

from app.errors import BadInputError
from app.sanitise import one_line

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Skipped:
    """A long array that was checked and not kept."""

    element: str
    """GGUF name of the elements' type, `string` or `int32` for example."""
    count: int


Value = Scalar | tuple[Scalar, ...] | Skipped
Whole = list[bytes] | tuple[Scalar, ...]
"""Every element of an array: raw strings, or numbers."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What stands behind a key."""

    kind: str
    """GGUF type of the value: `uint32`, `string`, and `string[]` for an array of strings."""
    value: Value
    every: Whole | None = None
    """All elements of an array, where they were asked for."""


UINT32 = 4
UINT64 = 10
INT64 = 11
BOOL = 7
STRING = 8
ARRAY = 9
TYPE_NAMES = {
    0: "uint8",
    1: "int8",
    2: "uint16",
    3: "int16",
    UINT32: "uint32",
    5: "int32",
    6: "float32",
    BOOL: "bool",
    STRING: "string",
    ARRAY: "array",
    UINT64: "uint64",
    INT64: "int64",
    12: "float64",
}
_FORMATS = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIifBQqd", strict=True))

MAX_STRING = 32 * 1024 * 1024
"""Bytes. Some files carry a whole tokenizer.json of 20 MB as one string; none carries more."""
MAX_KEY = 65535
"""Bytes; the bound that the GGUF specification sets."""
MAX_ELEMENTS = 4 * 1024 * 1024
"""Elements of all arrays together. The largest vocabularies have 0.3 million tokens and 0.6
million merges; a header beyond this would take seconds to read and serves no model."""
MAX_HEADER = 128 * 1024 * 1024
"""Bytes of a header; real ones stay below 32 MB, and a hostile one must not fill a small board."""
KEPT_ELEMENTS = 1024
"""Longer arrays are checked and skipped. Arrays by layer have at most 512 elements."""

_CHUNK = 1024 * 1024
_LENGTH = struct.Struct("<Q")


def shown(text: str | bytes) -> str:
    """A name or value of the file, quoted and safe to print in a sentence."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return f"“{one_line(text, 80)}”"


class HeaderReader:
    """Reads little-endian values from a file, never past its end and never ahead of a check."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._end = min(size, MAX_HEADER)
        self._size = size
        self._buffer = b""
        self._at = 0
        self._base = 0
        self._elements = MAX_ELEMENTS

    @property
    def position(self) -> int:
        """Bytes from the start of the file."""
        return self._base + self._at

    def take(self, count: int, what: str) -> bytes:
        """The next `count` bytes; `what` names them in the sentence when they are not there."""
        self.require(count, what)
        if len(self._buffer) - self._at < count:
            self._fill(count, what)
        start, self._at = self._at, self._at + count
        return self._buffer[start : self._at]

    def number(self, type_id: int, what: str) -> int | float | bool:
        """One number or bool of the GGUF type."""
        layout = _FORMATS[type_id]
        (value,) = struct.unpack("<" + layout, self.take(struct.calcsize(layout), what))
        if type_id != BOOL:
            return cast(float, value)
        if value not in (0, 1):
            raise _no_boolean(what)
        return bool(value)

    def integer(self, type_id: int, what: str) -> int:
        """One whole number of the GGUF type."""
        return int(self.number(type_id, what))

    def string(self, what: str, limit: int = MAX_STRING) -> bytes:
        """One length-prefixed string."""
        length = self.integer(UINT64, f"the length of {what}")
        if length > limit:
            raise BadInputError(
                f"The model file says that {what} is {length} bytes long; at most {limit} make "
                "sense. The file is damaged or hostile; get it again from its source."
            )
        return self.take(length, what)

    def value(self, key: str, whole: bool = False) -> Pair:
        """The value of a key; with `whole` also every element where it is an array."""
        type_id = self.integer(UINT32, f"the value type of {shown(key)}")
        what = f"the value of {shown(key)}"
        if type_id == STRING:
            return Pair("string", self.string(what).decode("utf-8", "replace"))
        if type_id == ARRAY:
            return self._array(key, what, whole)
        if type_id in _FORMATS:
            return Pair(TYPE_NAMES[type_id], self.number(type_id, what))
        raise BadInputError(
            f"The model file gives {shown(key)} the value type {type_id}, which GGUF does not "
            "have. The file is damaged; get it again from its source."
        )

    def _array(self, key: str, what: str, whole: bool) -> Pair:
        element = self.integer(UINT32, f"the element type of {shown(key)}")
        count = self.integer(UINT64, f"the length of {shown(key)}")
        if element == ARRAY or element not in TYPE_NAMES:
            kind = "an array of arrays" if element == ARRAY else f"an array of type {element}"
            raise BadInputError(
                f"The model file gives {shown(key)} {kind}, which llama.cpp does not read. "
                "Get the file again from its source."
            )
        self._spend(count, what)
        read = self._strings if element == STRING else self._numbers
        value, every = read(element, count, what, whole)
        return Pair(f"{TYPE_NAMES[element]}[]", value, every)

    def _spend(self, count: int, what: str) -> None:
        if count > self._elements:
            raise BadInputError(
                f"The model file lists {count} elements in {what}; no model has that many. "
                "The file is damaged or hostile; get it again from its source."
            )
        self._elements -= count

    def _numbers(
        self, element: int, count: int, what: str, whole: bool
    ) -> tuple[Value, Whole | None]:
        layout = _FORMATS[element]
        data = self.take(count * struct.calcsize(layout), what)
        if element == BOOL and data.translate(None, b"\x00\x01"):
            raise _no_boolean(what)
        if count > KEPT_ELEMENTS and not whole:
            return Skipped(TYPE_NAMES[element], count), None
        values = struct.unpack(f"<{count}{layout}", data)
        values = tuple(map(bool, values)) if element == BOOL else values
        short = values if count <= KEPT_ELEMENTS else Skipped(TYPE_NAMES[element], count)
        return short, values if whole else None

    def _strings(
        self, element: int, count: int, what: str, whole: bool
    ) -> tuple[Value, Whole | None]:
        self.require(count * _LENGTH.size, what)
        found: list[bytes] = []
        keep = found if whole or count <= KEPT_ELEMENTS else None
        left = count - self._buffered(count, keep)
        while left:
            one = self.string(f"an element of {what}")
            if keep is not None:
                keep.append(one)
            left -= 1 + self._buffered(left - 1, keep)
        if count > KEPT_ELEMENTS:
            return Skipped(TYPE_NAMES[element], count), keep
        texts = tuple(text.decode("utf-8", "replace") for text in found)
        return texts, found if whole else None

    def _buffered(self, count: int, found: list[bytes] | None) -> int:
        """Walks the strings that lie whole in the buffer: the loop that a big vocabulary spends
        its time in, so it has neither calls nor attributes."""
        buffer, at, end = self._buffer, self._at, len(self._buffer) - _LENGTH.size
        unpack = _LENGTH.unpack_from
        done = 0
        while done < count and at <= end:
            start = at + 8
            stop = start + unpack(buffer, at)[0]
            if stop > end + 8:
                break
            if found is not None:
                found.append(buffer[start:stop])
            at = stop
            done += 1
        self._at = at
        return done

    def require(self, count: int, what: str) -> None:
        if count <= self._end - self.position:
            return
        if self._end < self._size:
            raise BadInputError(
                f"The header of the model file goes on past {MAX_HEADER} bytes at {what}; no "
                "model needs that. The file is damaged or hostile; get it again from its source."
            )
        raise BadInputError(
            f"The model file ends in the middle of {what}: it is damaged or not fully "
            "downloaded. Get it again from its source."
        )

    def _fill(self, count: int, what: str) -> None:
        rest = self._buffer[self._at :]
        self._base += self._at
        self._at = 0
        wanted = max(_CHUNK, count - len(rest))
        self._buffer = rest + self._file.read(min(wanted, self._end - self._base - len(rest)))
        if len(self._buffer) < count:
            raise BadInputError(
                f"The model file became shorter while {what} was read. Wait until its download "
                "or copy has ended, then try again."
            )


def _no_boolean(what: str) -> BadInputError:
    return BadInputError(
        f"The model file holds something other than true or false for {what}. "
        "The file is damaged; get it again from its source."
    )
