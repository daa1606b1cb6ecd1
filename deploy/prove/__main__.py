"""`python -m deploy.prove`, as root: builds two bundles and puts an emulated board through them."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Final

from app.errors import INTERRUPTED, BedsideError, UsageError
from app.releases import bundle
from app.sanitise import clean
from deploy.bundle.build import Built, build
from deploy.bundle.order import Order
from deploy.bundle.seal import fingerprint, throw_away_key
from deploy.bundle.tools import run
from deploy.bundle.workplace import CHECKOUT, Workplace
from deploy.prove import steps
from deploy.prove.binfmt import registered
from deploy.prove.damage import accepted, flipped
from deploy.prove.machine import PI_4, PI_5, Board
from deploy.prove.rootfs import make_emulator, make_rootfs, put_emulator
from deploy.prove.telling import Telling

MODEL: Final = CHECKOUT / "models" / "medquad-29m-Q4_K_M.gguf"
LOG: Final = CHECKOUT / "deploy" / "prove-arm64.log"


def main() -> int:
    """Does the proof; 0 where everything held. A signal ends it as Ctrl-C does, tidily."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Workplace().alone() as place:
            return prove(place, Telling())
    except BedsideError as error:
        print(clean(str(error)), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def prove(place: Workplace, telling: Telling) -> int:
    """Builds, installs, asks, damages, updates and rolls back.

    Raises:
        UsageError: not as root, or a tool is missing.
        BedsideError: a bundle could not be built, or a step could not be taken at all.
    """
    if os.geteuid() != 0:
        raise UsageError("The proof mounts and enters another system: run it as root.")
    stick = place.emptied("prove/stick")
    first, second = _bundles(place, stick, telling)
    emulator = make_emulator(place)
    with registered(emulator[1]):
        rootfs = make_rootfs(place)
        put_emulator(rootfs, emulator)
        board = Board(rootfs, place.emptied("prove/board"), stick)
        try:
            _on_the_board(place, board, first, second, telling)
        finally:
            board.forget()
    telling.end()
    telling.keep(LOG)
    return 1 if telling.failed else 0


def _bundles(place: Workplace, stick: Path, telling: Telling) -> tuple[Built, Built]:
    first = build(Order("pi5", MODEL, stick), place, telling.say)
    major, minor, patch = first.manifest.version.partition("rc")[0].split(".")
    later = f"{major}.{minor}.{int(patch) + 1}"
    telling.say(f"The same once more as {later}, to update to.")
    second = build(Order("pi5", MODEL, stick, version=later), place, lambda _: None)
    return first, second


def _on_the_board(
    place: Workplace, board: Board, first: Built, second: Built, telling: Telling
) -> None:
    key = fingerprint(throw_away_key(place))
    expected = {question: _answer_here(place, question) for question in steps.QUESTIONS}
    older, newer = first.manifest.version, second.manifest.version
    telling.say(f"An emulated {PI_5}, as of a Raspberry Pi 5, with Debian 12:")
    steps.bare(board, telling)
    _damaged(board, first, key, telling)
    steps.installed(board, first.folder.name, older, key, telling)
    steps.doctored(board, telling)
    telling.say("The shipped model is asked, at temperature 0:")
    steps.answers(board, expected, telling)
    steps.tokens(board, _tokens_here(place), first.manifest.model.file, telling)
    one = dict(list(expected.items())[:1])
    steps.updated(board, second.folder.name, newer, telling)
    steps.answers(board, one, telling)
    steps.broken_and_back(board, newer, older, telling)
    steps.answers(board, one, telling)
    board.forget()
    other = Board(board.rootfs, board.changes, board.bundles, PI_4)
    steps.refuses_another_processor(other, first.folder.name, key, telling)


def _damaged(board: Board, first: Built, key: str, telling: Telling) -> None:
    """Every file for the check that a board makes, and one of each kind for the installer."""
    telling.say("A bundle with one byte flipped:")
    folder = board.bundles / "flipped"
    shutil.copytree(first.folder, folder, copy_function=os.link)
    signers = first.folder / bundle.SIGNERS
    missed = accepted(folder, signers)
    count = len(first.manifest.files) + len(bundle.UNLISTED)
    told = f"the board's check refuses it, whichever of the {count} files it is in"
    telling.holds(told, not missed, "\n".join(missed))
    kinds = (bundle.wheel_of(first.manifest.version), first.manifest.model.file)
    for path in (*kinds, bundle.SUMS, bundle.SIGNATURE):
        with flipped(folder / path):
            steps.refuses_damage(board, folder.name, path, key, telling)
    telling.holds("nothing was changed", steps.nothing_installed(board))
    shutil.rmtree(folder)


def _answer_here(place: Workplace, question: str) -> str:
    """What this machine answers, with the commit's own program."""
    return _here(place, "-m", "app", "--model", str(MODEL), *steps.ask(question)).strip()


def _tokens_here(place: Workplace) -> str:
    return _here(place, "-c", steps.probe(), str(MODEL))


def _here(place: Workplace, *arguments: str) -> str:
    source = place.folder / "source"
    home = {"HOME": str(place.made("prove/home")), "PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    environment = {**home, "PYTHONPATH": str(source)}
    return run([sys.executable, *arguments], environment=environment, folder=source)


if __name__ == "__main__":
    sys.exit(main())
