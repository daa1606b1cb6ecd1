"""Manifest, sums and signature: what a board believes a bundle by."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from app.catalog.hashes import sha256_of
from app.errors import UsageError
from app.releases import bundle
from app.releases.manifest import BundledFile, Manifest, dump
from app.releases.sums import dump_sums
from app.sanitise import one_line
from deploy.bundle.tools import run
from deploy.bundle.workplace import Workplace

_THROW_AWAY: Final = "throw-away-key"


def throw_away_key(place: Workplace) -> Path:
    """A key that is good for trying and for nothing else; made once in the workplace.

    Raises:
        UsageError: ssh-keygen is not installed.
    """
    key = place.made("keys") / _THROW_AWAY
    if not key.exists():
        make = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", _THROW_AWAY, "-f", str(key))
        run(make, environment=os.environ)
    return key


def signers(key: Path) -> bytes:
    """The line that a board pins: who may sign, and what.

    Raises:
        UsageError: the key has no public half beside it.
    """
    public = key.with_name(f"{key.name}.pub")
    if not public.is_file():
        raise UsageError(
            f"Beside the key {one_line(key.name)} there is no {one_line(public.name)}. "
            "Make it with: ssh-keygen -y -f KEY > KEY.pub"
        )
    kind, encoded = public.read_text().split()[:2]
    return f'{bundle.IDENTITY} namespaces="{bundle.NAMESPACE}" {kind} {encoded}\n'.encode()


def fingerprint(key: Path) -> str:
    """What an operator compares with the handbook, as `SHA256:…`."""
    public = key.with_name(f"{key.name}.pub")
    return run(["ssh-keygen", "-l", "-f", str(public)], environment=os.environ).split()[1]


def list_files(folder: Path) -> dict[str, BundledFile]:
    """Every file in a bundle's folder, as its manifest lists it."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): BundledFile(sha256_of(path), path.stat().st_size)
        for path in paths
    }


def seal(folder: Path, manifest: Manifest, key: Path) -> None:
    """Writes the manifest and the sums into the folder and signs them.

    Args:
        folder: the bundle, whole but for these three files.
        manifest: what it is.
        key: a private key of OpenSSH's, or its public half where an agent holds the other.

    Raises:
        BadInputError: a board would refuse the manifest.
        ResourceError: it could not be signed.
    """
    content = dump(manifest)
    (folder / bundle.MANIFEST).write_bytes(content)
    sums = folder / bundle.SUMS
    sums.write_bytes(dump_sums(manifest, content))
    sign = ("ssh-keygen", "-q", "-Y", "sign", "-n", bundle.NAMESPACE, "-f")
    run([*sign, str(key), str(sums)], environment=os.environ)
    for name in bundle.UNLISTED:
        (folder / name).chmod(0o644)
