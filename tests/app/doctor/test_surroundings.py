"""Power, terminal, files: each from what it is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app import glyphs
from app.doctor import files, power, terminal
from app.errors import BadInputError
from app.monitor.power import survey
from tests.app.monitor.boards import bare, pi5, tree
from tests.app.monitor.power.test_battery import LAPTOP


def test_a_power_source_is_named_with_its_coverage(tmp_path: Path) -> None:
    check = power.source(survey(pi5(tmp_path)))
    assert check.state == "ok" and "not USB devices" in check.found


def test_a_closed_power_source_needs_attention_and_an_absent_one_is_not_checked(
    tmp_path: Path,
) -> None:
    assert power.source(survey(bare(tmp_path))).state == "not checked"
    charging = {path: text.replace("Disch", "Ch") for path, text in LAPTOP.items()}
    devices = bare(tree(tmp_path, charging))
    check = power.source(survey(devices))
    assert check.state == "attention" and "charging" in check.found


@pytest.mark.parametrize(
    ("bits", "state", "word"),
    [
        (0, "ok", "No low voltage"),
        (0x10000, "attention", "27 W"),
        (0x1, "attention", "27 W"),
        (0x80000, "attention", "heat sink"),
        (None, "not checked", ""),
    ],
)
def test_voltage_and_heat(bits: int | None, state: str, word: str) -> None:
    check = power.voltage(bits, "only a Raspberry Pi tells it")
    assert check.state == state and word in check.found + check.advice


@pytest.mark.parametrize(
    ("environ", "is_terminal", "encoding", "state"),
    [
        ({"TERM": "xterm-256color"}, True, "utf-8", "ok"),
        ({"TERM": "linux"}, True, "UTF-8", "ok"),
        ({"TERM": "dumb"}, True, "utf-8", "attention"),
        ({}, True, "utf-8", "attention"),
        ({"TERM": "xterm"}, True, "iso8859-1", "attention"),
        ({"TERM": "xterm"}, False, "utf-8", "not checked"),
    ],
)
def test_terminal(environ: dict[str, str], is_terminal: bool, encoding: str, state: str) -> None:
    assert terminal.terminal(environ, is_terminal, encoding).state == state


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "16 million"),
        ({"TERM": "xterm-256color"}, "256 colours"),
        ({"TERM": "linux"}, "16 colours"),
        ({"TERM": "linux", "NO_COLOR": "1"}, "no colours"),
    ],
)
def test_colours(environ: dict[str, str], words: str) -> None:
    assert words in terminal.terminal(environ, True, "utf-8").found


@pytest.mark.parametrize(
    ("name", "drawn", "state"),
    [
        ("linux", None, "not checked"),
        ("xterm", None, "not checked"),
        ("linux", glyphs.characters(), "ok"),
        ("xterm", glyphs.characters(), "ok"),
        ("linux", glyphs.characters() - {"╭"}, "attention"),
    ],
)
def test_a_font_is_green_only_when_it_was_asked(
    name: str, drawn: frozenset[str] | None, state: str
) -> None:
    check = terminal.font({"TERM": name}, drawn)
    assert check.state == state
    assert state != "attention" or "lacks ╭," in check.found


def test_a_model_is_green_only_when_its_hash_was_compared() -> None:
    assert files.model("small", 19_000_000, compared=True).state == "ok"
    assert files.model("small", 19_000_000, compared=False).state == "not checked"
    broken = files.broken_model(BadInputError("The file is empty. Get it again."))
    assert broken.essential and broken.found == "The file is empty. Get it again."


def test_a_folder_must_be_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert files.private_folder("state folder", folder).state == "not checked"
    folder.mkdir(mode=0o700)
    assert files.private_folder("state folder", folder).state == "ok"
    folder.chmod(0o750)
    check = files.private_folder("state folder", folder)
    assert check.state == "attention" and "0750" in check.found and "chmod 700" in check.advice


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "cannot be written" in files.private_folder("state folder", tmp_path).found
    tmp_path.chmod(0o700)
