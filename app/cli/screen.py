"""Opens the chat's screen over the rooms that `house` puts together."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from app.cli.house import House, build
from app.cli.options import Choices
from app.edge import tell
from app.errors import UsageError
from app.folders import Folders

if TYPE_CHECKING:  # Textual reads its environment when it is imported
    from app.config import UiConfig
    from app.ui.ports import ChatSettings, Lock, TurnKeeper

_PLAIN_PIN = (
    "The kiosk's PIN stands in the settings as it is typed. Set it with `bedside kiosk pin`, which "
    "keeps a hash of it alone."
)


def run_screen(choices: Choices) -> int:
    """Show the chat until the person leaves; returns the exit code.

    A kiosk does not return when it is wiped: the same command takes this process's place.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The chat needs a terminal. Use `bedside chat --plain` for a pipe, or "
            "`bedside ask QUESTION` for one answer."
        )
    if os.environ.get("TERM", "") in ("", "dumb"):
        if choices.kiosk:
            raise UsageError("The kiosk needs a terminal that can draw. Set TERM, as `linux`.")
        from app.cli.plain import run_plain

        return run_plain(choices)
    problems: list[str] = []
    house = build(choices, problems.append)
    # Textual reads these once, when it is imported: no animation that keeps the board busy.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    from app.ui.app import WIPED, run_chat

    settings = _settings(house, choices.kiosk)
    house.open()
    try:
        code = run_chat(house.assistant, settings, house.sampler)
    finally:
        house.close("quit")
        for sentence in problems:
            tell(sentence)
    if code == WIPED:
        from app.cli.wipe import begin_anew

        begin_anew()
    return code


def _settings(house: House, kiosk: bool) -> ChatSettings:
    """What the screen is told. In a kiosk nothing can be kept: its keeper would be a stranger."""
    from app.ui.ports import ChatSettings, KioskSettings

    ui, console = house.config.ui, os.environ.get("TERM") == "linux"
    if kiosk:
        shared = KioskSettings(ui.kiosk_idle_s, _lock(ui))
        return ChatSettings(house.notice, console=console, kiosk=shared)
    return ChatSettings(house.notice, console=console, keep=partial(_begin_keeping, house))


def _lock(ui: UiConfig) -> Lock | None:
    """The kiosk's lock, of the hash or, in settings from before there was one, the PIN itself."""
    if not (ui.kiosk_pin_hash or ui.kiosk_pin):
        return None
    from app.ui.pin import FILE, Attempts, Pin, PinLock

    path = Folders.standard().state / FILE
    if not ui.kiosk_pin_hash:
        tell(_PLAIN_PIN)
        return PinLock(Pin.of(ui.kiosk_pin), Attempts(path))  # its salt is another each time
    pin = Pin.read(ui.kiosk_pin_hash)
    return PinLock(pin, Attempts(path, pin=pin.salt.hex()))


def _begin_keeping(house: House, passphrase: str) -> TurnKeeper:
    """A new file, which notes what answered: an export of it must say so years later."""
    from app.assistant.notices import DEMONSTRATION
    from app.conversation.vault import FOLDER, About, Passphrase, Vault

    assistant = house.assistant
    about = About(
        model=assistant.model.name if assistant.model is not None else "",
        demonstration=DEMONSTRATION if assistant.demonstration else "",
    )
    return Vault.create(Folders.standard().state / FOLDER, Passphrase(passphrase), about)
