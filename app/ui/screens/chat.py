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

from app.errors import BedsideError
from app.monitor.panel import Row
from app.ui import clipboard, commands
from app.ui.commands import BY_NAME, CHAT_COMMANDS
from app.ui.confirm import PressTwice
from app.ui.export import as_markdown
from app.ui.idle import IdleTimer
from app.ui.keeping import Keeping
from app.ui.messages import FollowingChanged, QuestionSent, Said
from app.ui.ports import ChatAssistant, ChatSettings, MonitorFeed
from app.ui.screens.export import ExportScreen
from app.ui.session import Session
from app.ui.state import ChatState
from app.ui.turns import AnswerView, TurnSource
from app.ui.widgets.answer import Reader
from app.ui.widgets.countdown import Countdown
from app.ui.widgets.lines import HintLine, NoticeLine, Status, StatusLine
from app.ui.widgets.monitor import MonitorPanel, monitor_rows
from app.ui.widgets.prompt import ANSWERING, Prompt
from app.ui.widgets.transcript import Transcript
from app.ui.widgets.triage import TriageArea


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
        &.-kiosk {
            Transcript { padding: 1 3; }
            Exchange { margin-bottom: 2; }
            Prompt { min-height: 5; padding: 1 2; }
            NoticeLine, StatusLine, QuestionLine { padding: 0 3; }
        }
    }
    """

    def __init__(
        self, assistant: ChatAssistant, settings: ChatSettings, monitor: MonitorFeed | None
    ) -> None:
        super().__init__(classes="-kiosk" if settings.kiosk else None)
        self._assistant = assistant
        self._settings = settings
        self._monitor = monitor
        self._transcript, self._prompt = Transcript(), Prompt()
        self._hints, self._status = HintLine(), StatusLine()
        self._panel = MonitorPanel(self._monitor_rows)
        self._triage = TriageArea(assistant, self._transcript, self._changed)
        self.session = Session(assistant, self._triage, self._changed)
        self.keeping = Keeping(assistant, settings.keep, self._tell)
        self.idle = (
            IdleTimer(settings.kiosk.idle_s, settings.kiosk.clock) if settings.kiosk else None
        )
        self._state = ChatState()
        self._quit = PressTwice()
        self._new = PressTwice()

    def compose(self) -> ComposeResult:
        yield self._triage
        yield self._panel
        yield self._hints
        if self.idle is not None:
            yield self.countdown()
        yield NoticeLine(self._settings.notice)
        yield self._prompt
        yield self._status
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self._changed()
        self._prepare()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys, footer and palette leave out what makes no sense now."""
        if action == "command":
            return BY_NAME[str(parameters[0])].available(self.state)
        return True

    def action_command(self, name: str) -> None:
        """Run a command by its class's name."""
        self._transcript.post_message(BY_NAME[name]())

    @property
    def state(self) -> ChatState:
        """What decides which commands make sense."""
        last, kiosk = self._transcript.last, self._settings.kiosk
        answer = last.answer if last else None
        return ChatState(
            phase=self.session.phase,
            turns=self._transcript.count,
            answer=bool(answer and answer.text),
            versions=len(last.answers) if last else 0,
            earlier=self._transcript.earlier,
            following=self._transcript.following,
            card=self._triage.alert.is_open,
            question=self._triage.questions.current is not None,
            sources=len(answer.passages or ()) if answer else 0,
            unsupported=bool(answer and answer.support and answer.support.unsupported),
            can_keep=self.keeping.possible and not self.session.busy,
            kiosk=kiosk is not None,
            lockable=kiosk is not None and kiosk.lock is not None,
        )

    def countdown(self) -> Countdown:
        """A line with the kiosk's countdown; every screen that can stay open needs its own."""
        return Countdown(self._idle_left)

    def _idle_left(self) -> float | None:
        if self.idle is None:
            return None
        card = self._triage.alert.card is not None
        return self.idle.left(card=card, streaming=self.session.busy)

    @work(group="prepare")
    async def _prepare(self) -> None:
        await self.session.prepare(self._hints)

    @on(QuestionSent)
    async def _ask(self, message: QuestionSent) -> None:
        self._transcript.reader = Reader(self._assistant.demonstration, self._assistant.clinician)
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
        await self.keeping.update()

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
            await self.session.rest()
            await self.keeping.finish()
            await self.session.new_conversation()
        except BedsideError as error:
            self._hints.keep(str(error), problem=True)
            return
        await self._transcript.clear()
        self._triage.clear()
        self._prompt.last_question = ""
        self._changed()
        self._hints.say("A new conversation; the model has forgotten the last one.")

    @on(commands.ExportConversation)
    def _export(self) -> None:
        text = as_markdown(self._assistant, self._settings.notice)
        self.app.push_screen(ExportScreen(text, self._settings.export_folder), self._exported)

    def _exported(self, path: Path | None) -> None:
        if path is not None:
            self._hints.say(f"Written to {path}.")

    @on(commands.KeepConversation)
    def _ask_for_passphrase(self) -> None:
        from app.ui.screens.passphrase import PassphraseScreen  # loads the ciphers

        def chosen(passphrase: str | None) -> None:
            if passphrase is not None:
                self._keep(passphrase)

        self.app.push_screen(PassphraseScreen(), chosen)

    @work(group="keep")
    async def _keep(self, passphrase: str) -> None:
        self._hints.keep("Making the key…")
        await self.keeping.begin(passphrase)
        self._changed()

    @on(commands.ToggleMonitor)
    def _toggle_monitor(self) -> None:
        self._panel.toggle()

    def _monitor_rows(self) -> list[Row]:
        reading = self._monitor.latest() if self._monitor else None
        recent = self._monitor.recent() if self._monitor else ()
        return [*recent, *monitor_rows(reading, self.session.speed, self._assistant.usage)]

    @on(Said)
    def _say(self, message: Said) -> None:
        self._tell(message.sentence, False)

    def _tell(self, sentence: str, problem: bool) -> None:
        """Show a sentence; a problem stays until the next one."""
        if problem:
            self._hints.keep(sentence, problem=True)
        else:
            self._hints.say(sentence)

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
        self._prompt.refusal = ANSWERING if self.session.busy else ""
        if (state := self.state) != self._state:
            self._state = state
            self.refresh_bindings()
