"""The systemd units of a release: linked into the system, stopped, started, watched.

The system holds links to `current/units/…` and no copies, so that the one step that switches the
release switches its units too. A link is made for a unit `bedside-….service`, for each drop-in
beside one, for each target that wants one, and for nothing else; what others laid in the same
folders is left alone. `systemctl enable` is not asked: it would follow the link and write down the
folder of one release.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.errors import CheckError, EngineError
from app.files import disk_of
from app.releases.host import Host
from app.releases.links import point
from app.sanitise import one_line

_UNIT = re.compile(r"bedside[A-Za-z0-9@_.-]*\.(?:service|target|timer|path|socket|slice)")
_WANTED_BY = re.compile(r"WantedBy\s*=")
_TARGET = re.compile(r"[A-Za-z0-9@_.-]+\.target")
_DROP_INS = re.compile(rf"{_UNIT.pattern}\.d")

START_SECONDS = 300
"""A slow card loads a large model in minutes; the unit's own TimeoutStartSec is shorter."""
SETTLED_SECONDS = 10
"""How long a service must stay up after it said that it is ready, to count as healthy."""


def units_of(release: Path) -> dict[str, Path]:
    """The units of a release and the drop-ins beside them, each with its path in the release.

    The names are those in the system's folder: `bedside-kiosk.service`, and
    `bedside-kiosk.service.d/20-cuda.conf`.
    """
    found = {}
    for path in sorted((release / "units").rglob("*")):
        if _UNIT.fullmatch(path.name) and path.is_file():
            found[path.name] = path.relative_to(release)
        elif _DROP_INS.fullmatch(path.parent.name) and path.suffix == ".conf":
            found[f"{path.parent.name}/{path.name}"] = path.relative_to(release)
    return found


def services_of(release: Path) -> tuple[str, ...]:
    """The services of a release that are to start with the board: those that a target wants."""
    return tuple(name for name in _wanted(release) if name.endswith(".service"))


def shows_console(root: Path) -> bool:
    """Whether text on the console can be seen: a frame buffer is there and the console is on it.

    An Orin's does with some releases of JetPack and not with others.
    """
    consoles = (path.read_text() for path in (root / "sys/class/vtconsole").glob("*/name"))
    buffers = root / "proc/fb"
    there = buffers.is_file() and bool(buffers.read_text().strip())
    return there and any("frame buffer" in name for name in consoles)


def link_units(host: Host, release: Path) -> None:
    """Gives systemd the units of the release that `current` leads to, and takes away all others.

    Raises:
        ResourceError: the disk cannot be written.
    """
    layout = host.layout
    links: dict[Path, str] = {}
    for name, path in units_of(release).items():
        link = layout.units / name
        links[link] = os.path.relpath(layout.current / path, link.parent)
    for name, targets in _wanted(release).items():
        links |= {layout.units / f"{target}.wants" / name: f"../{name}" for target in targets}
    for link in _own_links(host):
        if link not in links:
            with disk_of(link):
                link.unlink()
    for link, target in links.items():
        with disk_of(link):
            link.parent.mkdir(parents=True, exist_ok=True)
        point(link, target)
    if host.has_systemd:
        systemctl(host, "daemon-reload")


def unlink_units(host: Host) -> None:
    """Takes all units of Bedside's away from systemd. Raises ResourceError."""
    links = list(_own_links(host))
    for link in links:
        with disk_of(link):
            link.unlink()
            if link.parent != host.layout.units and not any(link.parent.iterdir()):
                link.parent.rmdir()
    if links and host.has_systemd:
        systemctl(host, "daemon-reload")


def _wanted(release: Path) -> dict[str, list[str]]:
    """The units that start with the board, each with the targets that want it (`WantedBy=`)."""
    found = {}
    for name, path in units_of(release).items():
        lines = (release / path).read_text("utf-8").splitlines()
        targets = [line.partition("=")[2].split() for line in lines if _WANTED_BY.match(line)]
        if _UNIT.fullmatch(name) and targets:
            found[name] = [one for line in targets for one in line if _TARGET.fullmatch(one)]
    return found


def _own_links(host: Host) -> Iterator[Path]:
    """The links to units and drop-ins of Bedside's that are set up, and the wishes for them."""
    layout = host.layout
    beside = (*sorted(layout.units.glob("bedside*.d")), *sorted(layout.units.glob("*.wants")))
    for folder in (layout.units, *beside):
        towards = os.path.relpath(layout.current / "units", folder)
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            target = str(path.readlink()) if path.is_symlink() else ""
            wish = _UNIT.fullmatch(path.name) and target == f"../{path.name}"
            if wish or target.startswith(f"{towards}/"):
                yield path


def stop(host: Host, services: Sequence[str]) -> None:
    """Stops services, those that are there. Raises EngineError where one goes on."""
    if not host.has_systemd:
        return
    for service in services:
        stopped = host.run(["systemctl", "stop", service], seconds=START_SECONDS)
        if not stopped.ok and host.run(["systemctl", "is-active", "--quiet", service]).ok:
            raise EngineError(f"{service} does not stop: {stopped.reason}. Stop it by hand.")


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
