"""Takes Bedside off a board again, and with it every setting that it changed."""

from __future__ import annotations

import os
from pathlib import Path

from app.files import disk_of
from app.releases.host import Host
from app.releases.layout import Layout
from app.releases.links import remove
from app.releases.offers import applied_offers, undo_offer
from app.releases.record import Record, read_record
from app.releases.setup import undo
from app.releases.units import stop, unlink_units


def uninstall(host: Host, keep_data: bool) -> None:
    """Removes the releases and undoes the recorded changes.

    Args:
        host: the machine.
        keep_data: leave what the program keeps (conversations, added documents, run logs), for
            root alone, and the settings; otherwise both are deleted. Deleting overwrites nothing:
            on an SD card what was kept without a passphrase may be found again.

    Raises:
        BedsideError: a change could not be undone; all else is left for another try.
    """
    layout = host.layout
    stop(host, read_record(layout).names("enabled"))
    if layout.state.is_dir():
        _keep(layout.state) if keep_data else _delete(layout.state)
        host.tell(f"{'Kept' if keep_data else 'Deleted'}: {layout.state}")
    _delete(layout.root / "var/cache/bedside")
    undo(host, Record())
    for name in applied_offers(host):
        undo_offer(host, name)
    unlink_units(host)
    _delete(layout.opt)
    if not keep_data:
        _delete(layout.settings)
    remove_empty_folders(layout)
    host.tell("Bedside is gone from this board.")


def remove_empty_folders(layout: Layout) -> None:
    """Removes what an installation made and nothing is left in. Raises ResourceError."""
    if not read_record(layout).changes:
        with disk_of(layout.changes):
            layout.changes.unlink(missing_ok=True)
    folders = (layout.releases, layout.models, layout.opt, layout.settings, layout.state)
    for folder in folders:
        with disk_of(folder):
            if folder == layout.opt and folder.is_dir() and list(folder.iterdir()) == [layout.lock]:
                layout.lock.unlink()
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _keep(folder: Path) -> None:
    """Give a folder and all in it to root: the user that owned it goes away."""
    with disk_of(folder):
        os.chown(folder, os.geteuid(), os.getegid())
        for path in folder.rglob("*"):
            os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)


def _delete(folder: Path) -> None:
    with disk_of(folder):
        remove(folder)
