"""SHA256SUMS: what the signature is over, in the form that `sha256sum -c --strict` reads too."""

from __future__ import annotations

import hashlib
import re

from app.errors import BadInputError
from app.releases import bundle
from app.releases.manifest import LARGEST, Manifest

_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def dump_sums(manifest: Manifest, manifest_bytes: bytes) -> bytes:
    """The sums of a bundle, sorted by path: the same bytes for the same manifest."""
    hashes = {path: file.sha256 for path, file in manifest.files.items()}
    hashes[bundle.MANIFEST] = hashlib.sha256(manifest_bytes).hexdigest()
    return "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes)).encode()


def parse_sums(content: bytes) -> dict[str, str]:
    """The hash of each path.

    Raises:
        BadInputError: it is no such list, a path leads elsewhere, or one stands in it twice.
    """
    if len(content) > LARGEST or not content.endswith(b"\n") or not content.isascii():
        raise _damaged()
    found: list[tuple[str, str]] = []
    for line in content.decode("ascii").removesuffix("\n").split("\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            raise _damaged()
        found.append((match.group(2), match.group(1)))
    bundle.check_paths([path for path, _ in found] + [bundle.SUMS, bundle.SIGNATURE])
    return dict(found)


def _damaged() -> BadInputError:
    return BadInputError(
        f"The bundle's {bundle.SUMS} is no list of hashes. Copy the bundle to the stick again."
    )
