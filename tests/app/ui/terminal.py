"""A program in a pseudo terminal of its own, as its controlling terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.shared import ROOT


class Terminal:
    """The master's side: what the program wrote, and a keyboard."""

    def __init__(self, pid: int, master: int) -> None:
        self.pid = pid
        self.output = b""
        self._master = master

    def read_until(self, words: bytes, seconds: float = 20.0) -> float:
        """Read until the words have come. Returns when, on the monotonic clock."""
        end = time.monotonic() + seconds
        while words not in self.output:
            wait = end - time.monotonic()
            if wait < 0 or not self._read(wait):
                raise AssertionError(f"{words!r} did not come in {self.output[-2000:]!r}")
        return time.monotonic()

    def settle(self, seconds: float = 0.3) -> None:
        """Read until nothing comes for a while."""
        while self._read(seconds):
            pass

    def settle_for(self, seconds: float) -> None:
        """Take what comes for so long."""
        end = time.monotonic() + seconds
        while (wait := end - time.monotonic()) > 0:
            self._read(wait)

    def send(self, keys: bytes) -> None:
        """Type."""
        os.write(self._master, keys)

    def send_slowly(self, keys: bytes) -> None:
        """Type more than a terminal's buffer holds, reading what comes back meanwhile."""
        while keys:
            _, ready, _ = select.select([], [self._master], [], 1.0)
            if ready:
                keys = keys[os.write(self._master, keys[:1024]) :]
            self._read(0)

    def resize(self, columns: int, rows: int) -> None:
        """Change the window, as a terminal does."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def local_flags(self) -> int:
        """The terminal's modes; a program that ends must leave them as they were."""
        return int(termios.tcgetattr(self._master)[3])

    def wait(self, options: int = 0, seconds: float = 20.0) -> int:
        """The status of the program once it changed, as `os.waitpid` has it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._read(0.02)
            pid, status = os.waitpid(self.pid, options | os.WNOHANG)
            if pid:
                return status
        raise AssertionError(f"The program went on; it wrote {self.output[-2000:]!r}")

    def hang_up(self) -> None:
        """Take the terminal away."""
        os.close(self._master)
        self._master = -1

    def _read(self, seconds: float) -> bool:
        """Whether something came."""
        if self._master < 0:
            time.sleep(seconds)
            return False
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # the program has closed its side
            return False
        self.output += piece
        return bool(piece)


@contextmanager
def run_in_terminal(
    module: str,
    *arguments: str,
    size: tuple[int, int] = (80, 24),
    environ: Mapping[str, str] | None = None,
    controlled: bool = True,
) -> Iterator[Terminal]:
    """Run `python -m module` in a terminal of so many columns and rows, until the block ends.

    With `controlled` false the terminal is not the process's controlling one: no SIGHUP comes
    when it goes away.
    """
    command = [sys.executable, "-m", module, *arguments]
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        if not controlled:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # giving it up sends one
            fcntl.ioctl(0, termios.TIOCNOTTY)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.execve(command[0], command, {**os.environ, "TERM": "linux", **(environ or {})})
    terminal = Terminal(pid, master)
    terminal.resize(*size)
    try:
        yield terminal
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        if terminal._master >= 0:
            terminal.hang_up()
