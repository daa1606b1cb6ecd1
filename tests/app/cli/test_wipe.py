"""The kiosk's process is replaced by the same command."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from app.cli.wipe import begin_anew
from app.errors import ResourceError


def test_the_same_command_takes_the_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["python3", "-X", "utf8", "-m", "app", "--kiosk", "--config", "a b.toml"]
    monkeypatch.setattr(sys, "orig_argv", given)
    calls: list[tuple[str, list[str]]] = []
    begin_anew(lambda path, arguments: calls.append((path, arguments)))
    assert calls == [(sys.executable, [sys.executable, *given[1:]])]
    assert capsys.readouterr().out.endswith("\x1b[3J"), "what can be scrolled back to is cleared"


def test_a_program_that_is_gone_is_said() -> None:
    def gone(path: str, arguments: list[str]) -> None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    with pytest.raises(ResourceError, match=r"cannot begin anew \(No such file"):
        begin_anew(gone)


def test_it_is_the_same_process_with_another_memory() -> None:
    """Really run: the second life has the number and the arguments of the first, not its words."""
    program = (
        "import os, sys\n"
        "from app.cli.wipe import begin_anew\n"
        "print(os.getpid(), *sys.argv[1:], 'LIFE' in globals(), flush=True)\n"
        "if not os.environ.get('SECOND'):\n"
        "    LIFE = 'words'\n"
        "    os.environ['SECOND'] = '1'\n"
        "    begin_anew()\n"
    )
    command = [sys.executable, "-c", program, "--kiosk"]
    environ = {name: value for name, value in os.environ.items() if name != "SECOND"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environ)
    first, second = done.stdout.replace("\x1b[H\x1b[2J\x1b[3J", "").splitlines()
    assert first == second
    assert first.endswith("--kiosk False")
