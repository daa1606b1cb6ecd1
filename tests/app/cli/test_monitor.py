"""`bedside monitor` on this machine, whatever it can read."""

from __future__ import annotations

from typer.testing import CliRunner

from app.cli import root
from app.monitor.power import KINDS


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
