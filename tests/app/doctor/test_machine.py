"""The board, its memory and what could reach the disk, from fixtures."""

from __future__ import annotations

import pytest

from app.boards import Board
from app.doctor import machine
from app.doctor.machine import Fit

PI = Board("pi5-8gb", "Raspberry Pi 5 Model B Rev 1.0", 8 * 2**30)
GIB = 2**30


def test_a_known_board_is_fine() -> None:
    check = machine.board(PI, "pi5-8gb")
    assert check.state == "ok" and "pi5-8gb" in check.found


def test_a_32_bit_system_is_essential() -> None:
    check = machine.board(PI, "pi5-8gb", pointer_bits=32)
    assert (check.state, check.essential) == ("attention", True)


@pytest.mark.parametrize(("release", "state"), [("36.4.7", "attention"), ("36.5.0", "ok")])
def test_a_bad_jetson_release_is_named(release: str, state: str) -> None:
    board = Board("orin-nano-8gb", "Orin Nano", 8 * GIB, jetson_release=release)
    check = machine.board(board, "orin-nano-8gb")
    assert check.state == state and release in check.found


@pytest.mark.parametrize(
    ("available", "fit", "state", "essential"),
    [
        (4 * GIB, Fit(2 * GIB, 4096, 4096), "ok", False),
        (2 * GIB, Fit(2 * GIB, 1024, 4096), "attention", False),
        (1 * GIB, Fit(2 * GIB, None, 4096), "attention", True),
        (None, Fit(2 * GIB, None, 4096), "not checked", False),
    ],
)
def test_memory(available: int | None, fit: Fit, state: str, essential: bool) -> None:
    check = machine.memory("small", available, fit, "Choose a smaller one.")
    assert (check.state, check.essential) == (state, essential)
    if essential:
        assert check.advice == "Choose a smaller one." and "2.1 GB" in check.found


SWAP_HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


@pytest.mark.parametrize(
    ("table", "state"),
    [
        (SWAP_HEAD, "ok"),
        (SWAP_HEAD + "/dev/zram0 partition 2000 0 100\n", "ok"),
        (SWAP_HEAD + "/var/swap file 204 0 -2\n", "attention"),
        (
            SWAP_HEAD + "/dev/zram0 partition 2 0 100\n/dev/mmcblk0p3 partition 9 0 -2\n",
            "attention",
        ),
        (None, "not checked"),
    ],
)
def test_swap_on_a_disk_is_told(table: str | None, state: str) -> None:
    assert machine.swap(table, {}).state == state


@pytest.mark.parametrize(
    ("device", "state"), [("none", "ok"), ("", "ok"), ("/dev/loop3", "attention")]
)
def test_compressed_memory_that_writes_to_a_disk_is_told(device: str, state: str) -> None:
    check = machine.swap(SWAP_HEAD + "/dev/zram0 partition 2000 0 100\n", {"zram0": device})
    assert check.state == state
    assert device in check.found or state == "ok"


@pytest.mark.parametrize(
    ("limit", "pattern", "state", "word"),
    [
        (0, "core", "ok", "limit is 0"),
        (-1, "core", "attention", "to a file"),
        (-1, "|/usr/share/apport/apport %p", "attention", "/usr/share/apport/apport"),
        (-1, None, "not checked", "core_pattern"),
        (4096, "|", "attention", "to a file"),
    ],
)
def test_core_dumps(limit: int, pattern: str | None, state: str, word: str) -> None:
    check = machine.core_dumps(limit, pattern)
    assert check.state == state and word in check.found


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (b"\x00\x00\x13\x88", "ok"),
        (b"\x00\x00\x0b\xb8", "attention"),
        (b"", "not checked"),
        (b"\x00\x00\x13\x88\x00", "not checked"),
        (None, "not checked"),
    ],
)
def test_the_supply_tells_its_milliamperes_big_end_first(text: bytes | None, state: str) -> None:
    check = machine.supply(text)
    assert check.state == state
    if state == "attention":
        assert "3 A" in check.found
