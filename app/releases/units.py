"""The systemd units of a release: linked into the system, stopped, started, watched.

The system holds links to `current/units/…` and no copies, so that the one step that switches the
release switches its units too. A link is made for a unit `bedside-….service`, for a folder of
drop-ins beside one, and for nothing else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from app.errors import CheckError, EngineError
from app.files import disk_of
from app.releases.host import Host
from app.releases.links import point
from app.sanitise import one_line

UNIT = re.compile(r"bedside[A-Za-z0-9@_.-]*\.(?:service|target|timer|path|socket|slice)(?:\.d)?")

START_SECONDS = 300
"""A slow card loads a large model in minutes; the unit's own TimeoutStartSec is shorter."""
SETTLED_SECONDS = 10
"""How long a service must stay up after it said that it is ready, to count as healthy."""


def units_of(release: Path) -> dict[str, Path]:
    """The units of a release by name, each with its path inside the release's folder."""
    found = sorted((release / "units").rglob("bedside*"))
    return {
        path.name: path.relative_to(release)
        for path in found
        if UNIT.fullmatch(path.name) and not UNIT.fullmatch(path.parent.name)
    }


def services_of(release: Path) -> tuple[str, ...]:
    """The services of a release that are to start with the board: those that say when."""
    units = units_of(release)
    return tuple(
        name
        for name, path in units.items()
        if name.endswith(".service")
        and "[Install]" in (release / path).read_text("utf-8").splitlines()
    )


def link_units(host: Host, release: Path) -> None:
    """Gives systemd the units of the release that `current` leads to, and takes away all others.

    Raises:
        ResourceError: the disk cannot be written.
    """
    layout = host.layout
    with disk_of(layout.units):
        layout.units.mkdir(parents=True, exist_ok=True)
    wanted = {
        name: os.path.relpath(layout.current / path, layout.units)
        for name, path in units_of(release).items()
    }
    for link in _own_links(host):
        if link.name not in wanted:
            with disk_of(link):
                link.unlink()
    for name, target in wanted.items():
        point(layout.units / name, target)
    if host.has_systemd:
        systemctl(host, "daemon-reload")


def unlink_units(host: Host) -> None:
    """Takes all units of Bedside's away from systemd. Raises ResourceError."""
    links = _own_links(host)
    for link in links:
        with disk_of(link):
            link.unlink()
    if links and host.has_systemd:
        systemctl(host, "daemon-reload")


def _own_links(host: Host) -> list[Path]:
    """The links to units of Bedside's that are set up."""
    layout = host.layout
    towards = os.path.relpath(layout.current / "units", layout.units)
    if not layout.units.is_dir():
        return []
    links = (path for path in sorted(layout.units.iterdir()) if path.is_symlink())
    return [link for link in links if str(link.readlink()).startswith(f"{towards}/")]


def stop(host: Host, services: Sequence[str]) -> None:
    """Stops services. Raises EngineError where systemd cannot."""
    if services and host.has_systemd:
        systemctl(host, "stop", *services, seconds=START_SECONDS)


def start(host: Host, services: Sequence[str]) -> None:
    """Starts services and sees that each stays up.

    Raises:
        CheckError: one does not start, or does not stay.
    """
    if not services or not host.has_systemd:
        return
    for service in services:
        host.run(["systemctl", "reset-failed", service])  # six failures bar a seventh try
        started = host.run(["systemctl", "start", service], seconds=START_SECONDS)
        if not started.ok:
            raise CheckError(
                f"{service} does not start ({started.reason}); `journalctl -u {service}` says more."
            )
    restarts = [_restarts(host, service) for service in services]
    for _ in range(SETTLED_SECONDS):
        host.pause(1)
        for service in services:
            if not host.run(["systemctl", "is-active", "--quiet", service]).ok:
                raise CheckError(f"{service} started and stopped again.")
    if [_restarts(host, service) for service in services] != restarts:
        raise CheckError(f"{one_line(', '.join(services))} had to be started again and again.")


def systemctl(host: Host, *arguments: str, seconds: float = 60) -> None:
    """Tells systemd something. Raises EngineError where it answers with a complaint."""
    outcome = host.run(["systemctl", *arguments], seconds=seconds)
    if not outcome.ok:
        shown = one_line(" ".join(arguments))
        raise EngineError(f"`systemctl {shown}` failed: {outcome.reason}. Try it by hand.")


def _restarts(host: Host, service: str) -> str:
    return host.run(["systemctl", "show", "--value", "--property=NRestarts", service]).output
