"""Whether a machine has what a bundle needs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError, BedsideError, UsageError
from app.releases.fitness import Machine, check_machine, examine, has_feature, parse_hwcap
from app.releases.host import Host
from tests.app.releases import bundles
from tests.app.releases.machines import PI5_HWCAP, auxv

MANIFEST = bundles.manifest("1.0.0", bundles.contents("1.0.0"))
PI = Machine("pi5", "Raspberry Pi 5", "aarch64", 64, "3.11", "2.36", PI5_HWCAP, 8 * 10**9)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"board": "orin-nano"}, "for a Raspberry Pi 5, and this is"),
        ({"board": None, "name": "A PC"}, "this is A PC"),
        ({"architecture": "x86_64"}, "needs a 64-bit system for aarch64"),
        ({"pointer_bits": 32}, "32-bit"),
        ({"python": "3.14"}, "Python 3.14, and the bundle has packages for 3.10, 3.11"),
        ({"glibc": "2.9"}, "needs glibc 2.17 or later, and this system has 2.9"),
        ({"glibc": ""}, "another C library"),
        ({"hwcap": PI5_HWCAP & ~(1 << 20)}, "lacks asimddp,"),
        ({"memory": 10**9}, "needs a board with 2.0 GB of memory, and this one has 1.0 GB"),
    ],
)
def test_what_does_not_fit(fields: dict[str, Any], sentence: str) -> None:
    check_machine(MANIFEST, PI)
    with pytest.raises(BedsideError, match=sentence):
        check_machine(MANIFEST, dataclasses.replace(PI, **fields))


def test_unknown_memory_is_no_obstacle() -> None:
    check_machine(MANIFEST, dataclasses.replace(PI, memory=None))


def test_the_words_of_the_kernel() -> None:
    """From Linux's arch/arm64/include/uapi/asm/hwcap.h."""
    assert has_feature(1 << 20, "asimddp")
    assert not has_feature(1 << 20, "asimdhp")
    with pytest.raises(BadInputError, match="“sve2” of the processor"):
        has_feature(0, "sve2")


def test_the_auxiliary_vector() -> None:
    assert parse_hwcap(auxv(0xDEAD)) == 0xDEAD
    assert parse_hwcap(b"") == 0


@given(st.binary(max_size=200))
def test_any_bytes_are_no_crash(content: bytes) -> None:
    assert parse_hwcap(content) >= 0


def test_a_board_is_examined(host: Host) -> None:
    found = examine(host.layout.root)
    assert (found.board, found.architecture, found.hwcap) == ("pi5", "aarch64", PI5_HWCAP)
    assert found.memory == 8245000 * 1024
    (host.layout.root / "proc/device-tree/model").write_bytes(b"Something else\0")
    assert examine(host.layout.root).board is None
    assert examine(host.layout.root, "orin-nano").board == "orin-nano"
    with pytest.raises(UsageError, match="no bundles for “toaster”"):
        examine(host.layout.root, "toaster")
    (host.layout.root / "proc/self/auxv").unlink()
    with pytest.raises(BadInputError, match="See that /proc is mounted"):
        examine(host.layout.root)
