from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import root
from tests.shared import ROOT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without anything."""
    for kind in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    return tmp_path


def bedside(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["knowledge", *arguments])


def test_search_shows_the_source_and_that_nobody_reviewed_it(home: Path) -> None:
    shown = bedside("search", "it burns when I pee", "--limit", "1")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("[1] Urinary infection")
    assert "Bedside card after MedlinePlus" in shown.stdout
    assert "No clinician has reviewed this card." in shown.stdout
    assert "[2]" not in shown.stdout


def test_no_passage_is_said(home: Path) -> None:
    shown = bedside("search", "the offside rule of football")
    assert (shown.exit_code, shown.stdout) == (
        0,
        "No passage in the reference fits this question well enough.\n",
    )


def test_add_list_search_remove(home: Path) -> None:
    document = home / "ward.md"
    document.write_text("# Tennis elbow\n\n## Treatment\n\nUse a brace.\n")
    added = bedside("add", str(document), "--source", "Ward 3", "--date", "2025-05-01")
    assert added.stdout == ("Added “tennis-elbow”: Tennis elbow, 1 passage, licence not stated.\n")
    listed = bedside("list").stdout
    assert "Bedside's reference cards" in listed
    assert "from Ward 3; licence not stated" in listed
    found = bedside("search", "How is tennis elbow treated?").stdout
    assert "[1] Tennis elbow - Treatment\n    Ward 3; 2025-05-01; not stated" in found
    assert bedside("remove", "tennis-elbow").stdout == "Removed “tennis-elbow”.\n"
    assert "tennis" not in bedside("list").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("add", "missing.md"), 3, "does not exist"),
        (("remove", "nothing"), 2, "is not in the reference"),
        (("remove", "bedside-cards"), 2, "belongs to Bedside"),
    ],
)
def test_mistakes(home: Path, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    result = bedside(*arguments)
    assert result.exit_code == code
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_damaged_index_is_told_on_stderr(home: Path) -> None:
    bedside("list")
    (home / "data" / "bedside" / "reference.db").write_bytes(b"rot" * 1000)
    shown = bedside("list")
    assert shown.exit_code == 0
    assert "built again" in shown.stderr
    assert "Bedside's reference cards" in shown.stdout


def test_the_help_of_the_group_imports_nothing_heavy() -> None:
    heavy = ("sqlite3", "numpy", "textual", "pypdf", "app.knowledge.reference")
    code = (
        "import sys; from typer.testing import CliRunner; from app.cli import root;"
        "shown = CliRunner().invoke(root, ['knowledge', '--help']); assert shown.exit_code == 0;"
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
