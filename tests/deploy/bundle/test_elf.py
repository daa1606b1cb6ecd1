"""The reader of ELF files against hand-written ones, real ones, and damage."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError
from deploy.bundle.elf import Elf, read_elf
from tests.deploy.bundle.elves import AARCH64, X86_64, library


def test_everything_that_a_library_says() -> None:
    asked = {"libc.so.6": ("GLIBC_2.17", "GLIBC_2.34"), "libstdc++.so.6": ("GLIBCXX_3.4.29",)}
    content = library(
        needed=("libc.so.6", "libstdc++.so.6"), versions=asked, search="$ORIGIN:/opt/x"
    )
    found = read_elf(content, "a library")
    assert found.machine == AARCH64
    assert found.needed == ("libc.so.6", "libstdc++.so.6")
    assert found.search == ("$ORIGIN", "/opt/x")
    assert found.versions == asked
    assert all(segment.fits_pages_of(65536) for segment in found.segments)


def test_addresses_are_not_places_in_the_file() -> None:
    asked = {"libm.so.6": ("GLIBC_2.29",)}
    assert read_elf(library(versions=asked, shifted=0x30000), "shifted").versions == asked


@pytest.mark.parametrize(
    ("alignment", "shifted", "fits"),
    [(0x10000, 0, True), (0x1000, 0, False), (0x10000, 0x1000, False), (0x10000, 0x20000, True)],
)
def test_pages(alignment: int, shifted: int, fits: bool) -> None:
    (segment,) = read_elf(library(alignment=alignment, shifted=shifted), "x").segments
    assert segment.fits_pages_of(65536) is fits


def test_another_machine() -> None:
    assert read_elf(library(machine=X86_64), "x").machine == X86_64


def test_no_dynamic_section_at_all() -> None:
    program = bytearray(library(needed=()))
    struct.pack_into("<I", program, 64 + 56, 0)
    assert read_elf(bytes(program), "static") == Elf(
        AARCH64, read_elf(bytes(program), "static").segments, (), (), {}
    )


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\x01\x01\x01" + bytes(100)])
def test_no_elf_file(content: bytes) -> None:
    with pytest.raises(BadInputError, match="is no sound library"):
        read_elf(content, "x")


def test_a_name_that_no_terminal_should_get() -> None:
    with pytest.raises(BadInputError, match="no plain text"):
        read_elf(library(needed=("libc\N{RIGHT-TO-LEFT OVERRIDE}.so",)), "x")


def test_endless_versions_end() -> None:
    """Each table says that it is as long as can be, and that the next one is itself."""
    content = bytearray(library(versions={f"lib{one}.so": ("A_1",) for one in range(3)}))
    at = 64 + 2 * 56 + 16 * 5
    for place in range(3):
        struct.pack_into("<H", content, at + place * 32 + 2, 0xFFFF)
    with pytest.raises(BadInputError):
        read_elf(bytes(content), "x")


@given(st.data())
def test_damage_ends_in_a_sentence(data: st.DataObject) -> None:
    content = bytearray(library(versions={"libc.so.6": ("GLIBC_2.17", "GLIBC_2.34")}, search="$O"))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    try:
        read_elf(bytes(content[:cut]), "damaged")
    except BadInputError as error:
        assert "\n" not in str(error)


def _readelf(path: Path) -> tuple[set[str], set[str]]:
    """What binutils says: the libraries needed, and all versions asked for."""
    shown = subprocess.run(
        ["readelf", "--wide", "--dynamic", "--version-info", str(path)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        check=True,
    ).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", shown))
    section = shown.partition(".gnu.version_r")[2]
    return needed, set(re.findall(r"Name: (\S+)\s+Flags:", section))


@pytest.mark.skipif(shutil.which("readelf") is None, reason="binutils' readelf is not here")
def test_the_interpreters_own_libraries_as_readelf_reads_them() -> None:
    folder = Path(sysconfig.get_path("stdlib")) / "lib-dynload"
    modules = sorted(folder.glob("*.so"))[:8]
    if not modules:
        pytest.skip("this Python has no modules in libraries")
    for path in modules:
        found = read_elf(path.read_bytes(), path.name)
        versions = {name for names in found.versions.values() for name in names}
        assert (set(found.needed), versions) == _readelf(path), path.name
