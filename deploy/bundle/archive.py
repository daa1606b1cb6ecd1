"""The bundle as one file, the same bytes for the same bundle."""

from __future__ import annotations

import tarfile
from pathlib import Path

from app.files import arriving


def write_archive(folder: Path, path: Path, epoch: int) -> None:
    """Packs a folder: sorted, root's, and of one time, so that nothing of this machine is in it.

    It is not compressed: wheels and weights are already. `tar -xf` unpacks it.

    Args:
        folder: the bundle; its name is the one folder in the archive.
        path: the archive.
        epoch: the time of every file, in seconds since 1970.

    Raises:
        ResourceError: the disk is full or cannot be written.
    """
    with arriving(path) as place, tarfile.open(place, "w", format=tarfile.USTAR_FORMAT) as archive:
        for file in [folder, *sorted(folder.rglob("*"))]:
            name = (Path(folder.name) / file.relative_to(folder)).as_posix()
            member = tarfile.TarInfo(name)
            member.mtime = epoch
            if file.is_dir():
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(member)
            else:
                _add(archive, member, file)


def _add(archive: tarfile.TarFile, member: tarfile.TarInfo, file: Path) -> None:
    member.mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
    member.size = file.stat().st_size
    with file.open("rb") as content:
        archive.addfile(member, content)
