"""A run as a report needs it: all parts of its log, in one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from stat import S_ISREG

from app.errors import UsageError
from app.monitor.logreader import RunLog, read_log
from app.monitor.logwriter import SUFFIX
from app.named_file import stat_of
from app.sanitise import one_line


def find_run(name: str, folder: Path) -> Path:
    """The log that a path, an id, the start of one, or `last` means.

    Raises:
        UsageError: there is none, or several begin like that.
    """
    path = Path(name)
    stands = stat_of(path)
    if stands is not None and S_ISREG(stands.st_mode):
        return path
    logs = sorted(folder.glob(f"*-001{SUFFIX}")) or sorted(folder.glob(f"*{SUFFIX}"))
    if name == "last" and logs:
        return max(logs, key=lambda log: log.stat().st_mtime_ns)
    found = [log for log in logs if log.name.startswith(name)] if name else []
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"Several runs begin with “{one_line(name, 60)}”. Give more of the id.")
    raise UsageError(
        f"There is no run “{one_line(name, 60)}”. Run logs are kept in "
        f"{one_line(str(folder))}; give a file, an id from there, or `last`."
    )


def read_run(path: Path) -> RunLog:
    """The run of which this file is a part, with all of its parts that are still there.

    Raises:
        BadInputError: a file does not open, is no run log, or is of a newer schema.
    """
    log = read_log(path)
    stem = f"{log.header.id}-"
    if not path.name.startswith(stem):  # renamed or copied: then it stands for itself
        return log
    parts = sorted(path.parent.glob(f"{stem}*{SUFFIX}"))
    return joined([read_log(part) for part in parts])


def joined(parts: Sequence[RunLog]) -> RunLog:
    """One run of its parts, in their order; what is missing between them is told."""
    first = parts[0]
    return replace(
        first,
        samples=tuple(one for part in parts for one in part.samples),
        turns=tuple(one for part in parts for one in part.turns),
        notes=tuple(one for part in parts for one in part.notes),
        end=parts[-1].end,
        damage=tuple(_damage(parts)),
    )


def _damage(parts: Sequence[RunLog]) -> Iterator[str]:
    expected = 1
    for part in parts:
        if part.header.part != expected:
            yield f"Part {expected} of the log is missing: rotation removes the oldest files first."
        expected = part.header.part + 1
        yield from part.damage
