"""What the proof says, on the screen and in the log that is kept in the repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.files import write_whole

CANNOT_SHOW: Final = (
    "Alignment: qemu maps files at 4 KiB, a Pi 5's kernel at 16 KiB. The builder's static check of "
    "every library is the proof there is.",
    "JetPack: no Ubuntu was at hand. That its glibc and libstdc++ suffice is checked statically, "
    "that its Python 3.10 finds every package by the lock alone. So it is with 3.12 and 3.13.",
    "The GPU, the build for CUDA on the board, and what either needs of memory and time.",
    "systemd: units, walls, watchdog, the kiosk on a screen; the smoke answer ran without them.",
    "The engine's own walls: qemu-user does not hand a seccomp filter to the kernel.",
    "That a board is told from its device tree: there is none here, so it was named with --board; "
    "and /proc/cpuinfo is written by hand, because qemu shows this machine's.",
    "Power, sensors, heat, a supply that is too weak, an SD card, a real stick with FAT32.",
    "Speed: nothing here says how fast a board is.",
)
"""What an emulated board leaves open."""


@dataclass
class Telling:
    """The lines so far."""

    lines: list[str] = field(default_factory=list)
    failed: bool = False

    def say(self, line: str) -> None:
        """A line, for whoever watches and for the log."""
        print(line, flush=True)
        self.lines.append(line)

    def holds(self, what: str, found: bool, detail: str = "") -> None:
        """Something that was to be shown, and whether it was."""
        self.failed |= not found
        self.say(f"  {'ok  ' if found else 'FAIL'}  {what}")
        for line in detail.splitlines() if detail else ():
            self.say(f"          {line}")

    def end(self) -> None:
        """What all of this does not show, and the verdict."""
        self.say("What an emulated board cannot show:")
        for line in CANNOT_SHOW:
            self.say(f"  -  {line}")
        self.say("IT DID NOT HOLD." if self.failed else "Everything that could be shown held.")

    def keep(self, log: Path) -> None:
        """Writes the log. Raises ResourceError where it cannot be written."""
        write_whole(log, ("\n".join(self.lines) + "\n").encode())
        log.chmod(0o644)
