"""Changing one line of a TOML file that a person wrote, and nothing else in it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from app.errors import BadInputError, UsageError
from app.files import arriving
from app.sanitise import one_line
from app.toml_file import parse_toml, read_written


def set_texts(path: Path, table: str, values: Mapping[str, str | None]) -> None:
    """Write texts into a table of a file; None takes a key out. Comments and order stay.

    The file keeps its owner and its permissions; a new one is its owner's alone.

    Args:
        path: the file; it need not exist.
        table: the table's name, as `ui`.
        values: by key; printable and without quotes or backslashes.

    Raises:
        BadInputError: the file is no TOML.
        UsageError: it is written so that this cannot find the place; the sentence says what to
            write by hand.
        ResourceError: it cannot be written.
    """
    before = read_written(path) if path.exists() else ""
    after = with_texts(before, str(path), table, values)
    _replace(path, after.encode())


def with_texts(text: str, name: str, table: str, values: Mapping[str, str | None]) -> str:
    """The text of a TOML file with these values. Raises as `set_texts`."""
    wanted = {key: value for key, value in values.items() if value is not None}
    new = [f'{key} = "{value}"\n' for key, value in wanted.items()]
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    start, end = _place(lines, table)
    if start is None:
        lines += ([*(["\n"] if lines else []), f"[{table}]\n", *new]) if new else []
    else:
        own = re.compile(rf"\s*(?:{'|'.join(map(re.escape, values))})\s*=")
        lines[start:end] = [*new, *(line for line in lines[start:end] if not own.match(line))]
    written = "".join(lines)
    _check(text, written, name, table, values, new)
    return written


def _place(lines: list[str], table: str) -> tuple[int | None, int]:
    """Where the lines of a table begin and end; None where the file does not have it."""
    heads = [number for number, line in enumerate(lines) if line.lstrip().startswith("[")]
    for number in heads:
        if re.fullmatch(rf"\s*\[\s*{re.escape(table)}\s*\]\s*(?:#.*)?\s*", lines[number]):
            return number + 1, min((one for one in heads if one > number), default=len(lines))
    return None, 0


def _check(
    before: str,
    after: str,
    name: str,
    table: str,
    values: Mapping[str, str | None],
    new: list[str],
) -> None:
    """TOML has more ways to write a table than a line at a time can know: read it and compare."""
    wanted = dict(parse_toml(before, name))
    inner = wanted.get(table, {})
    kept = {**inner, **values} if isinstance(inner, dict) else dict(values)
    wanted[table] = {key: value for key, value in kept.items() if value is not None}
    try:
        found = {table: {}, **parse_toml(after, name)}
    except BadInputError:
        found = {}
    if found != wanted:
        by_hand = "".join(new).strip() or f"no {' and no '.join(values)}"
        raise UsageError(
            f"The settings in {one_line(name)} are written in a way that this cannot change. Under "
            f"[{table}] there must stand {by_hand}: write that by hand."
        )


def _replace(path: Path, content: bytes) -> None:
    with arriving(path) as place:
        known = path.stat() if path.exists() else None
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if known is not None:
                os.fchown(descriptor, known.st_uid, known.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(known.st_mode))
