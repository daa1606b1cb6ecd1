"""`bedside monitor` on this machine, whatever it can read."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from app.cli import root
from app.monitor.power import KINDS
from app.monitor.runlog import encode
from tests.app.monitor.report.runs import HEADER, log


def test_plain_lines_end_after_the_count() -> None:
    done = CliRunner().invoke(
        root, ["monitor", "--plain", "--count", "2", "--interval", "0.1"], catch_exceptions=False
    )
    assert done.exit_code == 0
    readings = [line for line in done.stdout.splitlines() if " s  power " in line]
    assert len(readings) == 2


def test_without_a_terminal_it_is_plain_by_itself() -> None:
    done = CliRunner().invoke(root, ["monitor", "--count", "1"])
    assert done.exit_code == 0
    assert "power" in done.stdout and "\x1b" not in done.stdout


def test_every_source_is_listed() -> None:
    done = CliRunner().invoke(root, ["monitor", "--sources"])
    assert done.exit_code == 0
    assert all(kind.title in done.stdout and kind.coverage in done.stdout for kind in KINDS)


def test_an_interval_of_nothing_is_refused() -> None:
    assert CliRunner().invoke(root, ["monitor", "--interval", "0"]).exit_code == 2


def test_a_recorded_run_is_played_to_its_end(tmp_path: Path) -> None:
    recorded = log(*[3.5] * 4)
    path = tmp_path / "a-run.jsonl"
    path.write_bytes(b"".join([encode(HEADER), *map(encode, recorded.samples)]))
    options = ["monitor", "--replay", str(path), "--plain", "--interval", "0.1", "--speed", "10"]
    done = CliRunner().invoke(root, options, catch_exceptions=False)
    assert done.exit_code == 0
    lines = [line for line in done.stdout.splitlines() if "power 3.50 W" in line]
    assert len(lines) == 4
    assert "The power covers the board behind its power chip." in done.stdout


def test_prometheus_wants_an_address() -> None:
    assert CliRunner().invoke(root, ["monitor", "--prometheus", "nowhere"]).exit_code == 2
