"""A program that prints a line every so often, and its latest whole line.

It may hang, end (`tegrastats` does across a suspend) or never say a word; whoever asks waits a
limited time and gets a reason. A program that ended is started again, but not in a tight loop.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO

from app.monitor.devices import Unavailable

FIRST_LINE_S = 3.0
START_AGAIN_S = 5.0
"""A program that ends at once would otherwise take a core for being started."""
LONGEST_LINE = 4096

Spawn = Callable[[Sequence[str]], "subprocess.Popen[bytes]"]


class LineProgram:
    """Runs while it is asked. Raises Unavailable from `latest` alone."""

    def __init__(
        self,
        command: Sequence[str],
        spawn: Spawn,
        fresh_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            command: what to start, at the first question.
            spawn: starts it; raises Unavailable.
            fresh_s: an older line is no reading.
            clock: monotonic seconds.
        """
        self._command, self._spawn, self._fresh_s, self._clock = command, spawn, fresh_s, clock
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = float("-inf")
        self._line: tuple[float, str] | None = None
        self._came = threading.Event()

    def latest(self) -> str:
        """The newest whole line. Raises Unavailable where none is new enough."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        if not self._came.wait(FIRST_LINE_S):
            raise Unavailable(f"{self._command[0]} runs and says nothing")
        line = self._line
        if line is None or self._clock() - line[0] > self._fresh_s:
            raise Unavailable(f"{self._command[0]} has said nothing for a while")
        return line[1]

    def close(self) -> None:
        """End the program."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> None:
        now = self._clock()
        if now - self._started_at < START_AGAIN_S:
            raise Unavailable(f"{self._command[0]} has ended; it is started again soon")
        self.close()
        self._started_at, self._line = now, None
        self._came = came = threading.Event()
        self._process = process = self._spawn(self._command)
        assert process.stdout is not None
        threading.Thread(
            target=self._read, args=(process.stdout, came), name="bedside-program", daemon=True
        ).start()

    def _read(self, stream: IO[bytes], came: threading.Event) -> None:
        """Take in whole lines till the program ends; a last torn one is dropped."""
        with stream:
            while line := stream.readline(LONGEST_LINE):
                if line.endswith(b"\n") and came is self._came:
                    self._line = self._clock(), line.decode("utf-8", "replace").strip()
                    came.set()
