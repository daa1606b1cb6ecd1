"""What a command is: one thing that the user can ask the chat for, as a type.

Its docstring is its help, its name split at the capitals its label. Keys, footer, palette and help
screen are all made of these classes, so none of them can go stale. A command is posted as a message
and handled by the screen or the app. `commands.py` has them all.
"""

from __future__ import annotations

import re
from typing import ClassVar

from textual.binding import Binding
from textual.message import Message

from app.ui.state import ChatState


class Command(Message):
    """One thing that the user can ask for."""

    keys: ClassVar[str]
    """Textual's names of the keys, the one to show first."""
    footer: ClassVar[str] = ""
    """The word in the footer; empty keeps it out."""
    palette: ClassVar[bool] = True
    """Whether the palette offers it; keys that only make sense as keys stay out."""
    in_kiosk: ClassVar[bool] = True
    """A kiosk lacks what leads out of the chat or carries words out of it."""
    elsewhere: ClassVar[bool] = True
    """Whether a screen of one's own has it."""

    @classmethod
    def label(cls) -> str:
        """The name as words: `CopyAnswer` is "Copy answer"."""
        return re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__).capitalize()

    @classmethod
    def help(cls) -> str:
        """The docstring on one line."""
        return " ".join((cls.__doc__ or "").split())

    @classmethod
    def key_names(cls) -> str:
        """The keys as a keyboard has them: "F2 or Ctrl+P"."""
        return " or ".join(_key_name(key) for key in cls.keys.split(","))

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        """Whether it makes sense now."""
        return True

    @classmethod
    def here(cls, kiosk: bool) -> bool:
        """Whether this screen has it at all."""
        return cls.in_kiosk if kiosk else cls.elsewhere

    @classmethod
    def available(cls, state: ChatState) -> bool:
        """Whether it can be run: here, and now."""
        return cls.here(state.kiosk) and cls.enabled(state)

    @classmethod
    def binding(cls) -> Binding:
        """The key binding, which runs `action_command` with the class's name.

        It goes before the focused widget's own keys: the prompt would eat F6, F7 and Ctrl+C.
        """
        return Binding(
            cls.keys,
            f"command({cls.__name__!r})",
            cls.footer or cls.label(),
            show=bool(cls.footer),
            key_display=_key_name(cls.keys.split(",")[0]),
            tooltip=cls.help(),
            priority=True,
        )


def _key_name(key: str) -> str:
    names = {"escape": "Esc", "pageup": "PgUp", "pagedown": "PgDn"}
    *modifiers, last = key.split("+")
    return "+".join([*map(str.capitalize, modifiers), names.get(last, last.capitalize())])
