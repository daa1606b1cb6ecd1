"""One short answer by a release's own program, before it is trusted with the board.

With systemd it runs under the very walls of the unit that will run it: a system call or a device
that those walls forbid shows here, and not when the kiosk stays dark.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.errors import EngineError
from app.files import disk_of
from app.releases.commands import OVERDUE
from app.releases.host import Host
from app.releases.units import units_of

QUESTION = "What is asthma?"
SECONDS = 900
"""An 8B model reads its prompt at a few tokens a second on a Pi; an emulator is slower still."""

_NOT_WALLS = re.compile(
    r"Exec|Type$|Restart|Watchdog|Notify|Standard|TTY|Utmp|Timeout|RuntimeMax|KillMode|SendSIG"
    r"|GuessMainPID|RemainAfterExit|PIDFile|BusName|FileDescriptor|Syslog|LogsDirectory|PAMName"
    r"|SuccessExit|OOMPolicy"
)
"""How a unit starts, ends and draws; everything else of its [Service] holds for the answer too."""
_SPECIFIERS = {"%S": "/var/lib", "%C": "/var/cache", "%t": "/run", "%%": "%"}


def smoke_answer(host: Host, release: Path, service: str | None) -> None:
    """Let a release answer a question.

    Args:
        host: the machine.
        release: its folder, or `current`.
        service: the unit whose walls it stands behind, as `bedside-kiosk.service`; None where
            no unit is set up.

    Raises:
        EngineError: there was no answer; the sentence says why.
    """
    if service is not None and host.has_systemd:
        host.tell("Asking the new release a question, behind the walls of its service.")
        _ask(host, [*_walled(release, service), *_question(release)], {})
        return
    host.tell("Asking the release a question, plainly: there is no service whose walls to use.")
    with disk_of(release), tempfile.TemporaryDirectory(prefix="bedside-smoke-") as home:
        _ask(host, _question(release), {"HOME": home})


def walls(unit: str) -> Iterator[str]:
    """The walls in a unit's text, or a drop-in's, as systemd-run takes them: `ProtectHome=yes`."""
    inside = False
    for line in unit.replace("\\\n", " ").splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            inside = stripped == "[Service]"
        elif inside and "=" in stripped and stripped[0] not in "#;":
            name, value = (part.strip() for part in stripped.split("=", 1))
            if not _NOT_WALLS.match(name):
                yield f"{name}={_specified(value)}"


def _ask(host: Host, command: list[str], environment: dict[str, str]) -> None:
    outcome = host.run(command, seconds=SECONDS, environment=environment)
    if outcome.status == OVERDUE:
        raise EngineError(f"The new release gave no answer within {SECONDS // 60} minutes.")
    if not outcome.ok:
        raise EngineError(f"The new release could not answer a question ({outcome.reason}).")
    if not outcome.output.strip():
        raise EngineError("The new release answered a question with nothing at all.")


def _question(release: Path) -> list[str]:
    greedy = ("--temperature", "0", "--max-tokens", "16", "--no-log")
    return [str(release / "venv/bin/python"), "-I", "-m", "app", "ask", *greedy, QUESTION]


def _walled(release: Path, service: str) -> list[str]:
    """The walls of the unit and of the release's drop-ins. An administrator's own are left out:
    one of them may need what does not run yet, as an X server."""
    own = [path for name, path in units_of(release).items() if name.startswith(service)]
    kept = [wall for path in own for wall in walls((release / path).read_text("utf-8"))]
    command = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--service-type=exec"]
    return [*command, *(f"--property={wall}" for wall in kept)]


def _specified(value: str) -> str:
    """A value with systemd's specifiers filled in, which systemd-run leaves as they are."""
    return re.sub("%.", lambda found: _SPECIFIERS.get(found[0], found[0]), value)
