"""Files of a checkpoint folder: what may be opened, and what is recognised as something else."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from app.errors import BadInputError
from app.sanitise import one_line

_LFS_POINTER = b"version https://git-lfs"
_SMALL_FILE = 256 * 2**20
"""More bytes than any config, index or tokenizer has, and few enough to read at once."""
_WEB_PAGES = (b"<!doctype", b"<html")


def member(folder: Path, name: str) -> Path | None:
    """The regular file `name` of the folder, or None when there is none.

    A name in an index is a stranger's text: it may only be a plain file name, and what it links to
    may not lie outside. The one way out is a hub cache's own: its snapshots link to its blobs.

    Raises:
        BadInputError: The name or its link leads elsewhere, or the file is a download gone wrong.
    """
    if not _is_plain(name):
        raise BadInputError(
            f"The checkpoint names the file {one_line(name, 80)!r}, which is not a plain file name "
            "in its own folder; it is damaged or forged."
        )
    path = folder / name
    if not path.is_file():
        return None
    if not any(path.resolve().is_relative_to(root) for root in _roots(folder)):
        raise BadInputError(
            f"{one_line(name, 80)} is a link to a file outside the checkpoint folder; "
            "copy the file itself there."
        )
    _refuse_placeholder(path)
    return path


def read_member(folder: Path, name: str) -> bytes | None:
    """The bytes of a small file of the folder, or None when there is none."""
    path = member(folder, name)
    if path is None:
        return None
    if path.stat().st_size > _SMALL_FILE:
        raise BadInputError(f"{name} is larger than any such file; fetch the checkpoint again.")
    return path.read_bytes()


def _is_plain(name: str) -> bool:
    """One path component under the rules of every system, and nothing hidden in it."""
    return (
        name not in ("", ".", "..")
        and "\0" not in name
        and PurePosixPath(name).name == name
        and PureWindowsPath(name).name == name
    )


def _roots(folder: Path) -> list[Path]:
    resolved = folder.resolve()
    roots = [resolved]
    if resolved.parent.name == "snapshots":
        roots.append(resolved.parent.parent / "blobs")
    return roots


def _refuse_placeholder(path: Path) -> None:
    with path.open("rb") as file:
        beginning = file.read(64).lstrip().lower()
    if beginning.startswith(_LFS_POINTER):
        raise BadInputError(
            f"{path.name} is a Git LFS pointer, not the file itself; "
            "run `git lfs pull` in the checkpoint's folder."
        )
    if beginning.startswith(_WEB_PAGES):
        raise BadInputError(f"{path.name} is a web page, not a checkpoint file; fetch it again.")
