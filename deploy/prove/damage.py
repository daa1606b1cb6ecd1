"""A bundle with one byte flipped, in any of its files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import BadInputError
from app.releases.commands import run
from app.releases.copying import verify_copy


@contextmanager
def flipped(path: Path) -> Iterator[None]:
    """Inside, the byte in the middle of the file has one bit flipped; afterwards it is as before.

    The file is replaced and never written, since it may be a link to the only one there is; and
    nothing is laid beside it, for which the bundle would be refused as well.
    """
    content = path.read_bytes()
    middle = len(content) // 2
    changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    try:
        _replace(path, changed)
        yield
    finally:
        _replace(path, content)


def accepted(folder: Path, signers: Path) -> list[str]:
    """Files of a bundle of which one may be damaged without a board's check seeing it.

    Each is damaged in its turn, and the check is the one that a board makes of its copy.

    Raises:
        BadInputError: the bundle is refused as it is.
    """
    verify_copy(folder, signers, run)
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _refused(path, folder, signers)
    ]


def _replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def _refused(path: Path, folder: Path, signers: Path) -> bool:
    with flipped(path):
        try:
            verify_copy(folder, signers, run)
        except BadInputError:
            return True
    return False
