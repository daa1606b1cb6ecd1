"""Where the user types."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from app.sanitise import clean
from app.ui.command import Command
from app.ui.commands import (
    PROMPT_COMMANDS,
    EditLastQuestion,
    NewLine,
    SendQuestion,
    StopAnswer,
)
from app.ui.messages import QuestionSent, Said

LONGEST = 8_000
"""Characters of one question. More than any context here holds, and wrapped within a frame."""

ANSWERING = f"An answer is still being written; {StopAnswer.key_names()} stops it."
PLACEHOLDER = "Type your question here"
EDITING = f"Last question, to change and send again ({StopAnswer.key_names()} leaves it)"

_COMMANDS = {key: command for command in PROMPT_COMMANDS for key in command.keys.split(",")}


class Prompt(TextArea):
    """A question, of one line or several.

    Up on the first line brings the last question back for editing; Down past its end, or Esc,
    brings back what was being typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave_edit", "Leave the last question", show=False)
    ]

    DEFAULT_CSS = """
    Prompt {
        height: auto;
        min-height: 3;
        max-height: 8;
        padding: 0 1;
        border: round $quiet;
        border-title-color: $warning;
        background: $background;
        scrollbar-size-vertical: 1;
        &:focus { border: round $primary; }
        & .text-area--cursor-line { background: $background; }
        & .text-area--placeholder { color: $quiet; }
    }
    """

    def __init__(self) -> None:
        super().__init__(soft_wrap=True, placeholder=PLACEHOLDER, highlight_cursor_line=False)
        self.cursor_blink = False
        self.last_question = ""
        """What Up brings back; the screen keeps it up to date."""
        self.refusal = ""
        """Why a question cannot be sent now; the screen keeps it up to date."""
        self._draft: str | None = None

    @property
    def editing(self) -> bool:
        """Whether the last question is being changed."""
        return self._draft is not None

    def action_leave_edit(self) -> None:
        """Put back what was being typed before the last question came."""
        if self._draft is not None:
            draft, self._draft = self._draft, None
            self._show(draft)

    def action_cursor_down(self, select: bool = False) -> None:
        """Below the last line of a recalled question lies what was being typed."""
        if self.editing and self.cursor_at_last_line:
            self.action_leave_edit()
        else:
            super().action_cursor_down(select)

    async def _on_key(self, event: events.Key) -> None:
        """Take the prompt's own keys in the order they were typed.

        A priority binding would run while letters before it still wait in this widget's queue:
        Enter right behind a question would find the prompt empty.
        """
        if (command := _COMMANDS.get(event.key)) is not None:
            self._run_command(command)
        elif event.is_printable and self._room() == 0:
            self.post_message(Said(f"A question has at most {LONGEST} characters."))
        else:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()

    def _run_command(self, command: type[Command]) -> None:
        if command is SendQuestion:
            self._send()
        elif command is NewLine:
            self._insert("\n")
        elif command is EditLastQuestion:
            self._up()

    async def _on_paste(self, event: events.Paste) -> None:
        """Insert a paste, cleaned of control sequences and cut to what a question may hold.

        Cut first: cleaning and wrapping a megabyte would freeze the screen.
        """
        event.stop()
        event.prevent_default()
        room = self._room()
        self._insert(clean(event.text[:room]).replace("\t", " "))
        if len(event.text) > room:
            self.post_message(
                Said(f"Only the first {room} characters were pasted: a question has {LONGEST}.")
            )

    def _send(self) -> None:
        """Send what was typed. The prompt is empty at once, for what is typed ahead."""
        text = clean(self.text).strip()
        if not text:
            return
        if self.refusal:
            self.post_message(Said(self.refusal))
            return
        self.post_message(QuestionSent(text, replaces_last=self.editing))
        self.refusal = ANSWERING
        self.last_question = text
        self._draft = None
        self._show("")

    def _up(self) -> None:
        if self.last_question and not self.editing and self.cursor_at_first_line:
            self._draft = self.text
            self._show(self.last_question)
        else:
            self.action_cursor_up()

    def _insert(self, text: str) -> None:
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)

    def _show(self, text: str) -> None:
        self.text = text
        self.move_cursor(self.document.end)
        self.border_title = EDITING if self.editing else ""

    def _room(self) -> int:
        return max(0, LONGEST - len(self.text) + len(self.selected_text))
