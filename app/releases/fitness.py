"""Whether a board has what a bundle needs, asked before anything is changed on it."""

from __future__ import annotations

import os
import platform
import shutil
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from app.boards import detect
from app.errors import BadInputError, ResourceError, UsageError
from app.releases.environment import running_python
from app.releases.layout import Layout
from app.releases.manifest import BOARDS, Manifest
from app.releases.versions import order

HWCAP_BITS: Final = MappingProxyType(
    {"fp": 0, "asimd": 1, "crc32": 7, "atomics": 8, "fphp": 9, "asimdhp": 10, "asimddp": 20}
)
"""Bits of AT_HWCAP on arm64, from Linux's uapi/asm/hwcap.h, by the names of /proc/cpuinfo."""

_AT_HWCAP = 16
_PAIR = struct.Struct("<QQ")
_BOARD_NAMES = {"pi5": "a Raspberry Pi 5", "orin-nano": "a Jetson Orin Nano"}


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known of the machine that a bundle is to be installed on."""

    board: str | None
    """As a manifest names it; None for a machine that bundles are not made for."""
    name: str
    architecture: str
    """Of the kernel, as `aarch64`."""
    pointer_bits: int
    """Of the running Python: 32 where a 64-bit kernel runs a 32-bit system."""
    python: str
    glibc: str
    """As `2.36`; empty where the C library is another one."""
    hwcap: int
    """The kernel's own word for what the processor can do. /proc/cpuinfo is not asked: under
    emulation it shows the host's."""
    memory: int | None
    """Bytes."""


def examine(root: Path, board: str | None = None) -> Machine:
    """Looks at this machine.

    Args:
        root: where /proc and the device tree are.
        board: what a person says it is, where the device tree does not.

    Raises:
        UsageError: there are no bundles for a board of that name.
    """
    if board is not None and board not in BOARDS:
        raise UsageError(f"There are no bundles for “{board}”. Name one of: {', '.join(BOARDS)}.")
    found = detect(root)
    known = {"pi5-4gb": "pi5", "pi5-8gb": "pi5", "orin-nano-8gb": "orin-nano"}
    return Machine(
        board=board or known.get(found.id),
        name=found.name,
        architecture=platform.machine(),
        pointer_bits=64 if sys.maxsize > 2**32 else 32,
        python=running_python(),
        glibc=_glibc(),
        hwcap=parse_hwcap(_bytes(root / "proc/self/auxv")),
        memory=found.memory_bytes,
    )


def check_machine(manifest: Manifest, machine: Machine) -> None:
    """See that the bundle is for this machine.

    Raises:
        UsageError: it is for another board or system.
        ResourceError: the board has too little memory for the model.
    """
    if machine.board != manifest.board:
        wanted = _BOARD_NAMES[manifest.board]
        raise UsageError(
            f"The bundle is for {wanted}, and this is {machine.name}. Take the one for this board."
        )
    if machine.architecture != manifest.architecture or machine.pointer_bits != 64:
        raise UsageError(
            f"Bedside needs a 64-bit system for {manifest.architecture}, and this one is not "
            f"({machine.architecture}, {machine.pointer_bits}-bit). Install the 64-bit system."
        )
    if machine.python not in manifest.pythons:
        raise UsageError(
            f"This is Python {machine.python}, and the bundle has packages for "
            f"{', '.join(manifest.pythons)}. Use a system with one of these."
        )
    if _numbers(machine.glibc) < _numbers(manifest.glibc):
        raise UsageError(
            f"The bundle needs glibc {manifest.glibc} or later, and this system has "
            f"{machine.glibc or 'another C library'}. Use a newer system."
        )
    lacking = [name for name in manifest.cpu_features if not has_feature(machine.hwcap, name)]
    if lacking:
        raise UsageError(
            f"The processor lacks {', '.join(lacking)}, which the bundle's libraries use: they "
            "would crash. Use the board that the bundle is for."
        )
    if machine.memory is not None and machine.memory < manifest.memory_bytes:
        raise ResourceError(
            f"{manifest.model.name} needs a board with {_size(manifest.memory_bytes)} of "
            f"memory, and this one has {_size(machine.memory)}. Take a bundle with a "
            "smaller model."
        )


def check_version(manifest: Manifest, layout: Layout, allow_downgrade: bool) -> None:
    """See that a bundle leads forward, or that going back is meant.

    Raises:
        UsageError: the version runs already, or is older than the one that runs.
    """
    current = layout.pointed(layout.current)
    if current is None:
        return
    if manifest.version == current:
        raise UsageError(
            f"Bedside {current} is installed already; nothing was changed. To install it anew, "
            "uninstall it with --keep-data first."
        )
    if manifest.version == layout.pointed(layout.previous):
        raise UsageError(
            f"Bedside {manifest.version} is here already, as the release before this one. "
            "`bedside rollback` goes back to it."
        )
    if order(manifest.version) < order(current) and not allow_downgrade:
        raise UsageError(
            f"The bundle is Bedside {manifest.version}, older than {current}, which is installed. "
            "Take a newer one, or say --allow-downgrade."
        )


def check_space(manifest: Manifest, layout: Layout, already: int = 0) -> None:
    """See that a release fits on the disk.

    Args:
        manifest: what is to be installed.
        layout: where.
        already: bytes of it that lie there.

    Raises:
        ResourceError: it does not.
    """
    folder = next(path for path in (layout.opt, *layout.opt.parents) if path.is_dir())
    free = shutil.disk_usage(folder).free
    needed = max(manifest.disk_bytes - already, 0)
    if free < needed:
        raise ResourceError(
            f"Bedside {manifest.version} needs {_size(needed)} of the disk, and "
            f"{_size(free)} are free. Make room, then try again."
        )


def bundled_bytes(manifest: Manifest) -> int:
    """The length of all files of a bundle together."""
    return sum(file.bytes for file in manifest.files.values())


def parse_hwcap(auxv: bytes) -> int:
    """AT_HWCAP from the text of /proc/self/auxv; 0 where it does not say."""
    whole = len(auxv) - len(auxv) % _PAIR.size
    return next((value for key, value in _PAIR.iter_unpack(auxv[:whole]) if key == _AT_HWCAP), 0)


def has_feature(hwcap: int, name: str) -> bool:
    """Whether the processor has a feature.

    Raises:
        BadInputError: the bundle asks for one that nobody here knows.
    """
    if name not in HWCAP_BITS:
        raise BadInputError(f"The bundle needs “{name}” of the processor, which is not known here.")
    return bool(hwcap >> HWCAP_BITS[name] & 1)


def _glibc() -> str:
    """The C library's version; an empty one where it is not glibc, which lacks the question."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").removeprefix("glibc ")
    except ValueError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(
            f"What the processor can do could not be read from {path} ({error.strerror}). "
            "See that /proc is mounted."
        ) from error


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 10**9 else f"{count / 1e6:.0f} MB"
