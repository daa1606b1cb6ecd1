"""Which wheels may be shipped: the static check that stands for a Pi's pages and for JetPack."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import BadInputError
from deploy.bundle.libraries import Needs, check_wheel, check_wheels
from tests.deploy.bundle.elves import X86_64, library
from tests.deploy.bundle.wheels import wheel

NAME = "toy-1.0-cp311-cp311-manylinux_2_28_aarch64.whl"


def check(folder: Path, content: bytes, name: str = NAME) -> Needs:
    return check_wheel(wheel(folder, name, {"toy/lib.so": content}))


def test_what_is_asked_for_at_most(tmp_path: Path) -> None:
    first = library(versions={"libc.so.6": ("GLIBC_2.9", "GLIBC_2.34")})
    second = library(
        needed=("libc.so.6", "libstdc++.so.6"),
        versions={"libc.so.6": ("GLIBC_2.17",), "libstdc++.so.6": ("GLIBCXX_3.4.9",)},
    )
    paths = [
        wheel(tmp_path, NAME, {"toy/a.so": first, "toy/b.so": second}),
        wheel(tmp_path, "plain-1.0-py3-none-any.whl", {"plain.py": b""}),
    ]
    assert check_wheels(paths) == Needs((2, 34), (3, 4, 9), 2)


@pytest.mark.parametrize(
    ("library_name", "version"),
    [
        ("libc.so.6", "GLIBC_2.36"),
        ("libc.so.6", "GLIBC_2.100"),
        ("libc.so.6", "GLIBC_PRIVATE"),
        ("libstdc++.so.6", "GLIBCXX_3.4.31"),
        ("libstdc++.so.6", "CXXABI_1.3.14"),
        ("libgcc_s.so.1", "GCC_14.0.0"),
        ("libm.so.6", "WHATEVER_1"),
    ],
)
def test_what_jetpack_6_lacks(tmp_path: Path, library_name: str, version: str) -> None:
    content = library(needed=(library_name,), versions={library_name: (version,)})
    with pytest.raises(BadInputError, match=f"needs {version} of .*, which JetPack 6 lacks"):
        check(tmp_path, content)


@pytest.mark.parametrize("version", ["GLIBC_2.35", "GLIBC_2.17"])
def test_what_jetpack_6_has(tmp_path: Path, version: str) -> None:
    assert check(tmp_path, library(versions={"libc.so.6": (version,)})).libraries == 1


def test_pages_of_4_kib(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="not aligned to 64 KiB"):
        check(tmp_path, library(alignment=0x1000))


def test_machine_code_of_this_workstation(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"its file toy/lib\.so is not for aarch64"):
        check(tmp_path, library(machine=X86_64))


def test_a_library_that_nobody_brings(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"needs libopenblas\.so\.0, which a bare board lacks"):
        check(tmp_path, library(needed=("libopenblas.so.0",)))


def test_a_library_that_the_wheel_brings(tmp_path: Path) -> None:
    """As OpenMP's, whose versions are then not the system's to have."""
    user = library(needed=("libgomp.so.1",), versions={"libgomp.so.1": ("GOMP_4.5",)})
    path = wheel(tmp_path, NAME, {"toy/lib.so": user, "toy.libs/libgomp.so.1": library()})
    assert check_wheel(path).libraries == 2


@pytest.mark.parametrize(
    "tag",
    ["linux_x86_64", "manylinux_2_36_aarch64", "musllinux_1_2_aarch64", "win_arm64"],
)
def test_a_tag_for_another_system(tmp_path: Path, tag: str) -> None:
    with pytest.raises(BadInputError, match="not for these boards"):
        check(tmp_path, library(), f"toy-1.0-py3-none-{tag}.whl")


def test_several_tags_of_which_one_fits(tmp_path: Path) -> None:
    name = "toy-1.0-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"
    assert check(tmp_path, library(), name).libraries == 1


def test_machine_code_in_a_wheel_for_any_machine(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="machine code in a wheel for any machine"):
        check(tmp_path, library(), "toy-1.0-py3-none-any.whl")
