"""Everything the user can ask the chat for; `command.py` says what a command is.

The keys are those that the Linux console and most terminals pass on; whatever a terminal keeps
for itself (often F1 and F10) is in the palette too.
"""

from __future__ import annotations

from app.ui.command import Command
from app.ui.state import ChatState, Phase


class SendQuestion(Command):
    """Send the question."""

    keys = "enter"
    palette = False


class NewLine(Command):
    """Begin a new line in the question."""

    keys = "ctrl+j"
    palette = False


class EditLastQuestion(Command):
    """Bring the last question back, to change it and send it again in its place."""

    keys = "up"
    palette = False


class StopAnswer(Command):
    """Stop the answer; what was written stays."""

    keys = "escape"
    footer = "Stop"

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.busy


class Help(Command):
    """Show every key and what it does."""

    keys = "f1"
    footer = "Help"


class ShowCommands(Command):
    """List the commands and run one of them."""

    keys = "f2,ctrl+p"
    footer = "Commands"
    palette = False
    in_kiosk = False


class HelpNow(Command):
    """Show whom to call in a crisis; this works at any time."""

    keys = "f8"
    footer = "Crisis help"


class AcknowledgeCard(Command):
    """Fold the card about urgent help to one line; it stays there."""

    keys = "ctrl+g"
    footer = "I have read it"

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.card


class AnswerYes(Command):
    """Answer the question below the conversation with yes."""

    keys = "f9"

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.question


class AnswerNo(Command):
    """Answer the question below the conversation with no."""

    keys = "f10"

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.question


class ShowSources(Command):
    """Read the passages that the last answer leans on, with their sources."""

    keys = "ctrl+t,f12"

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.sources > 0


class ShowUnsupported(Command):
    """Show which sentences of the last answer are not in its sources."""

    keys = "ctrl+l"

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.unsupported


class ToggleMonitor(Command):
    """Show or hide speed, memory, temperature and power."""

    keys = "f3"


class CopyAnswer(Command):
    """Copy the source text of the last answer."""

    keys = "f4"
    footer = "Copy"
    in_kiosk = False

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.answer


class Regenerate(Command):
    """Answer the last question once more; the earlier answer is kept."""

    keys = "ctrl+r,f5"
    footer = "Again"

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.phase is Phase.READY and state.versions > 0


class OtherVersion(Command):
    """Show the other answers to the last question, one after the other."""

    keys = "f6"

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.versions > 1 and not state.busy


class JumpToLatest(Command):
    """Go to the end of the conversation and stay there while it grows."""

    keys = "f7"
    footer = "Latest"

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return not state.following


class ShowEarlier(Command):
    """Draw more of the earlier questions."""

    keys = "ctrl+o"

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.earlier > 0


class PageUp(Command):
    """Scroll the conversation up."""

    keys = "pageup"
    palette = False


class PageDown(Command):
    """Scroll the conversation down."""

    keys = "pagedown"
    palette = False


class NewConversation(Command):
    """Clear the screen and let the model forget everything said."""

    keys = "ctrl+n"
    footer = "New"
    in_kiosk = False

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.turns > 0


class ExportConversation(Command):
    """Write the conversation to a Markdown file that only you can read."""

    keys = "ctrl+s"
    in_kiosk = False

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.turns > 0 and not state.busy


class KeepConversation(Command):
    """Keep this conversation on this machine, encrypted under a passphrase of yours."""

    keys = "ctrl+k"
    in_kiosk = False

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.can_keep


class FinishAndWipe(Command):
    """Finish and wipe: pressed twice, nothing of this conversation stays."""

    keys = "f11"
    footer = "Finish and wipe"
    elsewhere = False


class LockScreen(Command):
    """Lock the screen until the PIN is typed."""

    keys = "ctrl+x"
    elsewhere = False

    @classmethod
    def enabled(cls, state: ChatState) -> bool:
        return state.lockable


class Interrupt(Command):
    """Copy what is selected, or stop the answer; pressed twice, quit."""

    keys = "ctrl+c"
    palette = False
    in_kiosk = False


class Suspend(Command):
    """Go back to the shell; `fg` brings the chat back."""

    keys = "ctrl+z"
    in_kiosk = False


class Quit(Command):
    """End the chat. Nothing of it stays unless you exported or kept it."""

    keys = "ctrl+q"
    footer = "Quit"
    in_kiosk = False


PROMPT_COMMANDS: tuple[type[Command], ...] = (SendQuestion, NewLine, EditLastQuestion)
"""Keys of the prompt."""

CHAT_COMMANDS: tuple[type[Command], ...] = (
    StopAnswer,
    AcknowledgeCard,
    HelpNow,
    AnswerYes,
    AnswerNo,
    Help,
    ShowCommands,
    FinishAndWipe,
    LockScreen,
    ShowSources,
    ShowUnsupported,
    ToggleMonitor,
    CopyAnswer,
    Regenerate,
    OtherVersion,
    JumpToLatest,
    ShowEarlier,
    PageUp,
    PageDown,
    NewConversation,
    ExportConversation,
    KeepConversation,
    Interrupt,
    Suspend,
    Quit,
)
"""Keys of the whole screen, in the order of footer, palette and help."""

BY_NAME = {command.__name__: command for command in PROMPT_COMMANDS + CHAT_COMMANDS}
"""What a binding's action names."""
