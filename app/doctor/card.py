"""A page for whoever looks after the board: print it, and keep it beside the screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.doctor.check import Check

_TROUBLES = (
    ("The screen is dark", "Check plug and cable. Switch the power off, wait ten seconds, on."),
    (
        "“Bedside could not be started”",
        "Switch off and on once. Then Ctrl+Alt+F2, log in, `sudo bedside rollback`.",
    ),
    ("Somebody's words are still there", "Press F11 twice: all of it is wiped."),
    ("The screen does not move", "Wait a minute: it is begun anew by itself."),
    (
        "“Memory ran out”",
        "Ask again. If it comes back: a smaller model (`bedside models list`).",
    ),
    ("It answers slowly", "`bedside doctor`: heat, supply, power mode. Give it air."),
    (
        "The PIN is forgotten",
        "Log in on Ctrl+Alt+F2: `sudo bedside --config /etc/bedside/config.toml kiosk pin`.",
    ),
    ("A new version came", "`sudo bedside update FOLDER`; back with `sudo bedside rollback`."),
    (
        "An answer was wrong or harmful",
        "Write down question and time; stop using it until somebody has looked.",
    ),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on it."""

    board: str
    release: str
    model: str
    sha256: str
    """Of the model's file; empty where it is not known."""
    emergency_number: str
    """As the settings have it; empty where they have none."""
    crisis_line: str
    idle_s: int
    locked: bool
    """A PIN is set."""


def card(page: Page, checks: Sequence[Check]) -> Iterator[str]:
    """The page as Markdown, which reads as plain text too."""
    yield "# Bedside: what to know, and what to do"
    yield ""
    yield "It gives information, and is no diagnosis. It has no network, and calls nobody."
    yield ""
    yield f"- In an emergency call: {_number(page.emergency_number, 'ui.emergency_number')}"
    yield f"- In a mental crisis call: {_number(page.crisis_line, 'ui.crisis_line')}"
    yield f"- Board: {page.board}"
    yield f"- Release: Bedside {page.release}"
    yield f"- Model: {page.model}{f', SHA-256 {page.sha256}' if page.sha256 else ''}"
    yield f"- Kiosk: wiped {page.idle_s / 60:.0f} minutes after the last key; {_lock(page)}"
    yield "- Looked after by: ______________________  Telephone: ______________________"
    yield ""
    yield "| When | Do |"
    yield "|---|---|"
    yield from (f"| {when} | {do} |" for when, do in _TROUBLES)
    yield ""
    yield "## What needs attention now"
    yield ""
    needed = [check for check in checks if check.state == "attention"]
    yield from (f"- {check.id}: {check.found} {check.advice}".rstrip() for check in needed)
    if not needed:
        yield "- Nothing that could be checked."
    unchecked = ", ".join(check.id for check in checks if check.state == "not checked")
    if unchecked:
        yield f"- Not checked: {unchecked}."


def _number(number: str, setting: str) -> str:
    return f"**{number}**" if number else f"______________ (`{setting}` is not set)"


def _lock(page: Page) -> str:
    return "a PIN locks it." if page.locked else "no PIN."
