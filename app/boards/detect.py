"""Finds out which board this is, from the device tree and /proc alone.

Every path is under a root folder, so a folder tree of a board's files stands in for the board.
The CPU's own name is not used: under emulation /proc/cpuinfo shows the host's.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

BoardId = Literal["pi5-4gb", "pi5-8gb", "orin-nano-8gb", "generic"]

_PI5 = re.compile(r"Raspberry Pi (5|500\+?|Compute Module 5)\b")
_ORIN_NANO = re.compile(r"Orin Nano\b")
_TOTAL = re.compile(r"^MemTotal:\s+(\d{1,15}) kB$", re.MULTILINE)
_RELEASE = re.compile(r"^# R(\d{1,3}) \(release\), REVISION: ([\d.]{1,12})", re.MULTILINE)

_SMALL_PI_BYTES = 5 * 2**30
"""A Pi 5 below this is a 4 GB one (or the 2 GB one, which gets the same profile)."""


@dataclass(frozen=True, slots=True)
class Board:
    """What is known of the machine; None where it does not say."""

    id: BoardId
    name: str
    """The device tree's model, or the machine's architecture where there is none."""
    memory_bytes: int | None
    """Memory that Linux manages: a little less than what is soldered on."""
    jetson_release: str | None = None
    """The Jetson Linux release, as `36.4.3`."""


def detect(root: Path = Path("/")) -> Board:
    """The board whose files lie under `root`. Never raises: an unknown machine is `generic`."""
    model = _model(root)
    memory = parse_total_memory(_text(root / "proc/meminfo"))
    return Board(
        id=_identify(model, memory),
        name=model or f"{platform.system()} on {platform.machine()}",
        memory_bytes=memory,
        jetson_release=parse_jetson_release(_text(root / "etc/nv_tegra_release")),
    )


def cores() -> int:
    """CPU cores that this process may use: fewer than the machine has inside a container."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parse_total_memory(meminfo: str) -> int | None:
    """Bytes of memory in the text of /proc/meminfo; None where the line is missing or zero."""
    found = _TOTAL.search(meminfo)
    return int(found.group(1)) * 1024 or None if found else None


def parse_jetson_release(text: str) -> str | None:
    """`36.4.3` from the first line of /etc/nv_tegra_release (which starts with `#`)."""
    found = _RELEASE.search(text)
    return f"{found.group(1)}.{found.group(2)}" if found else None


def _identify(model: str, memory: int | None) -> BoardId:
    if _PI5.search(model):
        return "pi5-4gb" if memory is None or memory < _SMALL_PI_BYTES else "pi5-8gb"
    if _ORIN_NANO.search(model):
        return "orin-nano-8gb"
    return "generic"


def _model(root: Path) -> str:
    """The device tree's model, which ends in a NUL byte; empty on a PC."""
    return _text(root / "proc/device-tree/model").rstrip("\0\n ")


def _text(path: Path) -> str:
    """A small file's text, empty where it is not there or not readable."""
    try:
        return path.read_bytes()[:65536].decode("utf-8", "replace")
    except OSError:
        return ""
