"""The chat: it composes the widgets, and hands each command on to what carries it out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Footer

from app.assistant.notices import DEMONSTRATION
from app.conversation.export import to_markdown
from app.errors import BedsideError
from app.ui import clipboard, commands
from app.ui.commands import BY_NAME, CHAT_COMMANDS
from app.ui.confirm import PressTwice
from app.ui.messages import FollowingChanged, QuestionSent, Said
from app.ui.ports import ChatAssistant, ChatSettings, MonitorFeed
from app.ui.screens.export import ExportScreen
from app.ui.session import Session
from app.ui.state import ChatState
from app.ui.turns import AnswerView, TurnSource
from app.ui.widgets.lines import HintLine, NoticeLine, Status, StatusLine
from app.ui.widgets.monitor import MonitorPanel, monitor_rows
from app.ui.widgets.prompt import ANSWERING, Prompt
from app.ui.widgets.transcript import Transcript

_MONITOR_SECONDS = 1.0


class ChatScreen(Screen[None]):
    """The screen that the app opens with.

    Commands are posted at the transcript and bubble: what it does not handle comes here, what is
    not handled here goes to the app.
    """

    AUTO_FOCUS = "Prompt"
    BINDINGS: ClassVar[list[BindingType]] = [command.binding() for command in CHAT_COMMANDS]

    DEFAULT_CSS = """
    ChatScreen {
        background: $background;
        & > * { min-width: 16; }  /* below that it is clipped: text cannot be wrapped to nothing */
        Footer { background: $panel; }
    }
    """

    def __init__(
        self, assistant: ChatAssistant, settings: ChatSettings, monitor: MonitorFeed | None
    ) -> None:
        super().__init__()
        self._assistant = assistant
        self._settings = settings
        self._monitor = monitor
        self.session = Session(assistant, self._changed)
        self._transcript, self._prompt, self._panel = Transcript(), Prompt(), MonitorPanel()
        self._hints, self._status = HintLine(), StatusLine()
        self._state = ChatState()
        self._quit = PressTwice()
        self._new = PressTwice()

    def compose(self) -> ComposeResult:
        yield self._transcript
        yield self._panel
        yield self._hints
        yield NoticeLine(self._settings.notice)
        yield self._prompt
        yield self._status
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self._monitor_timer = self.set_interval(_MONITOR_SECONDS, self._show_monitor, pause=True)
        self._changed()
        self._prepare()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys, footer and palette leave out what makes no sense now."""
        if action == "command":
            return BY_NAME[str(parameters[0])].enabled(self.state)
        return True

    def action_command(self, name: str) -> None:
        """Run a command by its class's name."""
        self._transcript.post_message(BY_NAME[name]())

    @property
    def state(self) -> ChatState:
        """What decides which commands make sense."""
        last = self._transcript.last
        return ChatState(
            phase=self.session.phase,
            turns=self._transcript.count,
            answer=bool(last and last.answer and last.answer.text),
            versions=len(last.answers) if last else 0,
            earlier=self._transcript.earlier,
            following=self._transcript.following,
        )

    @work(group="prepare")
    async def _prepare(self) -> None:
        await self.session.prepare(self._hints)

    @on(QuestionSent)
    async def _ask(self, message: QuestionSent) -> None:
        self._transcript.demonstration = self._assistant.demonstration
        ask = self._assistant.ask
        if message.replaces_last and self._transcript.count:
            self._transcript.replace_last()
            ask = self._assistant.resend
        answer = await self._transcript.add_question(message.text)
        self._turn(answer, lambda: ask(message.text))

    @on(commands.Regenerate)
    async def _regenerate(self) -> None:
        self._turn(await self._transcript.add_version(), self._assistant.regenerate)

    @work(group="turn")
    async def _turn(self, answer: AnswerView, begin: TurnSource) -> None:
        await self.session.turn(answer, begin)

    @on(commands.StopAnswer)
    async def _stop(self) -> None:
        await self.session.stop()

    @on(commands.Interrupt)
    async def _interrupt(self) -> None:
        selected = self._prompt.selected_text or self.get_selected_text()
        if selected:
            self._copy(selected)
        elif self.session.busy:
            await self.session.stop()
        elif self._quit.again():
            self.app.post_message(commands.Quit())
        else:
            self._hints.say(f"Press {commands.Interrupt.key_names()} again to quit.")

    @on(commands.CopyAnswer)
    def _copy_answer(self) -> None:
        last = self._transcript.last
        if last and last.answer:
            self._copy(last.answer.text)

    @work(group="copy", exclusive=True)
    async def _copy(self, text: str) -> None:
        self._hints.say(await clipboard.copy(text, self.app.copy_to_clipboard, os.environ))

    @on(commands.NewConversation)
    def _ask_for_new(self) -> None:
        if self._new.again():
            self._begin_new()
        else:
            keys = commands.NewConversation.key_names()
            self._hints.say(f"Press {keys} again to clear the screen; nothing of it is kept.")

    @work(group="new", exclusive=True)
    async def _begin_new(self) -> None:
        try:
            await self.session.new_conversation()
        except BedsideError as error:
            self._hints.keep(str(error), problem=True)
            return
        await self._transcript.clear()
        self._prompt.last_question = ""
        self._changed()
        self._hints.say("A new conversation; the model has forgotten the last one.")

    @on(commands.ExportConversation)
    def _export(self) -> None:
        model = self._assistant.model
        text = to_markdown(
            self._assistant.conversation,
            model.name if model else "",
            DEMONSTRATION if self._assistant.demonstration else "",
            self._settings.notice,
        )
        self.app.push_screen(ExportScreen(text, self._settings.export_folder), self._exported)

    def _exported(self, path: Path | None) -> None:
        if path is not None:
            self._hints.say(f"Written to {path}.")

    @on(commands.ToggleMonitor)
    def _toggle_monitor(self) -> None:
        self._panel.display = not self._panel.display
        if self._panel.display:
            self._show_monitor()
            self._monitor_timer.resume()
        else:
            self._monitor_timer.pause()

    def _show_monitor(self) -> None:
        reading = self._monitor.latest() if self._monitor else None
        recent = self._monitor.recent() if self._monitor else ()
        rows = monitor_rows(reading, self.session.speed, self._assistant.usage)
        self._panel.show([*recent, *rows])

    @on(Said)
    def _say(self, message: Said) -> None:
        self._hints.say(message.sentence)

    @on(FollowingChanged)
    def _changed(self) -> None:
        """Bring status line and keys to what is so now."""
        model, usage = self._assistant.model, self._assistant.usage
        self._status.show(
            Status(
                phase=self.session.phase,
                model=model.name if model else "",
                tokens=usage.tokens,
                context=usage.context,
                speed=self.session.speed,
            )
        )
        self._prompt.refusal = ANSWERING if self.session.busy else self.session.problem
        if (state := self.state) != self._state:
            self._state = state
            self.refresh_bindings()
