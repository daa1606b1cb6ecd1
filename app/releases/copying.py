"""Takes a bundle from a stick to the disk, and looks whether what arrived is the bundle.

The copy is what is verified and installed, never the stick: a stick may be pulled out, wear out,
or give one content at the first reading and another at the second.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app.errors import BadInputError
from app.files import disk_of, sync_folder
from app.releases import bundle
from app.releases.commands import Run
from app.releases.manifest import LARGEST, Manifest, parse
from app.releases.signature import check_signature
from app.releases.sums import parse_sums
from app.sanitise import one_line

_CHUNK = 1024 * 1024


def read_manifest(folder: Path) -> Manifest:
    """What the folder says it is, believed by nobody yet. Raises BadInputError."""
    if not folder.is_dir():
        raise BadInputError(
            f"There is no folder {one_line(str(folder))}. Name the folder of the bundle; "
            "an archive must be unpacked first."
        )
    return parse(_small(folder / bundle.MANIFEST))


def copy_bundle(source: Path, manifest: Manifest, target: Path) -> None:
    """Copies the files that the manifest lists, and no other, into a new folder.

    Raises:
        BadInputError: something else is in the bundle, or it cannot be read.
        ResourceError: the disk cannot hold it.
    """
    lengths: dict[str, int | None] = {path: file.bytes for path, file in manifest.files.items()}
    lengths |= dict.fromkeys(bundle.UNLISTED)
    check_nothing_foreign(source, lengths)
    with disk_of(target):
        target.mkdir()
    for path, length in lengths.items():
        place = target / path
        with disk_of(place):
            place.parent.mkdir(parents=True, exist_ok=True)
        _copy(source / path, place, length)
    with disk_of(target):
        for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
            sync_folder(folder)


def verify_copy(copy: Path, signers: Path, run: Run) -> Manifest:
    """Sees that a copy is a whole bundle that one of the signers signed, and nothing besides.

    Raises:
        BadInputError: it is not; the sentence names the first file that is wrong.
    """
    sums_bytes = _small(copy / bundle.SUMS)
    check_signature(run, sums_bytes, copy / bundle.SIGNATURE, signers)
    sums = parse_sums(sums_bytes)
    written = _small(copy / bundle.MANIFEST)
    if hashlib.sha256(written).hexdigest() != sums.pop(bundle.MANIFEST, ""):
        raise damaged(bundle.MANIFEST)
    manifest = parse(written)
    if sums != {path: file.sha256 for path, file in manifest.files.items()}:
        raise BadInputError(
            f"The bundle's {bundle.MANIFEST} and {bundle.SUMS} tell of different files. "
            "Build the bundle again."
        )
    check_nothing_foreign(copy, (*manifest.files, *bundle.UNLISTED))
    for path, expected in manifest.files.items():
        if _sha256(copy / path, expected.bytes) != expected.sha256:
            raise damaged(path)
    return manifest


def check_nothing_foreign(folder: Path, paths: Mapping[str, object] | tuple[str, ...]) -> None:
    """See that a folder holds these files and nothing besides, not even a link or a device.

    Raises:
        BadInputError: it does not; the sentence names the first such thing.
    """
    expected = set(paths)
    folders = {parent.as_posix() for path in expected for parent in Path(path).parents}
    for path, is_file, is_folder in _walk(folder, folders):
        if not (is_file and path in expected) and not (is_folder and path in folders):
            raise BadInputError(
                f"The bundle holds “{one_line(path, 80)}”, which does not belong to it. Remove "
                "that, or copy the bundle again."
            )
        expected.discard(path)
    if expected:
        raise BadInputError(
            f"The bundle lacks {one_line(min(expected), 80)}. Copy it to the stick again."
        )


def damaged(path: str) -> BadInputError:
    """The complaint about a file that is not what the sums say."""
    return BadInputError(
        f"The file {one_line(path, 80)} of the bundle is damaged. Copy the bundle to the stick "
        "again; where that does not help, take another stick."
    )


def _walk(folder: Path, known: set[str]) -> Iterator[tuple[str, bool, bool]]:
    """Everything in a folder as path, whether a file, whether a folder; links are neither.

    A folder that is not known is not entered: it may go on for ever.
    """
    waiting = [""]
    while waiting:
        inner = waiting.pop()
        with _readable(inner or folder.name), os.scandir(folder / inner) as entries:
            for entry in entries:
                path = f"{inner}/{entry.name}".lstrip("/")
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder and path in known:
                    waiting.append(path)
                yield path, entry.is_file(follow_symlinks=False), is_folder


def _copy(source: Path, place: Path, length: int | None) -> None:
    """Copies a file of this length; where None, one small enough to be a manifest."""
    most = LARGEST if length is None else length
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    left = most
    with _opened(source) as reader:
        with disk_of(place):
            writer = os.open(place, flags, 0o644)
        try:
            while chunk := _read(reader, min(_CHUNK, left + 1), source.name):
                left -= len(chunk)
                if left < 0:
                    break
                with disk_of(place):
                    _write(writer, chunk)
            with disk_of(place):
                os.fsync(writer)
        finally:
            os.close(writer)
    if left < 0 or (left and length is not None):
        raise damaged(source.name)


def _write(writer: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(writer, view) :]


def _sha256(path: Path, length: int) -> str:
    """The hash of a file of this length; empty where it has another."""
    digest, left = hashlib.sha256(), length
    with _opened(path) as reader:
        while chunk := _read(reader, _CHUNK, path.name):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest() if left == 0 else ""


def _small(path: Path) -> bytes:
    """A file of at most the size of a manifest."""
    pieces: list[bytes] = []
    with _opened(path) as reader:
        while chunk := _read(reader, _CHUNK, path.name):
            pieces.append(chunk)
            if sum(map(len, pieces)) > LARGEST:
                raise damaged(path.name)
    return b"".join(pieces)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A descriptor of an ordinary file; a pipe in its place must not hang, nor a link lead away."""
    with _readable(path.name):
        reader = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(reader).st_mode):
            raise damaged(path.name)
        yield reader
    finally:
        os.close(reader)


def _read(reader: int, most: int, name: str) -> bytes:
    with _readable(name):
        return os.read(reader, most)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Tells what a stick can answer as a sentence."""
    try:
        yield
    except OSError as error:
        raise BadInputError(
            f"{one_line(name, 80)} of the bundle cannot be read ({error.strerror}). See that the "
            "stick is in its place and the bundle whole on it, then try again."
        ) from error
