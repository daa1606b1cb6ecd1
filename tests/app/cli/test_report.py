"""`bedside report` over logs in the user's own folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import root
from app.monitor.runlog import encode
from tests.app.monitor.report.runs import HEADER, log, turn


@pytest.fixture
def run(home: Path) -> Path:
    recorded = log(*[2.0] * 5, *[5.8] * 12, *[2.0] * 5, turns=(turn(5.5),))
    path = home / "state/bedside/runs" / f"{HEADER.id}-001.jsonl"
    path.parent.mkdir(parents=True)
    lines = [encode(HEADER), *map(encode, recorded.samples), *map(encode, recorded.turns)]
    path.write_bytes(b"".join(lines))
    return path


def test_sentences_come_first_then_the_table_then_plots(run: Path) -> None:
    done = CliRunner().invoke(root, ["report", "--budget", "6.3W"], catch_exceptions=False)
    assert done.exit_code == 0
    places = [done.stdout.index(word) for word in ("8.0 tokens/s", "J a token  ", "█")]
    assert places == sorted(places)
    assert "inside the 6.3 W budget" in done.stdout


def test_a_budget_that_was_not_held_ends_with_6(run: Path) -> None:
    done = CliRunner().invoke(root, ["report", str(run), "--budget", "5W", "--no-plots"])
    assert done.exit_code == 6
    assert "NOT held" in done.stdout and "at the longest for" in done.stdout


def test_a_page_and_a_spreadsheet_are_written(run: Path, tmp_path: Path) -> None:
    html, csv = tmp_path / "out.html", tmp_path / "out.csv"
    options = ["report", HEADER.id, "last", "--html", str(html), "--csv", str(csv)]
    done = CliRunner().invoke(root, options, catch_exceptions=False)
    assert done.exit_code == 0
    assert "<svg" in html.read_text() and csv.read_text().startswith("run,record,")


def test_no_run_is_a_sentence(home: Path) -> None:
    assert CliRunner().invoke(root, ["report"]).exit_code == 2


def test_a_meters_file_takes_the_place_of_the_power(run: Path, tmp_path: Path) -> None:
    meter = tmp_path / "wall.csv"
    lines = [f"{1767323045 + second},9.0" for second in range(30)]
    meter.write_text("timestamp,power\n" + "\n".join(lines))
    done = CliRunner().invoke(root, ["report", "--meter", str(meter), "--no-plots"])
    assert done.exit_code == 0
    assert "9.00 W mean" in done.stdout and "meter wall.csv" in done.stdout
