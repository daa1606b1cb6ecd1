"""Programs of the system, called with a clean environment and a limit on their time."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from app.sanitise import one_line

MISSING: Final = 127
"""Exit status of a program that is not there, as shells have it."""
OVERDUE: Final = 124
"""Exit status of one that took too long, as timeout(1) has it."""

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
    "PIP_CONFIG_FILE": "/dev/null",
}
"""What a program may know of whoever called it: settings of pip and of Python could lead it to
other packages than the bundle's."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended."""

    status: int
    output: str = ""
    errors: str = ""

    @property
    def ok(self) -> bool:
        """Whether it did what it was called for."""
        return self.status == 0

    @property
    def reason(self) -> str:
        """Its last line, for a complaint."""
        lines = (self.errors.strip() or self.output.strip()).splitlines()
        return one_line(lines[-1]) if lines else f"it ended with {self.status}"


class Run(Protocol):
    """Calls a program; tests have their own."""

    def __call__(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        seconds: float = 60,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        """How it ended. Never raises: a program that is missing or hangs has a status too."""
        ...


def run(
    command: Sequence[str],
    *,
    stdin: bytes = b"",
    seconds: float = 60,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Calls a program of this machine.

    Args:
        command: the program and its arguments; no shell reads them.
        stdin: what it is given to read.
        seconds: after which it is killed.
        environment: over the clean one.
    """
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            timeout=seconds,
            check=False,
            cwd="/",
            env={**_ENVIRONMENT, **(environment or {})},
        )
    except subprocess.TimeoutExpired:
        return Outcome(OVERDUE, errors=f"{command[0]} took longer than {seconds:g} s")
    except OSError as error:
        return Outcome(MISSING, errors=f"{command[0]}: {error.strerror}")
    return Outcome(done.returncode, _text(done.stdout), _text(done.stderr))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
