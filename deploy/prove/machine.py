"""The emulated board: a system, what was changed on it, and programs that run there."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.errors import CheckError
from app.sanitise import clean
from deploy.prove.rootfs import HERE

PI_5: Final = "cortex-a76"
PI_4: Final = "cortex-a72"
"""Without the dot product."""
_FEATURES: Final = {
    PI_5: "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc "
    "dcpop asimddp",
    PI_4: "fp asimd evtstrm crc32 cpuid",
}
"""As Linux's /proc/cpuinfo has them on these boards."""
_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Done:
    """How a program on the board ended."""

    status: int
    output: str
    errors: str

    @property
    def words(self) -> str:
        """What it said, one text."""
        return (self.output + self.errors).strip()


@dataclass(frozen=True, slots=True)
class Board:
    """One board. Its system is shared; what was changed on it is its own."""

    rootfs: Path
    changes: Path
    bundles: Path
    """What lies on the stick, which cannot be written or executed from."""
    processor: str = PI_5
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, stdin: str = "") -> Done:
        """Runs a program there, with no network at all, and waits for its end."""
        self.changes.mkdir(parents=True, exist_ok=True)
        cpuinfo = self.changes / "cpuinfo"
        cpuinfo.write_text(cpuinfo_of(self.processor))
        apart = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
        places = [self.rootfs, self.changes, self.bundles, cpuinfo]
        entered = ["sh", HERE / "enter.sh", *places, self.processor, *command]
        home = {"HOME": "/root", "LC_ALL": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin:/sbin"}
        found = subprocess.run(
            [*apart, *map(str, entered)],
            env={**home, "PATH": f"{home['PATH']}:/usr/sbin", **self.environment},
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
        return Done(found.returncode, clean(found.stdout), clean(found.stderr))

    def must(self, *command: str, stdin: str = "") -> str:
        """What a program wrote that must end well. Raises CheckError where it does not."""
        done = self.run(*command, stdin=stdin)
        if done.status:
            raise CheckError(
                f"{' '.join(command)} ended with {done.status} on the board:\n{done.words}"
            )
        return done.output

    def forget(self) -> None:
        """Makes the board as it was before anything was done on it."""
        shutil.rmtree(self.changes, ignore_errors=True)


def cpuinfo_of(processor: str) -> str:
    """What stands for /proc/cpuinfo, which qemu shows of the machine below."""
    core = f"processor\t: {{}}\nBogoMIPS\t: 108.00\nFeatures\t: {_FEATURES[processor]}\n"
    return "\n".join(core.format(place) for place in range(4))
