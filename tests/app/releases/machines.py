"""A board in a folder: its files, and programs that answer as the real ones would."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.files import disk_of
from app.releases.commands import Outcome, Run
from app.releases.host import Host
from app.releases.layout import Layout
from app.releases.manifest import Manifest
from tests.app.releases import bundles

PI5_HWCAP = 1 << 20 | 1 << 10 | 1 << 9 | 0b11
"""asimddp, asimdhp, fphp, asimd and fp, and not much else."""


def auxv(hwcap: int) -> bytes:
    """The text of /proc/self/auxv: pairs of 64-bit numbers, ended by zeros."""
    return struct.pack("<8Q", 6, 16384, 16, hwcap, 26, 0, 0, 0)


def make_board(root: Path, model: str = "Raspberry Pi 5 Model B Rev 1.0") -> Layout:
    """The files of a board that the installer looks at."""
    for path, content in {
        "proc/device-tree/model": model.encode() + b"\0",
        "proc/self/auxv": auxv(PI5_HWCAP),
        "proc/meminfo": b"MemTotal:        8245000 kB\nMemAvailable:    7700000 kB\n",
        "etc/group": b"root:x:0:\nvideo:x:44:\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return Layout(root)


class FakeMachine:
    """The programs of a board. What is wrong with a version is told by adding it to a set."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.mute: set[str] = set()
        """Versions whose program answers nothing."""
        self.dead: set[str] = set()
        """Versions whose service does not start."""
        self.falling: set[str] = set()
        """Versions whose service starts and stops again."""
        self.target = "multi-user.target"
        """What the board starts into."""
        self.layout: Layout | None = None

    def __call__(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        seconds: float = 60,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Answers as the program would."""
        self.calls.append(list(command))
        if command[0] == "ssh-keygen":
            signature = Path(command[command.index("-s") + 1]).read_bytes()
            return Outcome(0 if signature == bundles.sign(stdin) else 255)
        if command[0] == "systemctl":
            return self._systemctl(command[1])
        program = next(part for part in command if part.endswith("venv/bin/python"))
        if Path(program).resolve().parents[2].name in self.mute:
            return Outcome(5, errors="the engine failed")
        return Outcome(0, "Asthma is")

    def said_to_systemd(self) -> list[str]:
        """What systemctl was asked to do, without the questions."""
        asked = [call[1:] for call in self.calls if call[0] == "systemctl"]
        quiet = ("is-active", "show", "reset-failed", "get-default")
        return [" ".join(call) for call in asked if call[0] not in quiet]

    def _systemctl(self, verb: str) -> Outcome:
        assert self.layout is not None
        current = self.layout.pointed(self.layout.current) or ""
        if verb == "get-default":
            return Outcome(0, f"{self.target}\n")
        if verb == "start" and current in self.dead:
            return Outcome(1, errors="Job for bedside-kiosk.service failed.")
        if verb == "is-active" and current in self.falling:
            return Outcome(3)
        return Outcome(0, "0")


def make_environment(run: Run, copy: Path, manifest: Manifest, place: Path) -> None:
    """In place of pip: an environment with a program that says its version."""
    for path, content in environment_of(manifest.version).items():
        with disk_of(place):
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(content)


def environment_of(version: str) -> dict[str, str]:
    """Its files."""
    return {
        "bin/python": f"python of {version}",
        "bin/bedside": f"bedside {version}",
        "share/bedside/models/catalog.toml": 'default = "other"\n\n[[model]]\nname = "toy-1m"\n',
    }


def make_host(layout: Layout, machine: FakeMachine, *, systemd: bool = True) -> Host:
    """The board with its programs; what is told goes nowhere."""
    machine.layout = layout
    if systemd:
        (layout.root / "run/systemd/system").mkdir(parents=True, exist_ok=True)
    return Host(
        layout,
        tell=lambda _sentence: None,
        run=machine,
        make_environment=make_environment,
        pause=lambda _seconds: None,
        systemd=systemd,
    )
