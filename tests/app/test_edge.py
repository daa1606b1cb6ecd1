"""What the system refuses is one sentence and an exit code, wherever it comes up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app.edge import EdgeGroup

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def program(error: Exception) -> typer.Typer:
    """A program whose one command raises this."""
    root = typer.Typer(cls=EdgeGroup)

    @root.callback()
    def options(debug: bool = False) -> None:
        """Only the option that shows traces."""

    @root.command()
    def go() -> None:
        raise error

    return root


def test_what_the_system_refuses_names_the_file_and_is_no_defect() -> None:
    error = PermissionError(13, "Permission denied", "/etc/\x1b[2Jshadow")
    done = CliRunner().invoke(program(error), ["go"])
    assert done.exit_code == 4
    assert done.stderr.startswith("/etc/shadow could not be read or written (Permission denied)")


@pytest.mark.parametrize("error", [TimeoutError(), OSError("no number"), KeyError("x")])
def test_what_is_no_refusal_is_a_defect(error: Exception) -> None:
    done = CliRunner().invoke(program(error), ["go"])
    assert done.exit_code == 1
    assert f"defect of Bedside ({type(error).__name__})" in done.stderr


def test_the_trace_of_a_refusal_is_shown_when_asked_for() -> None:
    done = CliRunner().invoke(program(OSError(5, "Input/output error")), ["--debug", "go"])
    assert done.exit_code == 4 and "Traceback" in done.stderr


def test_a_reader_who_has_gone_is_no_matter() -> None:
    done = CliRunner().invoke(program(BrokenPipeError(32, "Broken pipe")), ["go"])
    assert (done.exit_code, done.stderr) == (1, "")


@needs_full
@pytest.mark.parametrize("mode", ["-u", "-E"], ids=["at once", "at the end"])
@pytest.mark.parametrize("arguments", [["--version"], ["models", "list"]], ids=" ".join)
def test_a_full_disk_under_the_output(mode: str, arguments: list[str]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, mode, "-m", "app", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
        )
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1 and "(No space left on device)" in done.stderr


@needs_full
def test_a_full_disk_under_the_complaint_leaves_the_exit_code() -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "app", "safety", "check", "/none"], stderr=full, timeout=30
        )
    assert done.returncode == 3


def test_a_closed_output_is_no_matter() -> None:
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "app", "models", "list"]
    done = subprocess.run(closed, capture_output=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, b"")
