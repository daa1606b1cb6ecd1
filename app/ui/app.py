"""The Textual app: theme, screens, and the commands that concern the whole of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from textual import events, on
from textual.app import App
from textual.filter import LineFilter
from textual.scrollbar import ScrollBar

from app.ui import commands, watchdog
from app.ui.command import Command
from app.ui.confirm import PressTwice
from app.ui.console import FontFilter
from app.ui.endings import ending_from_outside
from app.ui.messages import CountdownBegan, IdleTooLong, Said
from app.ui.ports import ChatAssistant, ChatSettings, MonitorFeed
from app.ui.screens.chat import ChatScreen
from app.ui.screens.help import HelpScreen
from app.ui.screens.lock import LockScreen
from app.ui.screens.palette import PaletteScreen
from app.ui.theme import SIXTEEN_COLOURS, TRUE_COLOUR, WholeCellScrollBar, few_colours

WIPED = -1
"""What `run_chat` returns in place of an exit code where everything is to be begun anew."""


class BedsideApp(App[None], inherit_bindings=False):
    """The chat in a terminal.

    It paints before the model is loaded: `ChatScreen` prepares the assistant once it is drawn.
    """

    TITLE = "Bedside"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        assistant: ChatAssistant,
        settings: ChatSettings,
        monitor: MonitorFeed | None = None,
    ) -> None:
        few = settings.console or few_colours(os.environ)
        super().__init__(ansi_color=few)  # also decides how NO_COLOR is obeyed, before any theme
        self.chat = ChatScreen(assistant, settings, monitor)
        self._assistant, self._settings = assistant, settings
        self._finish = PressTwice()
        self._font = (FontFilter(),) if settings.console else ()
        self.animation_level = "none"
        for theme in (TRUE_COLOUR, SIXTEEN_COLOURS):
            self.register_theme(theme)
        self.theme = (SIXTEEN_COLOURS if few else TRUE_COLOUR).name

    def get_default_screen(self) -> ChatScreen:
        """The chat is the first screen and stays below the others."""
        return self.chat

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The theme's own names, for the moment before the theme is set."""
        return {"quiet": "ansi_default"}

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and on a console the one that knows its font."""
        return [*super().get_line_filters(), *self._font]

    def _fatal_error(self) -> None:
        """End after a defect without Textual's trace: it prints variables, and so words."""
        self._close_messages_no_wait()

    def on_mount(self) -> None:
        ScrollBar.renderer = WholeCellScrollBar
        watchdog.begin(self, os.environ)
        self._lock()

    async def on_event(self, event: events.Event) -> None:
        """Whoever types or scrolls is there; a mouse that only moves may be a draught."""
        used = events.Key | events.Paste | events.MouseDown | events.MouseScrollDown
        if self.chat.idle is not None and isinstance(event, used | events.MouseScrollUp):
            self.chat.idle.touch()
        await super().on_event(event)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy, but not in a kiosk: the clipboard is the terminal's, and outlives a wipe."""
        if self._settings.kiosk is None:
            super().copy_to_clipboard(text)

    @on(commands.Help)
    def _help(self) -> None:
        self.push_screen(HelpScreen(kiosk=self._settings.kiosk is not None))

    @on(commands.LockScreen)
    def _lock(self) -> None:
        """Put the lock before the chat, and the chat out of sight: in the terminal's own colours
        a screen has no ground of its own, and what lies below it shows."""
        kiosk = self._settings.kiosk
        if kiosk is not None and kiosk.lock is not None:
            self.chat.visible = False
            countdown = self.chat.countdown()
            lock = LockScreen(kiosk.lock, self._settings.notice, self._assistant, countdown)
            self.push_screen(lock, self._unlock)

    def _unlock(self, _result: None) -> None:
        self.chat.visible = True

    @on(CountdownBegan)
    def _uncover(self) -> None:
        """Nothing may lie over the countdown but the lock, which has its own."""
        while len(self.screen_stack) > 1 and not isinstance(self.screen, LockScreen):
            self.pop_screen()

    @on(commands.FinishAndWipe)
    def _finish_and_wipe(self) -> None:
        if self._finish.again():
            self.wipe()
        else:
            keys = commands.FinishAndWipe.key_names()
            self.chat.post_message(Said(f"Press {keys} again to finish; nothing of it stays."))

    @on(IdleTooLong)
    def wipe(self) -> None:
        """End both processes; whoever called `run_chat` begins them anew."""
        self.exit(return_code=WIPED)

    @on(commands.ShowCommands)
    def _show_commands(self) -> None:
        self.push_screen(PaletteScreen(self.chat.state), self._run)

    @on(commands.Suspend)
    def _suspend(self) -> None:
        self.action_suspend_process()

    @on(commands.Quit)
    def _quit(self) -> None:
        self.exit()

    def _run(self, command: type[Command] | None) -> None:
        if command is not None:
            self.chat.action_command(command.__name__)


def run_chat(
    assistant: ChatAssistant, settings: ChatSettings, monitor: MonitorFeed | None = None
) -> int:
    """Show the chat until the user ends it, and return the exit code, or `WIPED`.

    The assistant is closed in every case, after the terminal is as it was before. A defect in a
    handler or worker is raised here then.
    """
    return asyncio.run(_run(BedsideApp(assistant, settings, monitor), assistant))


async def _run(app: BedsideApp, assistant: ChatAssistant) -> int:
    try:
        with ending_from_outside(lambda code: app.exit(return_code=code)):
            await app.run_async()
    finally:
        try:
            await app.chat.keeping.finish()
        finally:
            await assistant.close()
    if app._exception is not None:
        raise app._exception
    return app.return_code or 0
