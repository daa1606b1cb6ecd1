"""Small ELF files with what a test wants in them, written by hand after the specification."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

AARCH64, X86_64 = 183, 62


def library(
    *,
    machine: int = AARCH64,
    alignment: int = 0x10000,
    needed: Sequence[str] = ("libc.so.6",),
    versions: Mapping[str, Sequence[str]] | None = None,
    search: str = "",
    shifted: int = 0,
) -> bytes:
    """A library of one loaded part that begins with the file.

    Args:
        machine: `e_machine`.
        alignment: of the part.
        needed: libraries that must be found.
        versions: of each library the versions asked for.
        search: the RUNPATH.
        shifted: bytes between the part's place in the file and in memory, beyond the alignment.
    """
    strings = b"\0"

    def name(text: str) -> int:
        nonlocal strings
        at = len(strings)
        strings += text.encode() + b"\0"
        return at

    entries = [(1, name(one)) for one in needed]
    if search:
        entries.append((29, name(search)))
    needs = b""
    asked = versions or {}
    for place, (file, names) in enumerate(asked.items(), 1):
        step = 16 + 16 * len(names)
        needs += struct.pack(
            "<HHIII", 1, len(names), name(file), 16, step if place < len(asked) else 0
        )
        for left, one in zip(range(len(names), 0, -1), names, strict=True):
            needs += struct.pack("<IHHII", 0, 0, 2, name(one), 16 if left > 1 else 0)
    table = 64 + 2 * 56
    tables = table + 16 * (len(entries) + 4)
    if asked:
        entries += [(0x6FFFFFFE, shifted + tables), (0x6FFFFFFF, len(asked))]
    entries += [(5, shifted + tables + len(needs)), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    dynamic = dynamic.ljust(tables - table, b"\0")
    size = tables + len(needs) + len(strings)
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, shifted, 0, size, size, alignment)
    placed = struct.pack(
        "<IIQQQQQQ", 2, 6, table, shifted + table, 0, len(dynamic), len(dynamic), 8
    )
    return head + load + placed + dynamic + needs + strings
