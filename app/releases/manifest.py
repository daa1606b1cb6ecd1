"""The manifest of a bundle, read as if an enemy had written it, and written for every reader alike.

The builder calls `dump`, and `sums.dump_sums` over what it gave; the board calls `parse`, and
believes nothing of it before the signature over the sums holds.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.errors import BadInputError
from app.releases import bundle
from app.releases.fields import Fields
from app.releases.versions import is_version

SCHEMA: Final = 1
LARGEST: Final = 1024 * 1024
"""Bytes of a manifest, and of the sums: ten times what four Pythons need."""

BOARDS: Final = ("pi5", "orin-nano")
PYTHONS: Final = ("3.10", "3.11", "3.12", "3.13")
ARCHITECTURE: Final = "aarch64"

_MOST_BYTES = 2**40


@dataclass(frozen=True, slots=True)
class BundledFile:
    """What a file of the bundle must be."""

    sha256: str
    """64 hex digits."""
    bytes: int


@dataclass(frozen=True, slots=True)
class BundledModel:
    """The model that the board answers with, and that the smoke answer comes from."""

    name: str
    """As in the catalogue; what `bedside --model` takes."""
    file: str
    """Path in the bundle: `models/medquad-29m-Q4_K_M.gguf`."""
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle is, what a board must have for it, and every file in it."""

    version: str
    """Of Bedside, as `1.2.3` or `1.2.3rc1`; the folder of the release bears it."""
    board: str
    """One of `BOARDS`."""
    pythons: tuple[str, ...]
    """Versions of CPython that it has wheels for, as `3.11`, from old to new."""
    glibc: str
    """The oldest glibc that its libraries run on, as `2.34`."""
    cpu_features: tuple[str, ...]
    """The kernel's words in /proc/cpuinfo, as `asimddp`; without one, a library would crash."""
    model: BundledModel
    memory_bytes: int
    """MemTotal that the board must have for the model at the board's own context."""
    disk_bytes: int
    """Free space that an installation needs: the copy, the release's folder and the model."""
    source_date_epoch: int
    """Seconds since 1970 at which it was built: a board's clock before that is wrong."""
    llama_cpp_sdist: str
    """SHA-256 of the llama-cpp-python source that the wheel was built from."""
    commit: str
    """Of Bedside's repository, 40 hex digits."""
    files: Mapping[str, BundledFile]
    """Every file by its path, but the manifest, the sums and their signature."""
    architecture: str = ARCHITECTURE
    schema: int = SCHEMA


def dump(manifest: Manifest) -> bytes:
    """The manifest as JSON: the same bytes for the same manifest, for a person to read as well.

    Raises:
        BadInputError: a board would refuse it; better said at the workstation.
    """
    content = (json.dumps(dataclasses.asdict(manifest), indent=1, sort_keys=True) + "\n").encode()
    parse(content)
    return content


def parse(content: bytes) -> Manifest:
    """The manifest in these bytes.

    Raises:
        BadInputError: it is not one, not of this schema, or what it says cannot be.
    """
    fields = Fields.read(content, "The bundle's manifest", LARGEST)
    if fields.number("schema", 0, 2**31) != SCHEMA:
        raise BadInputError(
            "The bundle is in a form that this program does not know. "
            "Use a bundle and a program of the same year, or install from the bundle's own folder."
        )
    manifest = Manifest(
        version=fields.text("version", 40),
        board=fields.choice("board", BOARDS),
        pythons=fields.texts("pythons", PYTHONS),
        glibc=fields.matching("glibc", r"2\.\d{1,3}"),
        cpu_features=fields.texts("cpu_features"),
        model=_model(fields.inner("model")),
        memory_bytes=fields.number("memory_bytes", 0, _MOST_BYTES),
        disk_bytes=fields.number("disk_bytes", 0, _MOST_BYTES),
        source_date_epoch=fields.number("source_date_epoch", 0, 2**36),
        llama_cpp_sdist=fields.sha256("llama_cpp_sdist"),
        commit=fields.matching("commit", r"[0-9a-f]{40}"),
        files=_files(fields.inner("files")),
        architecture=fields.choice("architecture", (ARCHITECTURE,)),
        schema=SCHEMA,
    )
    fields.check_nothing_else(manifest)
    _check(manifest)
    return manifest


def _model(fields: Fields) -> BundledModel:
    model = BundledModel(
        name=fields.matching("name", r"[a-z0-9][a-z0-9._-]{0,63}"),
        file=fields.text("file", 240),
        sha256=fields.sha256("sha256"),
        bytes=fields.number("bytes", 1, bundle.LARGEST_FILE),
    )
    fields.check_nothing_else(model)
    return model


def _files(fields: Fields) -> dict[str, BundledFile]:
    paths = fields.names(bundle.MOST_FILES)
    bundle.check_paths((*paths, *bundle.UNLISTED))
    return {path: _file(fields.inner(path)) for path in paths}


def _file(fields: Fields) -> BundledFile:
    found = BundledFile(fields.sha256("sha256"), fields.number("bytes", 0, bundle.LARGEST_FILE))
    fields.check_nothing_else(found)
    return found


def _check(manifest: Manifest) -> None:
    """What the fields must be together."""
    model, files = manifest.model, manifest.files
    if not is_version(manifest.version):
        raise _wrong(f"“{manifest.version}” is no version")
    if not manifest.pythons:
        raise _wrong("it is for no Python")
    needed = [bundle.INSTALLER, bundle.SIGNERS, bundle.wheel_of(manifest.version)]
    for path in (*needed, *map(bundle.lock_of, manifest.pythons)):
        if path not in files:
            raise _wrong(f"it lists no {path}")
    if files.get(model.file) != BundledFile(model.sha256, model.bytes):
        raise _wrong("the model is not among its files as it says")
    if len(bundle.pip_wheels(files)) != 1:
        raise _wrong("it does not hold one wheel of pip")


def _wrong(why: str) -> BadInputError:
    return BadInputError(f"The bundle's manifest cannot be used: {why}. Build the bundle again.")
