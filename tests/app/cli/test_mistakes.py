"""What is mistyped on a command line is a sentence and its exit code, and never a defect."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import root

LONG = "x" * 300
MISTAKES = [
    (["models", "add", f"{LONG}.gguf"], 3, "File name too long"),
    (["ask", "Why?", "--model", LONG], 2, "There is no model or file"),
    (["ask", "Why?", "--model", "~nosuch/x.gguf"], 3, "~nosuch is no user here"),
    (["knowledge", "add", f"{LONG}.txt"], 3, "does not exist"),
    (["knowledge", "remove", LONG], 2, "is not in the reference"),
    (["report", LONG], 2, "There is no run"),
    (["safety", "check", LONG], 3, "File name too long"),
    (["--config", LONG, "models", "list"], 3, "File name too long"),
]


@pytest.mark.parametrize(("arguments", "code", "sentence"), MISTAKES, ids=lambda one: str(one)[:40])
def test_a_mistake_is_told(home: Path, arguments: list[str], code: int, sentence: str) -> None:
    done = CliRunner().invoke(root, arguments)
    assert (done.exit_code, "defect" in done.stderr) == (code, False), done.stderr
    assert sentence in done.stderr


def test_a_folder_of_models_under_nobodys_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDSIDE_MODELS_FOLDER", "~nosuch/models")
    done = CliRunner().invoke(root, ["models", "list"])
    assert done.exit_code == 3 and "~nosuch is no user here" in done.stderr
