"""Text files: read within bounds, as UTF-8 alone."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from app.errors import BadInputError
from app.named_file import open_regular
from app.sanitise import one_line

LARGEST = 50_000_000
"""Bytes of one file, unpacked, and characters of one whole document. The index takes about three
times as much, and a board's disk is small; a gzip bomb ends here."""


def read_text(path: Path) -> str:
    """The text of a file, unpacked where its name ends in `.gz`.

    Raises:
        BadInputError: it cannot be read, is larger than LARGEST, or is no UTF-8 text.
    """
    content = read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{shown(path)} is no UTF-8 text. Save it as UTF-8.") from error
    if "\0" in text:
        raise BadInputError(f"{shown(path)} is no text. Name a text file, or a PDF ending in .pdf.")
    return text


def read_bytes(path: Path) -> bytes:
    """The content of a file, unpacked where its name ends in `.gz`.

    Raises:
        BadInputError: it cannot be read or is larger than LARGEST.
    """
    packed = path.suffix.lower() == ".gz"
    try:
        with open_regular(path) as file:
            content = (gzip.GzipFile(fileobj=file) if packed else file).read(LARGEST + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInputError(f"{shown(path)} is damaged or no gzip file. Get it again.") from error
    except OSError as error:
        raise BadInputError(
            f"{shown(path)} cannot be read ({error.strerror}). Check its name and permissions."
        ) from error
    if len(content) > LARGEST:
        raise too_large(path)
    return content


def too_large(path: Path) -> BadInputError:
    """The refusal of a document that is beyond LARGEST."""
    return BadInputError(
        f"{shown(path)} holds more than {LARGEST // 1_000_000} MB of text. Add it in parts."
    )


def shown(path: Path) -> str:
    """The file's name as it may stand in a sentence."""
    return one_line(path.name, 80)
