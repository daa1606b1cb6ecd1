"""A terminal that has gone ends the program, also where the orderly end stands still."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.shared import ROOT

STUCK = """
import asyncio, os, signal, sys
from app.ui import endings
endings.GRACE_S = float(sys.argv[1])
calls = []
async def main():
    with endings.ending_from_outside(calls.append):
        os.kill(os.getpid(), getattr(signal, sys.argv[2]))
        await asyncio.sleep(1.5)
    print(calls)
asyncio.run(main())
"""


def stuck(grace_s: float, name: str) -> subprocess.CompletedProcess[str]:
    """A program whose orderly end takes longer than its patience, told to end."""
    command = [sys.executable, "-c", STUCK, str(grace_s), name]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_an_end_that_stands_still_is_cut_short() -> None:
    ended = stuck(0.2, "SIGHUP")
    assert (ended.returncode, ended.stdout) == (128 + signal.SIGHUP, "")


def test_a_signal_that_leaves_the_terminal_waits_for_the_orderly_end() -> None:
    assert stuck(0.2, "SIGTERM").stdout == f"[{128 + signal.SIGTERM}]\n"


HUNG_UP = """
import asyncio, os, pty, sys
from app.ui.endings import ending_from_outside
master, slave = pty.openpty()
os.dup2(slave, 0)
os.close(slave)
calls = []
async def main():
    with ending_from_outside(calls.append):
        os.close(master)
        await asyncio.sleep(0.3)
    print(calls)
asyncio.run(main())
"""


def test_a_terminal_that_is_gone_is_told_once() -> None:
    command = [sys.executable, "-c", HUNG_UP]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == f"[{128 + signal.SIGHUP}]\n"
