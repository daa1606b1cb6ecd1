"""What an installation changes on the system outside its own folders; and how that is undone.

Each change is written into the record, then told, then made. Undoing tolerates what was never
made or is gone already, since a loss of power may come between any two of these.
"""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

from app.errors import ResourceError, UsageError
from app.files import disk_of, sync_folder, write_whole
from app.releases import bundle
from app.releases.host import Host
from app.releases.links import point
from app.releases.offers import undo_offer
from app.releases.record import Change, Record, change, read_record, write_record
from app.releases.units import stop, systemctl

USER = "bedside"
SENSORS = "video"
"""The group that owns the firmware's mailbox on the Pi and nvmap on the Orin."""
_GROUPS = (SENSORS, "render", "i2c")
"""Groups that may read power and use the GPU; the unit's walls close everything else."""


def make_folders(host: Host) -> None:
    """Make Bedside's own folders. Raises ResourceError."""
    layout = host.layout
    for folder in (layout.releases, layout.models, layout.settings, layout.state.parent):
        with disk_of(folder):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    with disk_of(layout.state):
        layout.state.mkdir(mode=0o700, exist_ok=True)


def pin_key(host: Host, signers: Path) -> None:
    """Keep the key that later bundles must be signed with. Raises ResourceError."""
    layout = host.layout
    if layout.signers.exists():
        return
    change(host, "file", "etc/bedside/allowed_signers", f"{layout.signers} pins the key.")
    with disk_of(layout.signers):
        content = signers.read_bytes()
    write_whole(layout.signers, content)
    with disk_of(layout.signers):
        layout.signers.chmod(0o644)


def offer_command(host: Host) -> None:
    """Let `bedside` be typed. What stands in its place already is left. Raises ResourceError."""
    command, target = host.layout.command, host.layout.current / "venv/bin/bedside"
    if command.is_symlink() and command.readlink() == target:
        return
    if command.exists() or command.is_symlink():
        host.tell(f"{command} is something else and is left as it is; Bedside is {target}.")
        return
    change(host, "link", "usr/local/bin/bedside", f"{command} starts Bedside.")
    with disk_of(command):
        command.parent.mkdir(parents=True, exist_ok=True)
    point(command, str(target))


def check_groups(host: Host) -> None:
    """See that the group of the power sensors exists. Raises UsageError."""
    if host.layout.real and host.systemd and not _has_group(SENSORS):
        raise UsageError(
            f"This system has no group “{SENSORS}”, which may read the power sensors. Make it with "
            f"`sudo groupadd --system {SENSORS}`, restart the board, and install again."
        )


def make_user(host: Host) -> None:
    """Make the user that the service runs as, who owns the state and nothing else.

    Raises:
        ResourceError: the system makes no user.
    """
    if not (host.layout.real and host.has_systemd) or _has_user(USER):
        return
    change(host, "user", USER, f"the user “{USER}” runs the service and owns its state.")
    groups = ",".join(group for group in _GROUPS if _has_group(group))
    made = host.run(
        [
            *("useradd", "--system", "--user-group", "--no-create-home", "--groups", groups),
            *("--home-dir", str(host.layout.state), "--shell", "/usr/sbin/nologin", USER),
        ]
    )
    if not made.ok:
        raise ResourceError(f"The user “{USER}” could not be made: {made.reason}.")
    _give_state(host.layout.state)


def give_reference(host: Host, release: Path) -> None:
    """Lay the bundle's reference into the state, where none was made yet. Raises ResourceError."""
    brought, place = release / bundle.REFERENCE, host.layout.state / bundle.REFERENCE
    if not brought.is_file() or place.exists():
        return
    with disk_of(place):
        content = brought.read_bytes()
    write_whole(place, content)
    if host.layout.real and _has_user(USER):
        owner = pwd.getpwnam(USER)
        with disk_of(place):  # the service may have put a link in its place meanwhile
            os.chown(place, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def undo(host: Host, kept: Record) -> None:
    """Take back every change that is not in `kept`, the last one first.

    Raises:
        BedsideError: one cannot be taken back; those before it are still recorded.
    """
    for one in reversed(read_record(host.layout).changes):
        if one not in kept.changes:
            _undo(host, one)
            write_record(host.layout, read_record(host.layout).without(one))


def _undo(host: Host, one: Change) -> None:
    path = host.layout.root / one.name
    if one.kind in ("file", "link"):
        with disk_of(path):
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
    elif one.kind == "enabled":
        stop(host, [one.name])
    elif one.kind == "target" and host.has_systemd:
        systemctl(host, "set-default", one.name)
    elif one.kind == "user" and host.layout.real and _has_user(one.name):
        removed = host.run(["userdel", one.name])
        if not removed.ok:
            raise ResourceError(f"The user “{one.name}” is still there: {removed.reason}.")
    elif one.kind == "offer":
        undo_offer(host, one.name)
    host.tell(f"Undone: {one.kind} {one.name}")


def _give_state(state: Path) -> None:
    """Gives the state to its user: what an earlier installation was told to keep is root's.

    Only while nobody runs as that user, who could lay a link in the way.
    """
    owner = pwd.getpwnam(USER)
    with disk_of(state):
        for path in (state, *state.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def _has_group(name: str) -> bool:
    return any(group.gr_name == name for group in grp.getgrall())


def _has_user(name: str) -> bool:
    return any(user.pw_name == name for user in pwd.getpwall())
