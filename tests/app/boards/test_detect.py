"""The board is found from files alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.boards.detect import detect, parse_jetson_release, parse_total_memory
from tests.shared import shared_path


def _machine(root: Path, model: bytes | None, kilobytes: int | None) -> Path:
    (root / "proc/device-tree").mkdir(parents=True)
    if model is not None:
        (root / "proc/device-tree/model").write_bytes(model)
    if kilobytes is not None:
        (root / "proc/meminfo").write_text(f"MemTotal:       {kilobytes} kB\nMemFree: 12 kB\n")
    return root


@pytest.mark.parametrize(
    ("model", "kilobytes", "expected"),
    [
        (b"Raspberry Pi 5 Model B Rev 1.1\0", 4_150_000, "pi5-4gb"),
        (b"Raspberry Pi 5 Model B Rev 1.0\0", 2_040_000, "pi5-4gb"),
        (b"Raspberry Pi 5 Model B Rev 1.0\0", 8_255_000, "pi5-8gb"),
        (b"Raspberry Pi 5 Model B Rev 1.1\0", 16_600_000, "pi5-8gb"),
        (b"Raspberry Pi Compute Module 5 Rev 1.0\0", 8_255_000, "pi5-8gb"),
        (b"Raspberry Pi 500 Rev 1.0\0", 8_255_000, "pi5-8gb"),
        (b"Raspberry Pi 4 Model B Rev 1.4\0", 8_000_000, "generic"),
        (b"Raspberry Pi 5 Model B Rev 1.0\0", None, "pi5-4gb"),
        (b"NVIDIA Jetson Orin Nano Developer Kit\0", 7_800_000, "orin-nano-8gb"),
        (b"NVIDIA Jetson AGX Orin Developer Kit\0", 64_000_000, "generic"),
        (b"\xff\xfe\0", 8_000_000, "generic"),
        (None, 8_000_000, "generic"),
        (None, None, "generic"),
    ],
)
def test_each_machine_gets_its_profile(
    tmp_path: Path, model: bytes | None, kilobytes: int | None, expected: str
) -> None:
    board = detect(_machine(tmp_path, model, kilobytes))
    assert board.id == expected
    assert board.memory_bytes == (kilobytes * 1024 if kilobytes else None)
    assert board.name and "\0" not in board.name


def test_an_empty_root_is_a_generic_machine(tmp_path: Path) -> None:
    board = detect(tmp_path)
    assert (board.id, board.memory_bytes, board.jetson_release) == ("generic", None, None)


def test_a_release_is_read_and_a_foreign_line_is_not() -> None:
    line = "# R35 (release), REVISION: 5.0, GCID: 77, BOARD: generic, EABI: aarch64\nmore\n"
    assert parse_jetson_release(line) == "35.5.0"
    assert parse_jetson_release("R35 REVISION 5.0") is None


def test_memory_of_zero_is_unknown() -> None:
    assert parse_total_memory("MemTotal: 0 kB\n") is None


@given(st.text())
def test_no_text_breaks_the_parsers(text: str) -> None:
    memory = parse_total_memory(text)
    assert memory is None or memory > 0
    parse_jetson_release(text)


def test_the_collected_board_files_are_understood() -> None:
    text = shared_path("samples/power/jetson_misc/01_nvpmodel_and_release.txt").read_text()
    assert parse_jetson_release(text) == "36.4.3"
