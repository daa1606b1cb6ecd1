"""What the screens need of the rest of the house, as protocols that a test can stand in for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from platformdirs import user_documents_path

from app.assistant.events import Alert, PrepareEvent, TurnEvent
from app.assistant.ports import Usage
from app.conversation.turns import Conversation, Turn
from app.engine.messages import Loaded
from app.monitor.panel import Row
from app.monitor.reading import Reading
from app.safety import Card, Question
from app.ui.idle import running_clock


class ChatAssistant(Protocol):
    """The assistant as the screens use it; `app.assistant.Assistant` is the one that ships."""

    @property
    def model(self) -> Loaded | None:
        """The loaded model; None until `prepare` got so far."""

    @property
    def demonstration(self) -> bool:
        """Whether every answer must carry the demonstration line."""

    @property
    def conversation(self) -> Conversation:
        """The turns so far; the export is made of it."""

    @property
    def usage(self) -> Usage:
        """Tokens of the context that are in use, and all it has."""

    @property
    def alert(self) -> Alert | None:
        """The worst red flag of this conversation."""

    @property
    def clinician(self) -> bool:
        """Whether a clinician reads the screen: passages first, a red flag as one line."""

    @property
    def questions(self) -> tuple[Question, ...]:
        """The yes/no questions that stand, the first to be asked first."""

    def confirm(self, question: Question) -> Alert | None:
        """A yes to a question that was asked; the alert that it raises."""

    def deny(self, question: Question) -> None:
        """A no to a question that was asked."""

    def help_card(self) -> Card | None:
        """Whom to call in a crisis; None where no rules are in use."""

    def prepare(self) -> AsyncGenerator[PrepareEvent, None]:
        """Start the engine, load the model, read the fixed prompt."""

    def ask(self, question: str) -> AsyncGenerator[TurnEvent, None]:
        """Answer a new question; before the model is ready only the red flags hear it."""

    def resend(self, question: str) -> AsyncGenerator[TurnEvent, None]:
        """Answer this question in place of the last one."""

    def regenerate(self) -> AsyncGenerator[TurnEvent, None]:
        """Answer the last question once more."""

    async def stop(self) -> None:
        """End the running answer."""

    async def new_conversation(self) -> None:
        """Forget everything said."""

    async def close(self) -> None:
        """End the engine."""


class MonitorFeed(Protocol):
    """Where the monitor panel gets its readings; `app.monitor.Sampler` is the one that ships."""

    def latest(self) -> Reading:
        """The last reading; its missing values say why they are missing."""

    def recent(self) -> Sequence[Row]:
        """The last minute, with the power budget and a warning where there are any."""


class TurnKeeper(Protocol):
    """Where a kept conversation grows; `app.conversation.vault.Vault` is the one that ships."""

    def keep(self, turns: Sequence[Turn]) -> None:
        """Write what is new. Raises ResourceError where the disk is full; a later try may do."""

    def close(self) -> None:
        """Let go of the file."""


def documents_folder() -> Path:
    """The user's folder for documents, or their home where there is none."""
    documents = user_documents_path()
    return documents if documents.is_dir() else Path.home()


class Lock(Protocol):
    """What unlocks a kiosk; `app.ui.pin.PinLock` is the one that ships."""

    @property
    def left(self) -> int:
        """Whole seconds until the next PIN is taken; 0 is now."""

    @property
    def trouble(self) -> str:
        """What keeps it from counting wrong PINs beyond a restart; mostly empty."""

    def opens(self, typed: str) -> bool:
        """Whether this is the PIN. It may take a moment: call it in a thread."""


@dataclass(frozen=True, slots=True)
class KioskSettings:
    """How a screen is shared by strangers."""

    idle_s: float = 300.0
    """Seconds without a key after which the countdown begins; twice as many with a card."""
    lock: Lock | None = None
    """What unlocks the screen; None has no lock."""
    clock: Callable[[], float] = running_clock
    """Seconds that only go forward."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What the chat is told by the command that opens it."""

    notice: str
    """The line that is always on the screen; see `app.assistant.notices`."""
    export_folder: Path = field(default_factory=documents_folder)
    """Where an exported conversation goes unless the user types another place."""
    console: bool = False
    """Draw in the terminal's own 16 colours (the Linux console) and not in true colour."""
    keep: Callable[[str], TurnKeeper] | None = None
    """Begins a kept conversation under a passphrase, or raises a BedsideError; None where nothing
    can be kept."""
    kiosk: KioskSettings | None = None
    """Given where strangers share the screen."""
