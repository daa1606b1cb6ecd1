"""What a board needs to run for months: limits that hold, no heat, a clock, a log without words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone

from app.doctor.check import Check, attention, not_checked, ok
from app.doctor.offers import offer

HOT_C = 80.0
"""Both boards lower their clock from about here on."""
_KEPT = re.compile(r"^\s*Storage\s*=\s*(\w+)\s*$", re.MULTILINE)


def memory_groups(controllers: str | None) -> Check:
    """Whether the kernel limits the memory of a service.

    Args:
        controllers: the text of /sys/fs/cgroup/cgroup.controllers; None where there is none.
    """
    if controllers is None:
        return not_checked("memory limit", "This system has no control groups of version 2.")
    if "memory" in controllers.split():
        return ok("memory limit", "The kernel counts memory for each service.")
    return attention(
        "memory limit",
        "The kernel does not count memory for each service, so the kiosk's limit does not hold.",
        f"{offer('boot-line')}.",
    )


def temperature(millidegrees: Sequence[int]) -> Check:
    """Whether the board is too hot now.

    Args:
        millidegrees: of every thermal zone that could be read.
    """
    if not millidegrees:
        return not_checked("temperature", "No temperature could be read.")
    hottest = max(millidegrees) / 1000
    if hottest >= HOT_C:
        return attention(
            "temperature",
            f"The board is at {hottest:.0f} °C and slows down.",
            "Give it a fan or a heat sink, and air around its case.",
        )
    return ok("temperature", f"The board is at {hottest:.0f} °C.")


def clock(now: float, built: int | None) -> Check:
    """Whether the clock is behind the day that this release was built on; nothing depends on it.

    Args:
        now: seconds since 1970.
        built: of the release's manifest; None where this is no installed release.
    """
    if built is None:
        return not_checked("clock", "This is no installed release, so its date is not known.")
    if now < built:
        return attention(
            "clock",
            f"The clock says {_day(now)}, and this release is of {_day(built)}.",
            "Set it with `sudo timedatectl set-time`; run logs bear its dates.",
        )
    return ok("clock", f"The clock says {_day(now)}.")


def system_log(
    on_disk: bool, in_memory: bool, settings: Sequence[str], other: Sequence[str]
) -> Check:
    """Whether what programs say is kept on the disk.

    Args:
        on_disk: whether journald has a folder for it there (/var/log/journal).
        in_memory: whether it has one in memory (/run/log/journal).
        settings: texts of journald's settings, in the order in which they are read.
        other: further logs that were found, as /var/log/syslog.
    """
    chosen = [kind for text in settings for kind in _KEPT.findall(text)]
    kept = chosen[-1] if chosen else "auto"
    if (kept == "persistent" or (kept == "auto" and on_disk)) or other:
        where = ", ".join([*(["/var/log/journal"] if on_disk else []), *other])
        return attention(
            "system log",
            f"The system's log is kept on the disk ({where or 'by its settings'}). Bedside writes "
            "no word of a conversation into it; other programs say what they please.",
            f"{offer('logs')}.",
        )
    if not (on_disk or in_memory):
        return not_checked("system log", "No log of the system was found.")
    return ok("system log", "The system's log is in memory alone.")


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).date().isoformat()
