"""Fetching what the locks name: each file by its hash, and none a second time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.catalog.hashes import sha256_of
from app.errors import ResourceError
from app.sanitise import one_line
from deploy.bundle.pins import LOCKS, read_lock
from deploy.bundle.workplace import Workplace


def fetch(place: Workplace, lock: str, options: Sequence[str]) -> list[Path]:
    """The files of a lock, sorted by name; downloaded where the cache lacks one.

    Args:
        place: keeps them in `cache/<lock>`.
        lock: the lock's name, as `cp311.txt`.
        options: of `pip download`, for the machine that the files are for.

    Raises:
        ResourceError: the index cannot be reached or no longer has a file.
    """
    folder = place.made(f"cache/{Path(lock).stem}")
    wanted = {pin.sha256: pin.line() for pin in read_lock(lock)}
    found = _by_hash(folder)
    if wanted.keys() - found.keys():
        how = ["--no-deps", "--require-hashes", "--quiet", f"--dest={folder}"]
        place.pip("download", *how, *options, "--requirement", LOCKS / lock)
        found = _by_hash(folder)
    missing = sorted(wanted[sha256] for sha256 in wanted.keys() - found.keys())
    if missing:
        raise ResourceError(
            f"The index gave no file for {one_line(missing[0].split()[0])} of {one_line(lock)}. "
            "Renew the locks with `python -m deploy.bundle lock`."
        )
    return sorted(found[sha256] for sha256 in wanted)


def _by_hash(folder: Path) -> dict[str, Path]:
    files = (path for path in folder.iterdir() if path.is_file())
    return {sha256_of(path): path for path in files}
