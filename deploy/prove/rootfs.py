"""The emulated board's system: Debian 12 for arm64, as bare as an installer may meet it."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from app.errors import ResourceError
from deploy.bundle.tools import run
from deploy.bundle.workplace import Workplace

RELEASE: Final = "bookworm"
PACKAGES: Final = ("python3", "openssh-client", "libstdc++6")
"""Beside what Debian calls essential. Without python3-venv, pip or OpenMP: the bundle must bring
what of these it needs."""
HERE: Final = Path(__file__).resolve().parent


def make_rootfs(place: Workplace) -> Path:
    """The system's folder, made once: some five minutes, most of them emulated.

    Raises:
        UsageError: a tool is not installed.
        ResourceError: the Debian mirror cannot be reached, or the disk is full.
    """
    key = hashlib.sha256(" ".join((RELEASE, *PACKAGES)).encode()).hexdigest()[:12]
    done = place.made("prove") / f"rootfs-{key}"
    if done.is_dir():
        return done
    part = place.emptied(f"prove/rootfs-{key}.part")
    options = ["--foreign", "--arch=arm64", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    run(["debootstrap", *options, RELEASE, part], environment=os.environ)
    if (part / "proc").is_symlink():  # so it is where debootstrap thinks itself in a container
        (part / "proc").unlink()
        (part / "proc").mkdir()
    put_emulator(part, make_emulator(place))
    inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    mounts = (
        'mount -t proc proc "$0/proc" && exec chroot "$0" /debootstrap/debootstrap --second-stage'
    )
    log = place.folder / "prove" / "debootstrap.log"
    run([*inside, "sh", "-c", mounts, str(part)], environment=os.environ, log=log)
    part.rename(done)
    return done


def make_emulator(place: Workplace) -> tuple[Path, Path]:
    """qemu's one program, out of Debian's package of all of them, and what starts it.

    Raises:
        UsageError, ResourceError: as `run`.
    """
    folder = place.made("prove/emulator")
    qemu, starter = folder / "qemu", folder / "starter"
    if not qemu.exists():
        _unpack_qemu(folder, qemu)
    source = HERE / "emulator.c"
    run(["gcc", "-Wall", "-O1", "-static", "-o", starter, source], environment=os.environ)
    return qemu, starter


def put_emulator(root: Path, emulator: tuple[Path, Path]) -> None:
    """Puts it where the kernel will look for it inside the board."""
    folder = root / ".emulator"
    folder.mkdir(exist_ok=True)
    for path in emulator:
        shutil.copy(path, folder / path.name)
    (folder / "processor").write_text("cortex-a76\n")


def _unpack_qemu(folder: Path, target: Path) -> None:
    packages = folder / "packages"
    packages.mkdir(exist_ok=True)
    run(["apt-get", "download", "qemu-user-static"], environment=os.environ, folder=packages)
    found = sorted(packages.glob("qemu-user-static_*.deb"))
    if not found:
        raise ResourceError("apt-get gave no qemu-user-static. Is this Debian 12, and online?")
    run(["dpkg-deb", "--extract", found[-1], packages], environment=os.environ)
    (packages / "usr/bin/qemu-aarch64-static").rename(target)
    shutil.rmtree(packages)
