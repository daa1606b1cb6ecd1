"""`bedside-convert results` as its user meets it."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from converter.cli import app
from converter.evaluate.record import read_record, record
from tests.converter.evaluate.evaluations import MIXED, evaluation

FIRST = evaluation(MIXED)
SECOND = evaluation(MIXED, model="second.gguf", sha256="b" * 64)


def test_saved_evaluations_become_one_page_and_are_paired(tmp_path: Path) -> None:
    paths = [tmp_path / "first.json", tmp_path / "second.json"]
    for path, one in zip(paths, (FIRST, SECOND), strict=True):
        path.write_text(record([one]))
    result = CliRunner().invoke(
        app, ["results", *map(str, paths), "-o", str(tmp_path / "all")], catch_exceptions=False
    )
    assert result.exit_code == 0
    assert "second.gguf alone in 0 (McNemar's exact test, p = 1)" in result.stdout
    assert read_record(tmp_path / "all.json") == (FIRST, SECOND)
    assert "## One against another" in (tmp_path / "all.md").read_text()


def test_a_foreign_file_ends_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "foreign.json"
    path.write_text("{}")
    result = CliRunner().invoke(app, ["results", str(path)])
    assert result.exit_code == 3
    assert "foreign.json is no evaluation" in result.stderr
