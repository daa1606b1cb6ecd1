from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import root
from tests.app.catalog.conftest import CATALOGUE
from tests.app.engine.gguf_files import small_model
from tests.shared import ROOT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without anything, before a catalogue of which no model is installed."""
    for kind in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    shipped = tmp_path / "models"
    shipped.mkdir()
    (shipped / "catalog.toml").write_text(CATALOGUE.format(sha256="0" * 64, bytes=100))
    monkeypatch.setenv("BEDSIDE_MODELS_FOLDER", str(shipped))
    return tmp_path


def bedside(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["models", *arguments])


@pytest.fixture
def own(home: Path) -> Path:
    path = home / "Own Model.Q8_0.gguf"
    path.write_bytes(small_model().pack())
    return path


def test_list(home: Path) -> None:
    shown = bedside("list")
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["shipped*", "0.0", "MB", "not", "installed", "CC", "BY", "4.0"]
    assert "    fits Pi 5 4 GB" in lines
    assert any(line.startswith("big-3b") and "~2.00 GB" in line for line in lines)
    assert "    from someone/Big-3B" in lines
    assert "* A demonstration: nothing it says may be relied on." in lines
    assert "Without --model, Bedside opens “shipped”." in lines
    assert not (home / "state").exists()


def test_add_list_verify(home: Path, own: Path) -> None:
    added = bedside("add", str(own))
    assert added.exit_code == 0, added.output
    assert "Added “own-model.q8_0”" in added.stdout
    assert "own-model.q8_0" in bedside("list").stdout
    holds = bedside("verify", "own-model.q8_0")
    assert (holds.exit_code, holds.stdout) == (0, "own-model.q8_0: as listed\n")


def test_verify_fails_with_6(home: Path, own: Path) -> None:
    bedside("add", str(own), "--name", "mine")
    stored = home / "data/bedside/models/mine.gguf"
    content = bytearray(stored.read_bytes())
    content[-200] ^= 1
    stored.write_bytes(content)
    failed = bedside("verify")
    assert failed.exit_code == 6
    assert "mine: NOT as listed" in failed.stdout
    assert "Not as listed: mine." in failed.output


def test_nothing_to_verify(home: Path) -> None:
    assert "No model is installed" in bedside("verify").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("verify", "nothing"), 2, "no model or file “nothing”"),
        (("verify", "big-3b"), 3, "listed but not installed"),
        (("add", "missing.gguf"), 3, "does not exist"),
        (("add", "/"), 3, "is a folder"),
        (("add", "x.gguf", "--name", "../x"), 2, "cannot be a model's name"),
    ],
)
def test_mistakes(home: Path, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    result = bedside(*arguments)
    assert result.exit_code == code
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_web_page_is_not_added(home: Path) -> None:
    page = home / "page.gguf"
    page.write_text("<!doctype html><title>404</title>")
    result = bedside("add", str(page))
    assert result.exit_code == 3
    assert "is a web page" in result.output


def test_the_help_of_the_group_imports_nothing_heavy() -> None:
    heavy = ("numpy", "llama_cpp", "textual", "psutil", "app.catalog", "app.config")
    code = (
        "import sys; from typer.testing import CliRunner; from app.cli import root;"
        "shown = CliRunner().invoke(root, ['models', '--help']); assert shown.exit_code == 0;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "[]"
