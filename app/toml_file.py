"""TOML files that people write, read with plain sentences for what can go wrong."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from app.errors import BadInputError
from app.named_file import open_regular
from app.sanitise import one_line

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LARGEST = 1024 * 1024
"""Bytes. Nobody writes more by hand; a wrong file named by mistake may be a model."""


def read_toml(path: Path) -> Mapping[str, object]:
    """The tables of a TOML file.

    Raises:
        BadInputError: the file is missing, unreadable, too large or no TOML.
    """
    return parse_toml(read_written(path), str(path))


def read_written(path: Path) -> str:
    """The text of a file that a person wrote.

    Raises:
        BadInputError: the file is missing, unreadable, too large or no UTF-8.
    """
    shown = one_line(str(path))
    try:
        with open_regular(path) as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise BadInputError(
            f"The file {shown} cannot be read ({error.strerror}). Check its name and permissions."
        ) from error
    if len(content) > _LARGEST:
        raise BadInputError(f"The file {shown} is too large to be written by hand. Check its name.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(f"The file {shown} is no UTF-8 text. Save it as UTF-8.") from error


def parse_toml(text: str, name: str) -> Mapping[str, object]:
    """The tables of TOML text; `name` says in complaints where it stands.

    Raises:
        BadInputError: the text is no TOML.
    """
    try:
        tables: Mapping[str, object] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Beside its own ValueError, tomllib lets through int()'s, for endless digits, and the
        # interpreter's complaint about brackets nested without end.
        raise BadInputError(
            f"The file {one_line(name)} is no valid TOML: {one_line(str(error))}. "
            "Correct that place."
        ) from error
    return tables
