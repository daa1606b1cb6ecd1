"""`current` and `previous`, each changed in one step that outlasts a loss of power."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from app.errors import BadInputError, UsageError
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


def check_links(layout: Layout) -> None:
    """See that nothing stands where `current` and `previous` do which a switch cannot replace.

    Raises:
        UsageError: a folder does, as after a copy that followed the links.
    """
    for link in (layout.current, layout.previous):
        if link.is_dir() and not link.is_symlink():
            raise UsageError(
                f"{link} is a folder, where a link to a release must be. Move it away: "
                f"sudo mv {link} {link}.moved"
            )


def sweep(layout: Layout) -> None:
    """Removes what is neither `current` nor `previous`: old releases, halves of new ones.

    Raises:
        ResourceError: the disk does not let go of it.
    """
    linked = [layout.pointed(link) for link in (layout.current, layout.previous)]
    kept = {layout.release(version) for version in linked if version is not None}
    for path in _leftovers(layout, kept | _models_of(layout, kept)):
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


def _models_of(layout: Layout, releases: set[Path]) -> set[Path]:
    """The models that these releases answer with; all, where one cannot say which is its own."""
    try:
        return {layout.model(read_note(release).model_sha256) for release in releases}
    except BadInputError:  # a card that wears out must not bar the update that replaces it
        return set(layout.models.glob("sha256-*.gguf"))


def _leftovers(layout: Layout, kept: set[Path]) -> Iterator[Path]:
    for folder in (layout.releases, layout.models):
        if folder.is_dir():
            yield from (path for path in sorted(folder.iterdir()) if path not in kept)
    if layout.opt.is_dir():
        yield from layout.opt.glob(f".*{_NEW}")
