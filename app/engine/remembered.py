"""What this machine taught us once: that llama.cpp's own CPU kernels crash on it.

On some x86 processors the kernels behind llama.cpp's extra buffers end the process at the first
decode of a k-quant file. The engine then runs without them; the finding is kept for this processor
and this version of the library, so that the crash happens once and not at every start.
"""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from app.files import exchanged

_FILE = "extra-buffers-crash.json"


@dataclass(frozen=True, slots=True)
class Machine:
    """What the finding holds for."""

    cpu: str
    llama_cpp: str


def this_machine(llama_cpp: str, cpuinfo: Path = Path("/proc/cpuinfo")) -> Machine:
    """The processor, by its model name and features, and the library's version."""
    wanted = ("model name", "flags", "Features")
    try:
        lines = cpuinfo.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    found = [line for line in lines if line.startswith(wanted)][:2]
    return Machine(" ".join([platform.machine(), *found]), llama_cpp)


def crashed_before(folder: Path, machine: Machine) -> bool:
    """Whether the extra buffers crashed on such a machine. An unreadable note is none."""
    return asdict(machine) in _notes(folder)


def remember_crash(folder: Path, machine: Machine) -> None:
    """Keep the finding. Raises OSError."""
    notes = [note for note in _notes(folder) if note != asdict(machine)]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with exchanged(folder / _FILE) as place:
        place.write_text(json.dumps([*notes, asdict(machine)], indent=1) + "\n")


def _notes(folder: Path) -> list[dict[str, str]]:
    try:
        notes = json.loads((folder / _FILE).read_text())
    except (OSError, ValueError, RecursionError):
        return []
    return notes if isinstance(notes, list) else []
