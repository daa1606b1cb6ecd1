"""Keys, footer, palette and help are all made of the command classes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.binding import Binding

from app.ui.command import Command
from app.ui.commands import BY_NAME, CHAT_COMMANDS, PROMPT_COMMANDS, CopyAnswer, HelpNow
from app.ui.screens.chat import ChatScreen
from app.ui.screens.help import help_lines
from app.ui.screens.palette import matches, offered, palette_lines
from app.ui.state import ChatState, Phase

EVERYTHING = ChatState(
    phase=Phase.READY,
    turns=3,
    answer=True,
    versions=2,
    earlier=1,
    following=False,
    card=True,
    question=True,
    sources=2,
    unsupported=True,
    can_keep=True,
    lockable=True,
)


def test_label_is_the_name_and_help_the_docstring() -> None:
    assert CopyAnswer.label() == "Copy answer"
    assert CopyAnswer.help() == "Copy the source text of the last answer."
    assert all(command.__doc__ and command.help().endswith(".") for command in BY_NAME.values())


def test_every_command_has_its_own_keys() -> None:
    keys = [key for command in BY_NAME.values() for key in command.keys.split(",")]
    assert len(keys) == len(set(keys))


def test_keys_reach_an_app_on_the_linux_console() -> None:
    """It has no Alt or Shift combinations of its own and no keys beyond F12."""
    plain = {"enter", "escape", "up", "pageup", "pagedown"} | {f"f{n}" for n in range(1, 13)}
    control = {f"ctrl+{letter}" for letter in "abcdefghjklnopqrstuvwxyz"}  # I and M: Tab, Enter
    for command in BY_NAME.values():
        assert set(command.keys.split(",")) <= plain | control


def test_screen_binds_each_command_once_from_its_class() -> None:
    bindings = [binding for binding in ChatScreen.BINDINGS if isinstance(binding, Binding)]
    assert [binding.key for binding in bindings] == [command.keys for command in CHAT_COMMANDS]
    for binding, command in zip(bindings, CHAT_COMMANDS, strict=True):
        assert binding.action == f"command('{command.__name__}')"
        assert binding.show == bool(command.footer)


def test_help_names_every_command() -> None:
    lines = help_lines(PROMPT_COMMANDS + CHAT_COMMANDS)
    assert len(lines) == len(BY_NAME)
    for line, command in zip(lines, PROMPT_COMMANDS + CHAT_COMMANDS, strict=True):
        assert line.startswith(command.key_names())
        assert line.endswith(command.help())


def test_palette_offers_what_is_enabled() -> None:
    lacking = {"StopAnswer", "FinishAndWipe", "LockScreen"}
    assert offered(EVERYTHING) == [
        command for command in CHAT_COMMANDS if command.palette and command.__name__ not in lacking
    ]
    names = [command.__name__ for command in offered(ChatState())]
    assert names == ["HelpNow", "Help", "ToggleMonitor", "Suspend", "Quit"]
    assert "StopAnswer" in [
        command.__name__ for command in offered(ChatState(phase=Phase.ANSWERING))
    ]


def test_palette_finds_by_words_of_name_and_help() -> None:
    found: list[type[Command]] = [c for c in BY_NAME.values() if matches(c, ["markdown", "file"])]
    assert [command.__name__ for command in found] == ["ExportConversation"]
    assert palette_lines(found) == ["Export conversation  Ctrl+S"]


def test_a_kiosk_has_nothing_that_leads_out_of_it() -> None:
    kiosk = replace(EVERYTHING, kiosk=True)
    names = {command.__name__ for command in CHAT_COMMANDS if command.available(kiosk)}
    out = {"ShowCommands", "Quit", "Suspend", "Interrupt", "NewConversation"}
    words = {"ExportConversation", "KeepConversation", "CopyAnswer"}
    assert not names & (out | words)
    assert {"FinishAndWipe", "LockScreen", "HelpNow", "AnswerYes", "ShowSources"} <= names
    assert names | out | words | {"StopAnswer"} == {one.__name__ for one in CHAT_COMMANDS}


@pytest.mark.parametrize("state", [ChatState(), ChatState(phase=Phase.FAILED, kiosk=True)])
def test_help_in_a_crisis_is_always_one_key_away(state: ChatState) -> None:
    assert HelpNow.available(state)
