"""Where things lie in a bundle: one folder that is carried to a board on a stick.

    manifest.json        what it is and every other file, with hash and length
    SHA256SUMS           manifest.json and every file of the manifest, as sha256sum writes it
    SHA256SUMS.sig       over SHA256SUMS, by `ssh-keygen -Y sign -n bedside-bundle`
    install.sh           the first installation, as `sh install.sh`
    keys/allowed_signers the public key; a first installation pins it, a later one never reads it
    wheels/*.whl         Bedside's own, pip's, and all that the locks name, for every Python
    locks/cp311.txt …    one a Python, `pip install --require-hashes` form; names Bedside too
    models/<name>.gguf   the model, under the file name that the catalogue in the wheel has for it
    reference.db         the reference's index, where there is one
    units/               systemd units, and what else the board's set-up copies
    build/               Orin only: what building the CUDA variant on the board needs

A stick is FAT32: a file has less than 4 GiB, no permissions, no links, and names that differ in
case alone are one name. So paths are plain ASCII, in a form that every system keeps as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from app.errors import BadInputError
from app.sanitise import one_line

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SHA256SUMS.sig"
UNLISTED: Final = (MANIFEST, SUMS, SIGNATURE)
"""Files that the manifest does not list: itself, and what vouches for it."""

INSTALLER: Final = "install.sh"
SIGNERS: Final = "keys/allowed_signers"
REFERENCE: Final = "reference.db"

NAMESPACE: Final = "bedside-bundle"
"""Of the signature (`ssh-keygen -Y … -n`): a key's signature of something else is worth nothing."""
IDENTITY: Final = "release@bedside"
"""Who signs, as the first word of a line of `allowed_signers` (`ssh-keygen -Y verify -I`)."""

LARGEST_FILE: Final = 2**32 - 1
"""Bytes: what FAT32 can hold."""
MOST_FILES: Final = 2000
"""Some ten times what a bundle for four Pythons holds."""

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9._+@!-]{0,126}[A-Za-z0-9_+@-])?"
_PATH = re.compile(rf"{_PART}(?:/{_PART}){{0,7}}")
_LONGEST_PATH = 240
_PIP = re.compile(r"wheels/pip-[0-9.]+-py3-none-any\.whl")


def lock_of(python: str) -> str:
    """The path of the lock for a Python: `locks/cp311.txt` for `3.11`."""
    return f"locks/cp{python.replace('.', '')}.txt"


def wheel_of(version: str) -> str:
    """The path of Bedside's own wheel."""
    return f"wheels/bedside-{version}-py3-none-any.whl"


def pip_wheels(paths: Iterable[str]) -> list[str]:
    """The paths of pip's own wheels among these; a bundle holds one, which installs the rest."""
    return [path for path in paths if _PIP.fullmatch(path)]


def check_paths(paths: Iterable[str]) -> None:
    """See that the paths stay inside the bundle and are distinct files on every file system.

    Raises:
        BadInputError: one of them is not; the sentence names it.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        if len(path) > _LONGEST_PATH or not _PATH.fullmatch(path):
            raise _refused(path, "is no path that a bundle may hold")
        plain = path.lower()
        if plain in files:
            raise _refused(path, f"is the same file on the stick as {files[plain]}")
        files[plain] = path
        *parents, _name = path.split("/")
        for depth in range(1, len(parents) + 1):
            folder = "/".join(parents[:depth])
            if folders.setdefault(folder.lower(), folder) != folder:
                raise _refused(path, f"lies in {folders[folder.lower()]}, written otherwise")
    for plain in files.keys() & folders.keys():
        raise _refused(files[plain], "is a file and a folder at once")


def _refused(path: str, why: str) -> BadInputError:
    return BadInputError(
        f"The bundle cannot be used: “{one_line(path, 80)}” {why}. Build or copy it again."
    )
