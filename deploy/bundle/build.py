"""Building a bundle: its folder and its archive, which appear whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.catalog.hashes import sha256_of
from app.errors import BadInputError
from app.files import disk_of
from app.releases import bundle
from app.releases.manifest import PYTHONS, BundledFile, Manifest
from app.sanitise import one_line
from deploy.bundle import contents, cuda, seal, sizes
from deploy.bundle.archive import write_archive
from deploy.bundle.cross import CPU_FEATURES
from deploy.bundle.gather import Gathered, Tell, dotted, gather
from deploy.bundle.order import Order
from deploy.bundle.pins import SOURCES, Pin, board_lock, read_lock
from deploy.bundle.workplace import Workplace

SYSTEM_BYTES: Final = 700_000_000
"""What a system without a desktop, the screen and the monitor take beside the model."""


@dataclass(frozen=True, slots=True)
class Built:
    """Where the bundle is, and what it is."""

    folder: Path
    archive: Path
    manifest: Manifest


def build(order: Order, place: Workplace, tell: Tell) -> Built:
    """Builds a bundle.

    Raises:
        UsageError, BadInputError, ResourceError: as `gather`; nothing was written to `order.out`.
    """
    parts = gather(order, place, tell)
    key = order.key or seal.throw_away_key(place)
    if order.key is None:
        tell("WARNING: there is no KEY, so the bundle is signed with a throw-away key from the")
        tell("workplace. That is good for trying and NOT FOR A WARD: when the workplace is gone,")
        tell("the boards that trust the key take no update any more.")
    folder = place.emptied("bundle") / f"bedside-{parts.source.version}-{order.board}"
    wanted = _contents(order, place, parts, key)
    contents.place(folder, wanted)
    manifest = _manifest(order, parts, seal.list_files(folder))
    check_nothing_else(manifest.files, wanted)
    seal.seal(folder, manifest, key)
    for line in sizes.report(manifest.files, parts.wheels):
        tell(line)
    tell(f"Signed with the key {seal.fingerprint(key)}.")
    return _deliver(order.out, folder, manifest)


def check_nothing_else(files: Mapping[str, BundledFile], wanted: contents.Contents) -> None:
    """See that a folder holds what was put there and nothing besides.

    Raises:
        BadInputError: it holds another file, or lacks one.
    """
    foreign = sorted(files.keys() ^ wanted.keys())
    if foreign:
        raise BadInputError(
            f"The bundle's folder is not what was put there: {one_line(foreign[0])}. "
            "Does something else write into build/? Build again."
        )


def _contents(order: Order, place: Workplace, parts: Gathered, key: Path) -> contents.Contents:
    pins = {python: read_lock(board_lock(python)) for python in PYTHONS}
    (llama,) = read_lock(SOURCES)
    own = [
        Pin("bedside", parts.source.version, sha256_of(parts.wheels.own)),
        Pin(llama.project, llama.version, sha256_of(parts.llama.wheel)),
    ]
    found = contents.wheels_and_locks(parts.wheels, pins, own)
    found |= contents.set_up(parts.source.folder, order.board)
    found |= {bundle.SIGNERS: seal.signers(key), parts.model.file: order.model}
    if order.reference is not None:
        if not order.reference.is_file():
            raise BadInputError(f"There is no reference index {one_line(str(order.reference))}.")
        found[bundle.REFERENCE] = order.reference
    if order.board == "orin-nano":
        found |= cuda.contents(place, parts.source, parts.wheels.pip)
    return found


def _manifest(order: Order, parts: Gathered, files: dict[str, BundledFile]) -> Manifest:
    return Manifest(
        version=parts.source.version,
        board=order.board,
        pythons=PYTHONS,
        glibc=dotted(parts.needs.glibc),
        cpu_features=CPU_FEATURES,
        model=parts.model,
        memory_bytes=parts.entry.memory + SYSTEM_BYTES,
        disk_bytes=sizes.on_disk(files, parts.wheels),
        source_date_epoch=parts.source.epoch,
        llama_cpp_sdist=parts.llama.sdist_sha256,
        commit=parts.source.commit,
        files=files,
    )


def _deliver(out: Path, folder: Path, manifest: Manifest) -> Built:
    """Moves the folder to where it was asked for, beside its archive."""
    archive, target = out / f"{folder.name}.tar", out / folder.name
    part = out / f".{folder.name}.part"
    with disk_of(target):
        out.mkdir(parents=True, exist_ok=True)
        write_archive(folder, archive, manifest.source_date_epoch)
        for earlier in (part, target):
            if earlier.exists():
                shutil.rmtree(earlier)
        shutil.move(folder, part)  # which copies where that is another disk
        part.rename(target)
    return Built(target, archive, manifest)
