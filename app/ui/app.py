"""The Textual app: theme, screens, and the commands that concern the whole of it."""

from __future__ import annotations

import asyncio
import os

from textual import on
from textual.app import App
from textual.scrollbar import ScrollBar

from app.ui import commands
from app.ui.commands import Command
from app.ui.endings import ending_from_outside
from app.ui.ports import ChatAssistant, ChatSettings, MonitorFeed
from app.ui.screens.chat import ChatScreen
from app.ui.screens.help import HelpScreen
from app.ui.screens.palette import PaletteScreen
from app.ui.theme import SIXTEEN_COLOURS, TRUE_COLOUR, WholeCellScrollBar, few_colours


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

    def _fatal_error(self) -> None:
        """End after a defect without Textual's trace: it prints variables, and so words."""
        self._close_messages_no_wait()

    def on_mount(self) -> None:
        ScrollBar.renderer = WholeCellScrollBar

    @on(commands.Help)
    def _help(self) -> None:
        self.push_screen(HelpScreen())

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
    """Show the chat until the user ends it, and return the exit code.

    The assistant is closed in every case, after the terminal is as it was before. A defect in a
    handler or worker is raised here then.
    """
    return asyncio.run(_run(BedsideApp(assistant, settings, monitor), assistant))


async def _run(app: BedsideApp, assistant: ChatAssistant) -> int:
    try:
        with ending_from_outside(lambda code: app.exit(return_code=code)):
            await app.run_async()
    finally:
        await assistant.close()
    if app._exception is not None:
        raise app._exception
    return app.return_code or 0
