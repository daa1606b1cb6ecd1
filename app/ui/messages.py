"""What the chat's widgets tell the screen; the commands of the user are in `commands.py`."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class QuestionSent(Message):
    """The user pressed Enter on a question."""

    text: str
    replaces_last: bool
    """It is the last question, edited, and goes in its place."""


@dataclass
class Said(Message):
    """A sentence for the user about what was or was not done; it goes away by itself."""

    sentence: str


@dataclass
class FollowingChanged(Message):
    """The transcript began or ceased to follow its end."""

    following: bool


@dataclass
class IdleTooLong(Message):
    """Nobody has used the kiosk for so long that the last one must be gone."""


@dataclass
class CountdownBegan(Message):
    """The kiosk is about to be wiped; what lies over the chat must not hide that."""
