"""`bedside bench` with a real engine and a small random model."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import benching, root
from app.monitor.bench import bandwidth
from app.monitor.bench.bandwidth import Bandwidth
from app.monitor.bench.runner import Runner


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Neither idle power nor the memory is measured for long."""
    hasty = functools.partial(Runner, idle_s=0.1, settle_s=0.0)
    monkeypatch.setattr(benching, "Runner", hasty)
    monkeypatch.setattr(bandwidth, "measure", lambda _cores: Bandwidth(1e9, 1, ((1, 1e9),)))


def test_a_model_is_measured_and_its_run_is_logged(
    quick: None, home: Path, nonsense_model: Path
) -> None:
    out = home / "rows.json"
    options = ["bench", "--model", str(nonsense_model), "--board", "generic", "--threads", "1"]
    options += ["--prompt", "60,80", "--answer", "8", "--repeats", "2", "--cold"]
    options += ["--format", "json", "--output", str(out)]
    done = CliRunner().invoke(root, options, catch_exceptions=False)
    assert done.exit_code == 0
    bench = json.loads(out.read_text())
    assert [row["generated"] for row in bench["rows"]] == [8, 8]
    assert all(row["decode"]["median"] > 0 and row["reached"] > 0 for row in bench["rows"])
    (log,) = (home / "state/bedside/runs").iterdir()
    assert log.read_text().count('"type":"turn"') == 4
    report = CliRunner().invoke(root, ["report", "last", "--no-plots"])
    assert "of what this memory can give" in report.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--format", "xml"], "no format"),
        (["--types", "q2_k"], "no type"),
        (["--prompt", "many"], "no list"),
        (["--answer", "1"], "two or more"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(
    home: Path, options: list[str], sentence: str
) -> None:
    done = CliRunner().invoke(root, ["bench", *options])
    assert done.exit_code == 2
    assert sentence in done.output


def test_more_than_the_model_was_trained_on_is_refused(
    quick: None, home: Path, nonsense_model: Path
) -> None:
    options = ["bench", "--model", str(nonsense_model), "--prompt", "100000", "--no-log"]
    done = CliRunner().invoke(root, options)
    assert done.exit_code == 2 and "trained on" in done.output
