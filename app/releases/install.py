"""The first installation and every update: verify, stage, ask, switch, and leave no litter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.files import disk_of
from app.releases.copying import copy_bundle, read_manifest, verify_copy
from app.releases.fitness import (
    bundled_bytes,
    check_machine,
    check_space,
    check_version,
    examine,
)
from app.releases.host import Host
from app.releases.links import check_links, sweep
from app.releases.manifest import Manifest
from app.releases.offers import IN_X, take_offers
from app.releases.record import Record, read_record
from app.releases.setup import (
    check_groups,
    give_reference,
    make_folders,
    make_user,
    offer_command,
    pin_key,
    undo,
)
from app.releases.signature import pinned
from app.releases.staging import stage
from app.releases.switching import switch
from app.releases.uninstall import remove_empty_folders
from app.releases.units import shows_console, unlink_units


@dataclass(frozen=True, slots=True)
class Wishes:
    """What whoever installs has said."""

    allow_downgrade: bool = False
    signers: Path | None = None
    """The key that they compared with the handbook; looked at where none is pinned yet."""


def install(host: Host, bundle: Path, wishes: Wishes) -> str:
    """Copies a bundle from where it lies to the disk, and installs the copy.

    Returns:
        The version that runs now.

    Raises:
        BedsideError: it does not; the board is as it was, and the copy is gone.
    """
    check_links(host.layout)
    with _or_as_before(host):
        signers = host.layout.signers
        if wishes.signers is not None and not signers.exists():
            signers = wishes.signers
        pinned(signers, owner=host.owner)
        copy = _copied(host, bundle, wishes)
        manifest = verify_copy(copy, signers, host.run)
        host.tell(f"The bundle is Bedside {manifest.version} for {manifest.board}, and is whole.")
        _check(host, manifest, wishes, bundled_bytes(manifest))
        make_folders(host)
        pin_key(host, signers)
        release = stage(host, copy, manifest)
        make_user(host)
        _make_visible(host, release, manifest)
        give_reference(host, release)
        offer_command(host)
        switch(host, manifest.version)
    sweep(host.layout)
    return manifest.version


def _copied(host: Host, bundle: Path, wishes: Wishes) -> Path:
    """A copy of the bundle among the releases, which nobody has verified yet."""
    sweep(host.layout)
    manifest = read_manifest(bundle)
    _check(host, manifest, wishes, 0)
    check_groups(host)
    copy = host.layout.incoming(manifest.version)
    with disk_of(copy):
        copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    host.tell(f"Copying {bundled_bytes(manifest) / 1e6:.0f} MB to the disk.")
    copy_bundle(bundle, manifest, copy)
    return copy


def _check(host: Host, manifest: Manifest, wishes: Wishes, copied: int) -> None:
    board = read_record(host.layout).board
    check_machine(manifest, examine(host.layout.root, board))
    check_version(manifest, host.layout, wishes.allow_downgrade)
    check_space(manifest, host.layout, copied)


def _make_visible(host: Host, release: Path, manifest: Manifest) -> None:
    """Set up the form of the kiosk that an Orin shows whose console has no picture."""
    if manifest.board == "orin-nano" and host.has_systemd and not shows_console(host.layout.root):
        take_offers(host, release, lambda name, _sentence: name == IN_X)


@contextmanager
def _or_as_before(host: Host) -> Iterator[None]:
    """Where the block fails, takes back what it changed and removes what it left."""
    before = read_record(host.layout)
    first = host.layout.pointed(host.layout.current) is None
    done = False
    try:
        yield
        done = True
    finally:
        if not done:
            _as_before(host, before, first)


def _as_before(host: Host, before: Record, first: bool) -> None:
    if first:
        undo(host, before)
        unlink_units(host)
    sweep(host.layout)
    if first and not before.changes:
        remove_empty_folders(host.layout)
