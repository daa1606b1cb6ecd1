"""Whether the kernel ended the engine for want of memory: from fixtures, and in the process."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.engine.isolation import DIES_FIRST
from app.engine.memorykills import memory_kills
from app.engine.process import Died

EVENTS = "sys/fs/cgroup/system.slice/bedside-kiosk.service/memory.events"


def _tree(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "kills"),
    [
        (
            {
                "proc/self/cgroup": "0::/system.slice/bedside-kiosk.service\n",
                EVENTS: "low 0\nhigh 7\nmax 31\noom 4\noom_kill 3\noom_group_kill 0\n",
                "proc/vmstat": "pgfault 12\noom_kill 90\n",
            },
            3,
        ),
        (
            {  # the Pi's firmware has switched the memory groups off
                "proc/self/cgroup": "0::/system.slice/bedside-kiosk.service\n",
                "proc/vmstat": "pgfault 12\noom_kill 90\n",
            },
            90,
        ),
        ({"proc/self/cgroup": "4:memory:/x\n0::/\n", "proc/vmstat": "oom_kill 0\n"}, 0),
        ({"proc/self/cgroup": "0::/../..\n", "proc/vmstat": "noom_kill 5\n"}, None),
        ({}, None),
    ],
)
def test_the_group_is_asked_first(tmp_path: Path, files: dict[str, str], kills: int | None) -> None:
    assert memory_kills(_tree(tmp_path, files)) == kills


@pytest.mark.skipif(not Path("/proc/vmstat").exists(), reason="no Linux")
def test_this_machine_tells() -> None:
    kills = memory_kills()
    assert kills is None or kills >= 0


@pytest.mark.parametrize(
    ("returncode", "starved", "words"),
    [
        (-signal.SIGKILL, True, "Memory ran out, and the system ended the engine"),
        (-signal.SIGKILL, False, "killed from outside, most likely because memory ran out"),
        (-signal.SIGSEGV, True, "crashed inside llama.cpp (SIGSEGV)"),
        (1, True, "exit code 1"),
    ],
)
def test_a_death_is_told_in_words(returncode: int, starved: bool, words: str) -> None:
    assert words in str(Died(returncode, starved))


_PROGRAM = """
import os
from app.engine.isolation import die_before_the_screen, give_up_privileges
die_before_the_screen()
give_up_privileges()
print(open("/proc/self/oom_score_adj").read())
"""


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="no Linux")
def test_the_engine_offers_itself_first() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, timeout=30
    )
    assert int(done.stdout) == DIES_FIRST
