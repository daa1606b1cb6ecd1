"""`bedside safety check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import root
from app.safety.table import COLUMNS


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.tsv"
    rows = [
        COLUMNS,
        ("call", "patient", "patient", "I can't breathe", ""),
        ("call", "patient", "patient", "he is a bit off", "known_miss"),
        ("crisis", "patient", "patient", "I want to die", ""),
        ("none", "patient", "patient", "my knee itches", ""),
    ]
    path.write_text("\n".join("\t".join(row) for row in rows), encoding="utf-8")
    return path


def test_the_figures_and_each_miss_are_printed(table: Path) -> None:
    done = CliRunner().invoke(root, ["safety", "check", str(table)])
    assert done.exit_code == 0
    assert "emergencies (call and crisis): recall 66.7%" in done.stdout
    assert "false “call now”: 0 of 1 that need nothing" in done.stdout
    assert "missed (known), line 3: call taken for none: he is a bit off" in done.stdout


def test_programs_get_json(table: Path) -> None:
    done = CliRunner().invoke(root, ["safety", "check", str(table), "--json"])
    figures = json.loads(done.stdout)
    assert figures["recall"] == {"call": 0.5, "crisis": 1.0, "today": None}
    assert figures["confusion"]["call"]["none"] == 1 and figures["false_alarms"] == []
    assert figures["missed"][0]["known_miss"] is True


@pytest.mark.parametrize(("required", "code"), [("0.6", 0), ("0.7", 6)])
def test_a_recall_can_be_required(table: Path, required: str, code: int) -> None:
    done = CliRunner().invoke(root, ["safety", "check", str(table), "--require-recall", required])
    assert done.exit_code == code
    assert ("66.7%" in done.stderr) is (code == 6)


def test_what_is_no_table_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello", encoding="utf-8")
    done = CliRunner().invoke(root, ["safety", "check", str(path)])
    assert done.exit_code == 3 and "is no table of sentences" in done.stderr
