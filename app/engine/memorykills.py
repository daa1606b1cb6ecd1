"""How often the kernel has ended a process because memory ran out."""

from __future__ import annotations

import re
from pathlib import Path

_GROUP = re.compile(r"^0::(/.+)$", re.MULTILINE)
_KILLS = re.compile(r"^oom_kill (\d{1,18})$", re.MULTILINE)


def memory_kills(root: Path = Path("/")) -> int | None:
    """How many since this process's group was made, else since the machine was started.

    Two readings tell whether a SIGKILL in between was the kernel's. The group's own count says it
    for sure; the machine's, for where groups have none (a Raspberry Pi without
    `cgroup_enable=memory`), may count a neighbour that died in the same moment.

    Args:
        root: stands in for `/` in tests.

    Returns:
        None where the kernel does not tell.
    """
    group = _GROUP.search(_text(root / "proc/self/cgroup"))
    events = _text(root / f"sys/fs/cgroup{group[1]}/memory.events") if group else ""
    counted = _KILLS.search(events) or _KILLS.search(_text(root / "proc/vmstat"))
    return int(counted[1]) if counted else None


def _text(path: Path) -> str:
    """A small file's text, empty where it is not there or not readable."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
