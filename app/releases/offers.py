"""Offers to make the board more private, which whoever installs takes or leaves, each by itself.

They are a script of the release, `offers.sh list | apply ID | undo ID`; `list` prints a line for
each: its id, and behind it what it would change.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.errors import ResourceError, UsageError
from app.releases.host import Host
from app.releases.record import Change, change, read_record, write_record
from app.sanitise import one_line

IN_X = "screen"
"""The offer that is no matter of taste: without it, an Orin's screen may stay dark."""

_SECONDS = 300


def offers(host: Host, release: Path) -> dict[str, str]:
    """What may be changed, by id; nothing where the release has no such script.

    Raises:
        ResourceError: the script fails.
    """
    script = _script(release)
    if script is None:
        return {}
    lines = _said(host, script, "list").splitlines()
    pairs = (line.partition("\t") if "\t" in line else line.partition(" ") for line in lines)
    return {key.rstrip(":"): one_line(text.strip()) for key, _, text in pairs if key.strip()}


def take_offers(host: Host, release: Path, wanted: Callable[[str, str], bool]) -> None:
    """Makes the changes that are wanted. One that fails is told and does not hinder the others.

    Args:
        host: the machine.
        release: whose script.
        wanted: is asked for each, with its id and its sentence.

    Raises:
        ResourceError: the offers cannot be listed, or the record cannot be written.
    """
    for name, sentence in offers(host, release).items():
        taken = Change("offer", name) in read_record(host.layout).changes
        if taken or not wanted(name, sentence):
            continue
        change(host, "offer", name, sentence)
        try:
            _said(host, _script(release), "apply", name)
        except ResourceError as failed:
            record = read_record(host.layout)
            write_record(host.layout, record.without(Change("offer", name)))
            host.tell(f"Not changed: {failed}")


def applied_offers(host: Host) -> list[str]:
    """What was changed, also by hand: the script keeps what it replaced, in a folder for each."""
    folder = host.layout.settings / "offers"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def undo_offer(host: Host, name: str) -> None:
    """Takes a change back, with the script of whatever release is there.

    Nothing is done where it was taken back by hand, or had nothing to change.

    Raises:
        UsageError: the script is gone.
        ResourceError: it fails.
    """
    if name not in applied_offers(host):
        return
    layout = host.layout
    releases = sorted(layout.releases.iterdir()) if layout.releases.is_dir() else []
    scripts = (_script(release) for release in (layout.current, *releases))
    _said(host, next((script for script in scripts if script), None), "undo", name)


def _script(release: Path) -> Path | None:
    return next(iter(sorted((release / "units").rglob("offers.sh"))), None)


def _said(host: Host, script: Path | None, *arguments: str) -> str:
    """What the script says. It is told which system is meant, where that is not this one."""
    shown = one_line(" ".join(arguments))
    if script is None:
        raise UsageError(f"The script of the offers is gone, so `{shown}` cannot be done.")
    where = {} if host.layout.real else {"BEDSIDE_ROOT": str(host.layout.root)}
    outcome = host.run(["sh", str(script), *arguments], environment=where, seconds=_SECONDS)
    if not outcome.ok:
        raise ResourceError(f"The offer `{shown}` failed: {outcome.reason}. Try it by hand.")
    return outcome.output
