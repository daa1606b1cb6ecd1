"""What a shared library or program asks of the machine, read from its ELF file.

Read as the loader reads it, from the program headers: section headers may be stripped or lie. The
files come from other people's wheels, so every offset and count is checked before it is followed.
After the ELF-64 specification and the LSB's chapter on symbol versioning (`.gnu.version_r`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.errors import BadInputError
from app.sanitise import one_line

MAGIC: Final = b"\x7fELF"
AARCH64: Final = 183
"""`e_machine` (EM_AARCH64)."""

_HEADER = struct.Struct("<HHIQQQIHHHHHH")
_PROGRAM = struct.Struct("<IIQQQQQQ")
_DYNAMIC = struct.Struct("<qQ")
_NEED = struct.Struct("<HHIII")
_NEED_VERSION = struct.Struct("<IHHII")

_LOAD, _DYNAMIC_SEGMENT = 1, 2
_NEEDED, _STRING_TABLE, _RPATH, _RUNPATH = 1, 5, 15, 29
_VERSIONS, _VERSIONS_COUNT = 0x6FFFFFFE, 0x6FFFFFFF

_MOST_SEGMENTS = 256
_MOST_ENTRIES = 4096
"""Dynamic entries, and versions needed: real libraries have some dozens."""
_LONGEST_NAME = 512


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the file that is mapped into memory."""

    offset: int
    address: int
    bytes: int
    alignment: int

    def fits_pages_of(self, page: int) -> bool:
        """Whether a kernel with pages of so many bytes can map it."""
        return self.alignment >= page and (self.address - self.offset) % page == 0


@dataclass(frozen=True, slots=True)
class Elf:
    """What the loader will want to know."""

    machine: int
    segments: tuple[Segment, ...]
    needed: tuple[str, ...]
    """Libraries that must be found, as `libc.so.6`."""
    search: tuple[str, ...]
    """Where it looks for them first, as `$ORIGIN`."""
    versions: Mapping[str, tuple[str, ...]]
    """Of each such library the symbol versions that it must have, as `GLIBC_2.34`."""


def read_elf(content: bytes, name: str) -> Elf:
    """The file in these bytes.

    Args:
        content: of the whole file.
        name: for complaints.

    Raises:
        BadInputError: it is no 64-bit little-endian ELF file, or is damaged.
    """
    try:
        return _read(_Bytes(content))
    except _DamagedError as error:
        raise BadInputError(
            f"{one_line(name, 200)} is no sound library: {error}. Get its wheel again."
        ) from error


class _DamagedError(Exception):
    """What is wrong with the file, as a clause."""


class _Bytes:
    """The file's bytes, which are never read beyond their end."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def unpack(self, form: struct.Struct, offset: int) -> tuple[int, ...]:
        if offset + form.size > len(self._content):
            raise _DamagedError("a table in it leads beyond its end")
        return form.unpack_from(self._content, offset)

    def text(self, offset: int) -> str:
        end = self._content.find(b"\0", offset, offset + _LONGEST_NAME)
        if end < 0:
            raise _DamagedError("a name in it has no end")
        raw = self._content[offset:end]
        if not raw.isascii():
            raise _DamagedError("a name in it is no plain text")
        return raw.decode("ascii")

    def starts_as_elf64(self) -> bool:
        return self._content.startswith(MAGIC + b"\x02\x01\x01")


def _read(content: _Bytes) -> Elf:
    if not content.starts_as_elf64():
        raise _DamagedError("it is no 64-bit ELF file")
    header = content.unpack(_HEADER, 16)
    machine, table, size, count = header[1], header[4], header[8], header[9]
    if size != _PROGRAM.size or count > _MOST_SEGMENTS:
        raise _DamagedError("its program headers have another form")
    programs = [content.unpack(_PROGRAM, table + place * size) for place in range(count)]
    segments = tuple(
        Segment(offset, address, length, alignment)
        for kind, _, offset, address, _, length, _, alignment in programs
        if kind == _LOAD
    )
    entries = [
        entry
        for kind, _, offset, _, _, length, _, _ in programs
        if kind == _DYNAMIC_SEGMENT
        for entry in _dynamic(content, offset, length)
    ]
    return _with_dynamic(content, machine, segments, entries)


def _dynamic(content: _Bytes, offset: int, length: int) -> Iterator[tuple[int, int]]:
    """The dynamic section's entries: tag and value."""
    for place in range(min(length // _DYNAMIC.size, _MOST_ENTRIES)):
        tag, value = content.unpack(_DYNAMIC, offset + place * _DYNAMIC.size)
        if tag == 0:
            return
        yield tag, value


def _with_dynamic(
    content: _Bytes,
    machine: int,
    segments: tuple[Segment, ...],
    entries: list[tuple[int, int]],
) -> Elf:
    values = dict(entries)
    names = [value for tag, value in entries if tag == _NEEDED]
    paths = [value for tag, value in entries if tag in (_RPATH, _RUNPATH)]
    if not names and not paths and _VERSIONS not in values:
        return Elf(machine, segments, (), (), {})
    if _STRING_TABLE not in values:
        raise _DamagedError("it names libraries and has no table of names")
    strings = _place(segments, values[_STRING_TABLE])
    return Elf(
        machine,
        segments,
        needed=tuple(content.text(strings + at) for at in names),
        search=tuple(
            folder for at in paths for folder in content.text(strings + at).split(":") if folder
        ),
        versions=_versions(content, segments, values, strings),
    )


def _versions(
    content: _Bytes, segments: tuple[Segment, ...], values: Mapping[int, int], strings: int
) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if _VERSIONS not in values:
        return found
    at = _place(segments, values[_VERSIONS])
    left = _MOST_ENTRIES
    for _ in range(min(values.get(_VERSIONS_COUNT, 0), _MOST_ENTRIES)):
        _, count, file, first, step = content.unpack(_NEED, at)
        left -= count + 1
        if left < 0:
            raise _DamagedError("it asks for more versions than any library")
        library = content.text(strings + file)
        names = _version_names(content, at + first, count, strings)
        found[library] = (*found.get(library, ()), *names)
        if step == 0:
            break
        at += step
    return found


def _version_names(content: _Bytes, at: int, count: int, strings: int) -> Iterator[str]:
    for _ in range(count):
        _, _, _, name, step = content.unpack(_NEED_VERSION, at)
        yield content.text(strings + name)
        at += step


def _place(segments: tuple[Segment, ...], address: int) -> int:
    """Where in the file lies what is mapped to this address."""
    for segment in segments:
        if segment.address <= address < segment.address + segment.bytes:
            return segment.offset + address - segment.address
    raise _DamagedError("an address in it lies in no part of it")
