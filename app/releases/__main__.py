"""`python -m app.releases`: what install.sh hands over to, and what still works of a sick release.

`/opt/bedside/previous/venv/bin/python -I -m app.releases rollback` needs nothing of `current`.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from app.errors import INTERRUPTED, BedsideError, UsageError
from app.releases.host import Host
from app.releases.install import Wishes, install
from app.releases.interruption import interruptible
from app.releases.layout import Layout
from app.releases.links import sweep
from app.releases.lock import locked
from app.releases.manifest import BOARDS
from app.releases.offers import IN_X, take_offers
from app.releases.record import read_record, write_record
from app.releases.switching import rollback
from app.releases.uninstall import uninstall
from app.sanitise import clean


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what it is told, and says in a sentence why where it does not."""
    try:
        perform(arguments)
    except BedsideError as error:
        print(clean(str(error)), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def perform(arguments: Sequence[str] | None) -> None:
    """Does what it is told. Raises BedsideError where it does not."""
    said = _parser().parse_args(arguments)
    os.umask(0o022)  # the service reads what root installs
    with interruptible():
        _do(said)


def host_of(layout: Layout, *, systemd: bool | None = None) -> Host:
    """This machine, for whoever may change it.

    Args:
        layout: where.
        systemd: whether units may be set up; None keeps to what the first installation was told.

    Raises:
        UsageError: for anyone but root.
    """
    if layout.real and os.geteuid() != 0:
        raise UsageError("This changes the system, which is root's to do. Put sudo in front of it.")
    chosen = read_record(layout).systemd if systemd is None else systemd
    return Host(layout, tell=_tell, systemd=chosen)


def _do(said: argparse.Namespace) -> None:
    layout = Layout(said.prefix)
    host = host_of(layout, systemd=False if said.no_systemd else None)
    with locked(layout):
        if said.act == "install":
            version = _install_first(host, said)
            host.tell(f"Bedside {version} is installed.")
            take_offers(host, layout.current, _wanted(said))
        elif said.act == "update":
            version = install(host, said.path, Wishes(said.allow_downgrade))
            host.tell(f"Bedside {version} runs now.")
        elif said.act == "rollback":
            host.tell(f"Bedside {rollback(host)} runs again.")
        elif said.act == "uninstall":
            uninstall(host, said.keep_data)
        else:
            sweep(layout)


def _wanted(said: argparse.Namespace) -> Callable[[str, str], bool]:
    """Which offers are taken: those that were named, or those that a person says yes to."""
    if said.offers is not None:
        named = said.offers.split(",")
        return lambda name, _sentence: name in named or named == ["all"]
    if said.no_systemd or not sys.stdin.isatty():
        return lambda _name, _sentence: False
    return lambda name, sentence: name != IN_X and _yes(f"{name}: {sentence}")


def _yes(question: str) -> bool:
    print(f"{clean(question)}\nChange this? (y/N) ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _tell(sentence: str) -> None:
    """Says what is done. A terminal that went away must not end it between two releases."""
    try:
        print(clean(sentence), flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _install_first(host: Host, said: argparse.Namespace) -> str:
    """Installs, and keeps how it was told to go about it, for the updates."""
    record = read_record(host.layout)
    kept = dataclasses.replace(
        record, systemd=not said.no_systemd, board=said.board or record.board
    )
    if kept != record:
        write_record(host.layout, kept)
    return install(host, said.path, Wishes(said.allow_downgrade, said.signers))


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--prefix", type=Path, default=Path("/"), help="a folder in place of /")
    shared.add_argument("--no-systemd", action="store_true", help="set up no service")
    parser = argparse.ArgumentParser(prog="python -m app.releases", description="Releases.")
    acts = parser.add_subparsers(dest="act", required=True)
    first = acts.add_parser("install", parents=[shared], help="install a bundle, and pin its key")
    first.add_argument("path", type=Path)
    first.add_argument("--signers", type=Path, help="the key to trust where none is pinned")
    first.add_argument("--board", choices=BOARDS, help="what the board is; else found out")
    first.add_argument("--offers", help="of the board's privacy: all, none, or ids with commas")
    first.add_argument("--allow-downgrade", action="store_true")
    later = acts.add_parser("update", parents=[shared], help="install a bundle from a stick")
    later.add_argument("path", type=Path)
    later.add_argument("--allow-downgrade", action="store_true")
    acts.add_parser("rollback", parents=[shared], help="go back to the release before")
    gone = acts.add_parser("uninstall", parents=[shared], help="take Bedside off this board")
    data = gone.add_mutually_exclusive_group(required=True)
    data.add_argument("--keep-data", action="store_true")
    data.add_argument("--remove-data", action="store_true")
    acts.add_parser("sweep", parents=[shared], help="remove what a loss of power left")
    return parser


if __name__ == "__main__":
    sys.exit(main())
