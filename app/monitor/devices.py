"""The one seam between the monitor and the machine: files under a root, commands, the firmware.

A folder tree and a function in place of the commands make a fake board that runs everything.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import BedsideError

MAX_TEXT = 65536
"""Bytes read of any one file: all that the monitor reads are far smaller."""

COMMAND_SECONDS = 2.0
"""A command that takes longer has hung; the slowest useful one answers in 30 ms."""


class Unavailable(BedsideError):
    """A value that cannot be had. The message completes “unavailable, because …”."""


class Absent(Unavailable):
    """The sensor is not on this machine at all, unlike one that is closed or broken."""


def run_command(arguments: Sequence[str]) -> bytes:
    """What a command wrote to both streams, whatever its exit status.

    The status is not looked at: `vcgencmd` exits 0 after an error and tells it in its text.
    """
    try:
        done = subprocess.run(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        raise Absent(f"the command {arguments[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(
            f"{arguments[0]} did not answer within {COMMAND_SECONDS:.0f} s"
        ) from error
    except OSError as error:
        raise Unavailable(f"{arguments[0]} cannot be started ({error.strerror})") from error
    return done.stdout[:MAX_TEXT]


def start_program(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """A program that goes on running; what it prints is read from its `stdout`.

    Raises:
        Unavailable: it cannot be started.
    """
    try:
        return subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:
        raise Unavailable(f"{arguments[0]} cannot be started ({error.strerror})") from error


def is_installed(program: str) -> bool:
    """Whether the shell would find the program."""
    return shutil.which(program) is not None


def device_control(descriptor: int, request: int, buffer: bytearray) -> None:
    """The ioctl system call, which changes `buffer` in place."""
    fcntl.ioctl(descriptor, request, buffer, True)


@dataclass(frozen=True, slots=True)
class Devices:
    """The machine as the monitor sees it."""

    root: Path = Path("/")
    run: Callable[[Sequence[str]], bytes] = run_command
    control: Callable[[int, int, bytearray], None] = device_control
    spawn: Callable[[Sequence[str]], subprocess.Popen[bytes]] = start_program
    has_program: Callable[[str], bool] = is_installed

    def text(self, path: str) -> str:
        """A small file's text, without the white space and NUL bytes around it.

        Args:
            path: relative to the root, as `sys/class/thermal/thermal_zone0/temp`.

        Raises:
            Unavailable: the file is missing, not for us, or does not read.
        """
        try:
            with (self.root / path).open("rb") as file:
                return file.read(MAX_TEXT).decode("utf-8", "replace").strip("\0 \t\r\n")
        except FileNotFoundError as error:
            raise Absent(f"/{path} does not exist here") from error
        except PermissionError as error:
            raise Unavailable(f"/{path} may be read by root only") from error
        except OSError as error:
            raise Unavailable(f"/{path} cannot be read ({error.strerror})") from error

    def hint(self, path: str) -> str:
        """As `text`, but empty where it cannot be had: for names that only help to choose."""
        try:
            return self.text(path)
        except Unavailable:
            return ""

    def number(self, path: str) -> int:
        """A file that holds one whole number. Raises Unavailable as `text` does."""
        text = self.text(path)
        try:
            return int(text)
        except ValueError as error:
            raise Unavailable(f"/{path} holds no number") from error

    def find(self, pattern: str) -> list[str]:
        """Paths relative to the root that match, in order; empty where the folder is closed."""
        try:
            return sorted(str(path.relative_to(self.root)) for path in self.root.glob(pattern))
        except OSError:
            return []
