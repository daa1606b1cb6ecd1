"""Lets the board run another release; where that one is not well, the one before runs again.

An update never touches the state: version N reads what N-1 wrote, and where the form of a file
changes, N writes a new file beside the old one. So going back meets nothing it cannot read.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import BedsideError, CheckError, UsageError
from app.releases.host import Host
from app.releases.links import check_links, point_at
from app.releases.record import Change, change, read_record, write_record
from app.releases.smoke import smoke_answer
from app.releases.units import link_units, services_of, start, stop, systemctl

_DESKTOP = "graphical.target"


@dataclass(frozen=True, slots=True)
class Before:
    """What ran before a switch."""

    current: str | None
    previous: str | None


def switch(host: Host, version: str) -> None:
    """Asks a release a question, lets `current` lead to it, starts it, and sees that it is well.

    The service is stopped first: a small board has no memory for two models.

    Raises:
        BedsideError: the release is not well. What ran before runs again, and the sentence says
            whether it does so well.
    """
    layout = host.layout
    before = Before(layout.pointed(layout.current), layout.pointed(layout.previous))
    release = layout.release(version)
    stop(host, read_record(layout).names("enabled"))
    try:
        walled_by = next(iter(services_of(release)), None)
        smoke_answer(host, release, walled_by)
        _lead(host, version, before)
        _run(host, version)
    except (BedsideError, OSError, KeyboardInterrupt) as failed:
        said = str(failed) or "It was interrupted."
        _put_back(host, version, before, said)
        if before.current is None:
            raise
        raise CheckError(
            f"Bedside {version} is not well: {said} Bedside {before.current} runs again."
        ) from failed


def rollback(host: Host) -> str:
    """Lets the release before this one run again, after the same questions as an update.

    Returns:
        Its version.

    Raises:
        UsageError: there is none.
        BedsideError: it is not well; what ran before runs again.
    """
    layout = host.layout
    version = layout.pointed(layout.previous)
    if version is None or version == layout.pointed(layout.current):
        raise UsageError("There is no release before this one to go back to.")
    check_links(layout)
    switch(host, version)
    return version


def _lead(host: Host, version: str, before: Before) -> None:
    """Changes both links. Whatever happens between, both lead to whole releases, and no release
    that may still be wanted is left without a link: the next sweep would take it."""
    steps = [(host.layout.previous, before.current), (host.layout.current, version)]
    if version == before.previous:
        steps.reverse()
    for link, target in steps:
        point_at(link, target)


def _run(host: Host, version: str) -> None:
    """Sets up the units of the release that `current` leads to, starts it and sees that it is well.

    Raises:
        BedsideError: it is not.
    """
    release = host.layout.release(version)
    services = services_of(release) if host.systemd else ()
    if host.systemd:
        _note_services(host, services)
        link_units(host, release)
    if services and host.has_systemd:
        host.tell(f"Starting {', '.join(services)}.")
        start(host, services)
    else:
        smoke_answer(host, host.layout.current, None)


def _note_services(host: Host, services: tuple[str, ...]) -> None:
    """Records which services start with the board now, and that it starts into no desktop."""
    record = read_record(host.layout)
    for service in record.names("enabled"):
        if service not in services:
            record = record.without(Change("enabled", service))
            write_record(host.layout, record)
    for service in services:
        change(host, "enabled", service, f"{service} starts with the board.")
    if not (services and host.has_systemd):
        return
    if host.run(["systemctl", "get-default"]).output.strip() == _DESKTOP:
        change(host, "target", _DESKTOP, "the board starts without a desktop, into the kiosk.")
        systemctl(host, "set-default", "multi-user.target")


def _put_back(host: Host, version: str, before: Before, said: str) -> None:
    """Lets run again what ran before.

    Raises:
        CheckError: that is not well either.
    """
    try:
        point_at(host.layout.current, before.current)
        point_at(host.layout.previous, before.previous)
        if before.current is not None:
            _run(host, before.current)
    except BedsideError as second:
        raise CheckError(
            f"Bedside {version} is not well: {said} What ran before was put back and is not well "
            f"either: {second}"
        ) from second
