"""`current` and `previous`, each changed in one step that outlasts a loss of power."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from app.files import disk_of, sync_folder
from app.releases.layout import NOTE, Layout, is_whole
from app.releases.note import read_note

_NEW = ".new"


def point(link: Path, target: str) -> None:
    """Lets a link lead to a target, whatever stood there. Raises ResourceError."""
    new = link.with_name(f".{link.name}{_NEW}")
    with disk_of(link):
        if link.is_symlink() and str(link.readlink()) == target:
            return
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(link)
        sync_folder(link.parent)


def point_at(link: Path, version: str | None) -> None:
    """Lets `current` or `previous` lead to a release, or takes it away. Raises ResourceError."""
    if version is not None:
        point(link, f"releases/{version}")
        return
    with disk_of(link):
        link.unlink(missing_ok=True)
        sync_folder(link.parent)


def sweep(layout: Layout, spare: Path | None = None) -> None:
    """Removes what is neither `current` nor `previous`: old releases, halves of new ones.

    Args:
        layout: where.
        spare: a copy that is about to be installed.

    Raises:
        ResourceError: the disk does not let go of it.
    """
    linked = [layout.pointed(link) for link in (layout.current, layout.previous)]
    kept = {layout.release(version) for version in linked if version is not None}
    models = {layout.model(read_note(release).model_sha256) for release in kept}
    for path in _leftovers(layout, kept | models | ({spare} if spare else set())):
        with disk_of(path):
            remove(path)


def remove(path: Path) -> None:
    """Removes a file, a link or a folder with all in it. Raises OSError.

    A release loses first what makes it whole, so that half of one is never taken for one.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    if is_whole(path):
        (path / NOTE).unlink()
        sync_folder(path)
    shutil.rmtree(path)


def _leftovers(layout: Layout, kept: set[Path]) -> Iterator[Path]:
    for folder in (layout.releases, layout.models):
        if folder.is_dir():
            yield from (path for path in sorted(folder.iterdir()) if path not in kept)
    if layout.opt.is_dir():
        yield from layout.opt.glob(f".*{_NEW}")
