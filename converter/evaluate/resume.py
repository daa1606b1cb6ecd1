"""What a run has answered so far, kept beside its output until the report is written.

JSON lines: the first says what is asked of which model, each other one holds a batch of outcomes
with its checksum. A batch is one write, so a run that is killed loses the batch it was at, and a
disk that fills leaves half a line, which is dropped and told. Batches are planned alike in every
run and numbers are written so that they are read back exactly; thus what comes after a stop is,
byte for byte, what would have come without it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from app.errors import BadInputError, ResourceError, UsageError
from app.sanitise import one_line
from converter.evaluate.outcome import Outcome
from converter.evaluate.typed import decode

_FRAME = b'{"crc32":"'
"""How every line begins."""
_LARGEST = 1 << 30
"""Bytes; a hundred thousand written answers take a tenth of it."""


@dataclass(frozen=True, slots=True)
class _Batch:
    outcomes: tuple[Outcome, ...]
    seconds: float
    """Of all sittings until it was answered."""


class Kept:
    """The outcomes of a run, in a file that grows. A context manager: it is open for one run."""

    def __init__(self, path: Path, asked: Mapping[str, Any], *, resume: bool) -> None:
        """Begin the file, or go on with the one that is there.

        Args:
            path: where it is; the name is told when a run stops.
            asked: everything that the outcomes depend on, in JSON's types.
            resume: whether to go on; nothing there is no fault then.

        Raises:
            UsageError: a file is there and is not to be gone on with, or is another run's.
            BadInputError: the file is damaged before its end.
            ResourceError: the disk is full or failing.
        """
        self.path = path
        self.outcomes: list[Outcome] = []
        """What earlier sittings have answered."""
        self.seconds = 0.0
        """Of wall clock in those sittings."""
        self.torn = False
        """Whether the end of the file was torn, and dropped."""
        self._name = one_line(str(path))
        self.count = 0
        """Of all outcomes that the file holds."""
        try:
            self._descriptor = os.open(
                path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise self._told(error) from error
        try:
            self._lock()
            self._begin(asked, resume)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Kept:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def append(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Keep a batch; `seconds` are those of all sittings until now.

        Raises:
            ResourceError: the disk is full or failing.
        """
        self._write(asdict(_Batch(tuple(outcomes), seconds)))
        self.count += len(outcomes)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"Another run is writing {self._name}; wait for it, or name another output."
            ) from error

    def _begin(self, asked: Mapping[str, Any], resume: bool) -> None:
        lines, end = self._lines()
        if lines and "asked" not in lines[0]:
            raise self._foreign()
        if len(lines) < 2:  # nothing is answered yet
            os.ftruncate(self._descriptor, 0)
            self._write({"asked": dict(asked)})
            return
        if not resume:
            raise UsageError(
                f"{self._name} holds the answers of a run that did not end; go on with --resume, "
                "or take the file away to begin anew."
            )
        self._check_same(lines[0].get("asked"), asked)
        for line in lines[1:]:
            batch = decode(_Batch, line, f"A line of {self._name}")
            self.outcomes += batch.outcomes
            self.seconds = batch.seconds
        self.count = len(self.outcomes)
        os.ftruncate(self._descriptor, end)

    def _lines(self) -> tuple[list[dict[str, Any]], int]:
        """The whole lines of the file, and where they end."""
        if os.fstat(self._descriptor).st_size > _LARGEST:
            raise BadInputError(f"{self._name} is too large to be a run's; take it away.")
        raw = self.path.read_bytes()
        found: list[dict[str, Any]] = []
        end = 0
        lines = raw.split(b"\n")
        if _record(lines[0]) is None and not _is_torn_start(raw):
            raise self._foreign()
        for number, line in enumerate(lines, 1):
            record = _record(line) if number < len(lines) else None
            if record is None:
                self.torn = end < len(raw)
                if number < len(lines) - 1:
                    raise BadInputError(
                        f"Line {number} of {self._name} is damaged, and more follows it; take the "
                        "file away and begin anew."
                    )
                break
            found.append(record)
            end += len(line) + 1
        return found, end

    def _check_same(self, before: Any, asked: Mapping[str, Any]) -> None:
        if not isinstance(before, dict):
            raise self._foreign()
        other = sorted(key for key in {*before, *asked} if before.get(key) != asked.get(key))
        if other:
            raise UsageError(
                f"{self._name} is of a run with other {', '.join(other)}; give what was given "
                "then, name another output, or take the file away."
            )

    def _foreign(self) -> BadInputError:
        return BadInputError(
            f"{self._name} is no run's file and would be lost; take it away, or name another "
            "output."
        )

    def _write(self, content: Mapping[str, Any]) -> None:
        body = _dumped(content)
        line = _FRAME + f'{zlib.crc32(body.encode()):08x}","record":{body}}}\n'.encode()
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError as error:
            raise self._told(error) from error

    def _told(self, error: OSError) -> UsageError | ResourceError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return ResourceError(
                f"The disk filled up while {self._name} was written; {self.count:,} "
                "answers are kept there. Make room and go on with --resume."
            )
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.EISDIR):
            return UsageError(f"{self._name} cannot be written there: {error.strerror}.")
        return ResourceError(f"Writing {self._name} failed: {error.strerror}.")


def _is_torn_start(raw: bytes) -> bool:
    """Whether there is nothing, or what a run leaves that is killed at its first line."""
    return b"\n" not in raw and (raw.startswith(_FRAME) or _FRAME.startswith(raw))


def _dumped(content: Mapping[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"), sort_keys=True)


def _record(line: bytes) -> dict[str, Any] | None:
    """What a line holds, or None where it is not as it was written."""
    try:
        framed = json.loads(line)
        record = framed["record"]
        whole = framed["crc32"] == f"{zlib.crc32(_dumped(record).encode()):08x}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return record if whole and isinstance(record, dict) else None
