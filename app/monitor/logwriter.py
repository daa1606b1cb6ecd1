"""Appends a run log's lines to its files, and keeps the folder below its size.

Each line is one write to a file opened for appending, without a buffer: a process that is killed
loses nothing that was written, and at most a torn last line is left, which the reader drops. There
is no fsync: a power cut may cost the last seconds of a measurement, which is not worth wearing out
an SD card once a second.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from app.errors import ResourceError
from app.monitor.runlog import Header, Record, encode

PART_BYTES = 8 * 2**20
"""A file is closed at this size: about 12 hours at one sample a second."""

FOLDER_BYTES = 128 * 2**20
"""The oldest files go when all together are more: a week at one sample a second is kept whole."""

SUFFIX = ".jsonl"


class LogWriter:
    """One run's files, the first of which is made on creation."""

    def __init__(
        self,
        folder: Path,
        header: Header,
        part_bytes: int = PART_BYTES,
        folder_bytes: int = FOLDER_BYTES,
    ) -> None:
        """Raises ResourceError where the folder or the file cannot be made."""
        self._folder = folder
        self._header = header
        self._part_bytes = part_bytes
        self._folder_bytes = folder_bytes
        self._descriptor: int | None = None
        self._written = 0
        self._open(header)

    @property
    def path(self) -> Path:
        """The file that is being written."""
        return self._folder / f"{self._header.id}-{self._header.part:03}{SUFFIX}"

    def write(self, record: Record) -> None:
        """Append a line. Raises ResourceError where it did not fit; the log is then closed."""
        line = encode(record)
        if self._written + len(line) > self._part_bytes:
            self.close()
            self._open(dataclasses.replace(self._header, part=self._header.part + 1))
        self._append(line)

    def close(self) -> None:
        """Close the file; twice does no harm."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self, header: Header) -> None:
        self._header = header
        self._written = 0
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            remove_oldest(self._folder, self._folder_bytes - self._part_bytes)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise _failed(error) from error
        self._append(encode(header))

    def _append(self, line: bytes) -> None:
        if self._descriptor is None:
            raise ResourceError("The run log is closed.")
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            self.close()
            raise _failed(error) from error
        if written < len(line):
            self.close()
            raise ResourceError("The disk is full, so this run is not logged any further.")
        self._written += written


def remove_oldest(folder: Path, most_bytes: int) -> None:
    """Delete the oldest run logs of a folder until the others take at most `most_bytes`.

    Raises:
        OSError: a file cannot be deleted.
    """
    files = sorted(_logs(folder))
    excess = sum(size for _, _, size in files) - most_bytes
    for _, name, size in files:
        if excess <= 0:
            return
        (folder / name).unlink(missing_ok=True)
        excess -= size


def _logs(folder: Path) -> Iterator[tuple[int, str, int]]:
    """Time of the last change, name and bytes of each run log."""
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            status = path.stat()
        except FileNotFoundError:  # another run removed it meanwhile
            continue
        yield status.st_mtime_ns, path.name, status.st_size


def _failed(error: OSError) -> ResourceError:
    return ResourceError(f"This run is not logged any further: {error.strerror or error}.")
