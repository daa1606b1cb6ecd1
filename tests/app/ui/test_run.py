"""The chat in a real terminal: how it starts, ends, and gives the terminal back."""

from __future__ import annotations

import os
import signal

import pytest

from tests.app.ui.terminal import Terminal, run_in_terminal

DEMO = "tests.app.ui.demo"
LEAVE_ALTERNATE_SCREEN = b"\x1b[?1049l"


def opened(terminal: Terminal, words: bytes = b"ready") -> None:
    terminal.read_until(words)


def exit_code(status: int) -> int:
    return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_in_an_answer_ends_it_cleanly(number: signal.Signals) -> None:
    with run_in_terminal(DEMO, "0.2") as terminal:
        before = terminal.local_flags()
        opened(terminal)
        terminal.send(b"Why?\r")
        terminal.read_until(b"Glaucoma")
        os.kill(terminal.pid, number)
        assert exit_code(terminal.wait()) == 128 + number
        assert LEAVE_ALTERNATE_SCREEN in terminal.output
        assert b"The assistant was closed." in terminal.output
        assert terminal.local_flags() == before
        assert b"Traceback" not in terminal.output


@pytest.mark.parametrize("controlled", [True, False])
def test_a_terminal_that_goes_away_ends_it(controlled: bool) -> None:
    """Also without a SIGHUP, which only a controlling terminal sends."""
    with run_in_terminal(DEMO, "0.2", controlled=controlled) as terminal:
        opened(terminal)
        terminal.send(b"Why?\r")
        terminal.read_until(b"Glaucoma")
        terminal.hang_up()
        assert os.WIFEXITED(terminal.wait())


def test_ctrl_q_quits_with_zero() -> None:
    with run_in_terminal(DEMO) as terminal:
        opened(terminal)
        terminal.send(b"\x11")
        assert exit_code(terminal.wait()) == 0
        assert b"The assistant was closed." in terminal.output


def test_ctrl_z_suspends_and_fg_brings_it_back() -> None:
    with run_in_terminal(DEMO) as terminal:
        opened(terminal)
        terminal.send(b"\x1a")
        assert os.WIFSTOPPED(terminal.wait(os.WUNTRACED))
        assert LEAVE_ALTERNATE_SCREEN in terminal.output
        terminal.output = b""
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.read_until(b"ype your question")  # the cursor is on the T


def test_a_bracketed_paste_of_a_megabyte_leaves_the_keys_alive() -> None:
    with run_in_terminal(DEMO) as terminal:
        opened(terminal)
        terminal.send_slowly(b"\x1b[200~" + b"word " * 200_000 + b"\x1b[201~")
        terminal.read_until(b"characters were pasted", seconds=60)
        terminal.send(b"\x11")
        assert exit_code(terminal.wait()) == 0


def test_a_window_of_one_cell_and_back() -> None:
    with run_in_terminal(DEMO, size=(1, 1)) as terminal:
        terminal.settle(1.5)
        terminal.resize(80, 24)
        opened(terminal)
        terminal.resize(1, 1)
        terminal.settle()
        terminal.output = b""
        terminal.resize(60, 20)
        opened(terminal)
