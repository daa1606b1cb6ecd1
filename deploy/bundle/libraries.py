"""Whether every library in a bundle's wheels will load on the boards it is for.

qemu-user maps files at 4 KiB and cannot see a wrong alignment, and no JetPack can be run on a
workstation: for both, this static check is the proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.errors import BadInputError
from app.sanitise import one_line
from deploy.bundle.elf import AARCH64, MAGIC, Elf, read_elf
from deploy.bundle.wheelfile import read_wheel, wheel_name

PAGE: Final = 64 * 1024
"""Bytes: the largest page of an arm64 kernel. A Pi 5's has 16 KiB, and refuses a 4 KiB file."""

NEWEST: Final[Mapping[str, tuple[int, ...]]] = {
    "GLIBC": (2, 35),
    "GLIBCXX": (3, 4, 30),
    "CXXABI": (1, 3, 13),
    "GCC": (12, 0, 0),
    "ZLIB": (1, 2, 9),
}
"""What JetPack 6 (Ubuntu 22.04) has; a Raspberry Pi OS of Debian 12 has at least that."""

SYSTEM: Final = frozenset(
    {
        "ld-linux-aarch64.so.1",
        "libc.so.6",
        "libdl.so.2",
        "libgcc_s.so.1",
        "libm.so.6",
        "libpthread.so.0",
        "librt.so.1",
        "libstdc++.so.6",
        "libutil.so.1",
        "libz.so.1",
    }
)
"""What both boards have before anything is installed, since dpkg and Python stand on it. All else
travels in the wheel."""

_VERSION = re.compile(r"([A-Z]+)_(\d+(?:\.\d+){0,3})")
_PLATFORM = re.compile(r"any|linux_aarch64|manylinux2014_aarch64|manylinux_2_(\d+)_aarch64")


@dataclass(frozen=True, slots=True)
class Needs:
    """The newest versions that any library asks for; empty where none asks."""

    glibc: tuple[int, ...] = ()
    glibcxx: tuple[int, ...] = ()
    libraries: int = 0
    """How many ELF files were looked at."""

    def and_also(self, other: Needs) -> Needs:
        """Both together."""
        return Needs(
            max(self.glibc, other.glibc),
            max(self.glibcxx, other.glibcxx),
            self.libraries + other.libraries,
        )


def check_wheels(paths: Iterable[Path]) -> Needs:
    """See that each wheel is for these boards, and with it every ELF file in it.

    Raises:
        BadInputError: one is not; the sentence names the wheel, the file and the reason.
    """
    needs = Needs()
    for path in paths:
        needs = needs.and_also(check_wheel(path))
    return needs


def check_wheel(path: Path) -> Needs:
    """See that one wheel is for these boards. Raises BadInputError where it is not."""
    platforms = wheel_name(path).platforms
    if not any(_runs_here(platform) for platform in platforms):
        raise BadInputError(
            f"The wheel {one_line(path.name)} is not for these boards: its tag must end in "
            "aarch64, with manylinux up to 2_35, or be “any”."
        )
    files = read_wheel(path)
    own = frozenset(Path(name).name for name in files)
    needs = Needs()
    for name, content in files.items():
        if content.startswith(MAGIC):
            if platforms == {"any"}:
                raise _refused(path, name, "is machine code in a wheel for any machine")
            needs = needs.and_also(_check(path, name, read_elf(content, name), own))
    return needs


def _runs_here(platform: str) -> bool:
    found = _PLATFORM.fullmatch(platform)
    return found is not None and int(found.group(1) or 0) <= NEWEST["GLIBC"][1]


def _check(wheel: Path, name: str, elf: Elf, own: frozenset[str]) -> Needs:
    """What this ELF file asks for, where it may ask for it."""
    if elf.machine != AARCH64:
        raise _refused(wheel, name, "is not for aarch64")
    if not all(segment.fits_pages_of(PAGE) for segment in elf.segments):
        raise _refused(wheel, name, "is not aligned to 64 KiB, so a Pi 5's kernel cannot load it")
    missing = sorted(set(elf.needed) - own - SYSTEM)
    if missing:
        raise _refused(wheel, name, f"needs {one_line(missing[0])}, which a bare board lacks")
    highest: dict[str, tuple[int, ...]] = {}
    for family, version in _system_versions(wheel, name, elf, own):
        highest[family] = max(version, highest.get(family, ()))
    return Needs(highest.get("GLIBC", ()), highest.get("GLIBCXX", ()), 1)


def _system_versions(
    wheel: Path, name: str, elf: Elf, own: frozenset[str]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Family and version of all that it needs of the board's own libraries."""
    for library, versions in elf.versions.items():
        for text in versions if library not in own else ():
            found = _VERSION.fullmatch(text)
            family, number = found.groups() if found else ("", "0")
            version = tuple(map(int, number.split(".")))
            if version > NEWEST.get(family, (-1,)):
                raise _refused(
                    wheel,
                    name,
                    f"needs {one_line(text)} of {one_line(library)}, which JetPack 6 lacks",
                )
            yield family, version


def _refused(wheel: Path, name: str, why: str) -> BadInputError:
    return BadInputError(
        f"The wheel {one_line(wheel.name)} cannot be shipped: its file {one_line(name, 160)} {why}."
    )
