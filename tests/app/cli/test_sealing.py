"""The walls stand, and stand once, also where the program begins anew in its own process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.engine.seccomp import socket_filter

_PROGRAM = """
import os, socket, sys
import app.cli.sealing
print(app.cli.sealing.seal())
try:
    socket.socket(socket.AF_INET)
    print("open")
except PermissionError:
    print("refused")
if len(sys.argv) == 1:
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, sys.argv[0], "again"])
"""


@pytest.mark.skipif(socket_filter() is None, reason="no filter is known for this machine")
def test_beginning_anew_keeps_the_walls_and_adds_none(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    program = tmp_path_factory.mktemp("program") / "program.py"
    program.write_text(_PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=30, check=True
    )
    first, open_first, second, open_second = done.stdout.split("\n")[:-1]
    assert "filter" in first
    assert "before this one" in second
    assert (open_first, open_second) == ("refused", "refused")
