"""The SHA-256 of a file, by which models, texts and cache entries are known."""

from __future__ import annotations

import hashlib
from pathlib import Path

_CHUNK = 1 << 22


def file_sha256(path: Path) -> str:
    """SHA-256 of the file's bytes as 64 hex digits, read in pieces. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
