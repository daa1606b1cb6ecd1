"""`bedside --help` answers at once, whatever the commands need later."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"textual", "numpy", "llama_cpp", "psutil", "jinja2", "asyncio"}
WATCH = (
    "import sys; from app.cli import main\n"
    "sys.argv = ['bedside', *sys.argv[1:]]\n"
    "try:\n    main()\n"
    "finally:\n    print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)\n"
)


def _run(*arguments: str) -> tuple[str, set[str]]:
    """What it says, and the packages it has imported."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *arguments], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, set(done.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["ask", "--help"]])
def test_it_imports_nothing_heavy(arguments: list[str]) -> None:
    said, imported = _run(*arguments)
    assert "bedside" in said
    assert "typer" in imported, "the list of packages is real"
    assert not HEAVY & imported


def test_it_names_the_commands() -> None:
    said, _ = _run("--help")
    for command in ("chat", "ask", "models", "doctor", "monitor"):
        assert f"  {command} " in said
    assert "information, not a diagnosis" in " ".join(said.split())
