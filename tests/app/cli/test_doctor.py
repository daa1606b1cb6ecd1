"""`bedside doctor` on this machine, with a home folder of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import examination, root
from app.errors import EngineError

pytest.importorskip("llama_cpp")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without anything."""
    for kind in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    return tmp_path


def test_a_missing_model_is_essential_and_ends_with_6(home: Path) -> None:
    done = CliRunner().invoke(root, ["--model", str(home / "none.gguf"), "doctor", "--json"])
    assert done.exit_code == 6
    checks = {check["id"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["model"]["state"] == "attention" and checks["model"]["essential"]
    assert "memory" not in checks, "a model that is not there needs none"
    assert checks["processor"]["state"] in ("ok", "attention")
    assert checks["terminal"]["state"] == "not checked"
    assert checks["state folder"]["state"] == "not checked"
    assert "model" in done.stderr


def test_the_shipped_model_is_checked_in_sentences() -> None:
    done = CliRunner().invoke(root, ["doctor"])
    assert "model: medquad-29m is there" in done.stdout
    assert "memory: medquad-29m needs" in done.stdout
    assert done.exit_code in (0, 6)


def test_the_card_bears_the_numbers_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDSIDE_UI__EMERGENCY_NUMBER", "112")
    done = CliRunner().invoke(root, ["doctor", "--card"])
    assert done.exit_code == 0
    assert "In an emergency call: **112**" in done.stdout
    assert "Model: medquad-29m, SHA-256 " in done.stdout


def test_the_card_is_printed_also_without_a_model(home: Path) -> None:
    done = CliRunner().invoke(root, ["--model", str(home / "none.gguf"), "doctor", "--card"])
    assert done.exit_code == 0 and "Model: none that can be opened" in done.stdout


def test_a_boards_settings_are_shown_with_their_reasons() -> None:
    done = CliRunner().invoke(root, ["--board", "pi5-4gb", "doctor", "--settings"])
    assert done.exit_code == 0
    assert "decode_threads   2      Decoding waits for memory" in done.stdout


def test_a_library_that_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_SYSTEM_INFO", "raise SystemExit('no libgomp.so.1')")
    with pytest.raises(EngineError, match=r"no libgomp\.so\.1"):
        examination.llama_cpp_features()
    monkeypatch.setattr(
        examination, "_SYSTEM_INFO", "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    )
    with pytest.raises(EngineError, match="signal 4"):
        examination.llama_cpp_features()


def test_the_commands_import_nothing_heavy_before_they_run() -> None:
    heavy = ("numpy", "psutil", "llama_cpp", "textual", "rich.live", "app.monitor", "app.doctor")
    code = (
        "import sys, app.cli.monitor, app.cli.doctor\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
