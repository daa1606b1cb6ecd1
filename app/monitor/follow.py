"""Follows the run logs of a folder as they grow, for a process that only watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.monitor.logreader import decode
from app.monitor.logwriter import SUFFIX
from app.monitor.runlog import End, Header, Sample, TurnRecord

MOST_AT_ONCE = 32 * 2**20


@dataclass(frozen=True, slots=True)
class State:
    """What the newest run has brought so far."""

    header: Header
    sample: Sample | None = None
    turn: TurnRecord | None = None
    """The latest one."""
    answers: int = 0
    generated: int = 0
    evaluated: int = 0
    energy_j: float | None = None
    """Of the answers whose energy is known; None while there is none."""
    ended: bool = False
    age_s: float = 0.0
    """Since the log was last written to."""


class Follower:
    """The newest log in a folder; each look reads what has come since the last one."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """
        Args:
            folder: where run logs are kept; it need not exist yet.
            clock: the time of day, as files are stamped with it.
        """
        self._folder, self._clock = folder, clock
        self._path: Path | None = None
        self._offset = 0
        self._state: State | None = None

    def look(self) -> State | None:
        """The state now; None where there is no run log that can be read."""
        try:
            newest = self._newest()
            if newest is None:
                return None
            if newest != self._path:
                self._path, self._offset = newest, 0
            self._read_on(newest)
            age = max(0.0, self._clock() - newest.stat().st_mtime)
        except FileNotFoundError:  # rotation removed it between two calls
            self._path = self._state = None  # what is read from the start is counted from nothing
            return None
        return None if self._state is None else replace(self._state, age_s=age)

    def _newest(self) -> Path | None:
        changed: dict[Path, int] = {}
        for path in self._folder.glob(f"*{SUFFIX}"):
            with suppress(FileNotFoundError):  # gone meanwhile: another one's, or the newest next
                changed[path] = path.stat().st_mtime_ns
        return max(changed, key=lambda path: (changed[path], path.name), default=None)

    def _read_on(self, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self._offset)
            new = file.read(MOST_AT_ONCE)
        whole = new[: new.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        record = decode(line)
        if isinstance(record, Header):
            if self._state is None or self._state.header.id != record.id:
                self._state = State(record)
            return
        state = self._state
        if state is None:
            return
        match record:
            case Sample():
                self._state = replace(state, sample=record)
            case TurnRecord():
                self._state = replace(
                    state,
                    turn=record,
                    answers=state.answers + 1,
                    generated=state.generated + record.generated,
                    evaluated=state.evaluated + record.evaluated,
                    energy_j=_sum(state.energy_j, record.energy_j),
                )
            case End():
                self._state = replace(state, ended=True)


def _sum(known: float | None, more: float | None) -> float | None:
    return known if more is None else (known or 0.0) + more
