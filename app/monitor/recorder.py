"""Writes one run into its log: samples as the monitor takes them, turns as they end."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from app.engine.messages import Finished, Loaded
from app.errors import ResourceError
from app.monitor import energy
from app.monitor.devices import Devices
from app.monitor.logwriter import LogWriter
from app.monitor.reading import Reading
from app.monitor.runheader import RunFacts, make_header
from app.monitor.runlog import End, MemoryFacts, Note, Record, Sample, TurnRecord
from app.monitor.sampler import Sampler

SHORTEST_SLEEP_S = 0.5
"""The two clocks drift by far less between two readings."""

REMEMBERED = 3600
"""Power readings kept for a turn's energy: an hour at one a second, longer than any answer."""


class RunRecorder:
    """One run's log. The assistant tells it each turn, the sampler each reading.

    A turn is written with the first reading after its end, since only then its power is spanned.
    When the log cannot be written (the disk is full), the run goes on without it: `on_problem` is
    told once, in the thread that met the problem, which may be the monitor's.
    """

    def __init__(
        self,
        folder: Path,
        board: str,
        on_problem: Callable[[str], None],
        devices: Devices | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            folder: where run logs are kept; it is made when the first one is written.
            board: the profile's id.
            on_problem: gets one sentence when logging ends early.
            devices: where the clock's governor is read.
            clock: the monotonic clock of the readings and turns.
        """
        self._folder = folder
        self._board = board
        self._on_problem = on_problem
        self._devices = devices or Devices()
        self._clock = clock
        self._lock = threading.Lock()
        self._sampler: Sampler | None = None
        self._begin: RunFacts | None = None
        self._writer: LogWriter | None = None
        self._started_at = 0.0
        self._powers: deque[tuple[float, float | None]] = deque(maxlen=REMEMBERED)
        self._pending: list[TurnRecord] = []
        self._told: dict[str, str] = {}
        self._last_at: float | None = None
        self._suspended_s: float | None = None
        self._sleeps: list[float] = []

    def start(
        self,
        model: Loaded,
        sha256: str | None,
        threads: int,
        sampler: Sampler,
        prefill_threads: int | None = None,
        idle_w: float | None = None,
        memory: MemoryFacts | None = None,
    ) -> None:
        """Begin a run; the header is written with the next reading, which tells the power source.

        Args:
            model: what the engine opened.
            sha256: of the model's file, where it is known.
            threads: decode threads.
            sampler: whose readings the log keeps.
            prefill_threads: threads that read the prompt.
            idle_w: power with the model loaded and nothing to do, where it was measured.
            memory: what bounds decoding, where a bench has measured it.
        """
        now = datetime.now(timezone.utc)
        facts = RunFacts(now, self._board, model, sha256, threads, prefill_threads, idle_w, memory)
        self._begin = facts
        self._started_at = self._clock()
        self._sampler = sampler
        # A question that is asked at once begins between this reading and the run's first.
        before = sampler.latest()
        self._powers.append((self._since_start(before.at), before.power_w))
        sampler.listen(self.on_reading)

    def on_reading(self, reading: Reading) -> None:
        """Log a reading, and the turns that it completes."""
        with self._lock:
            self._open(reading)
            self._note_gap(reading)
            self._powers.append((self._since_start(reading.at), reading.power_w))
            self._note_missing(reading)
            self._write(_sample(self._since_start(reading.at), reading))
            self._settle()

    def turn_finished(
        self, finished: Finished, asked_at: float, first_text_at: float | None, ended_at: float
    ) -> None:
        """Take in a turn that ended (times on the monotonic clock)."""
        since = self._since_start
        first = None if first_text_at is None else since(first_text_at)
        turn = energy.unmeasured(finished, since(asked_at), first, since(ended_at))
        with self._lock:
            self._pending.append(turn)

    def end(self, reason: str) -> None:
        """End the run, after the sampler has stopped and so taken its last reading."""
        if self._sampler is None:
            return
        self._sampler.ignore(self.on_reading)
        with self._lock:
            self._open(self._sampler.latest())
            self._settle(at_end=True)
            self._write(End(self._since_start(self._clock()), reason))
            if self._writer is not None:
                self._writer.close()
            self._writer = self._sampler = None

    def _settle(self, at_end: bool = False) -> None:
        """Write the turns that a reading has passed, at the end all of them."""
        latest = self._powers[-1][0] if self._powers else 0.0
        ready = [turn for turn in self._pending if at_end or turn.t1 <= latest]
        self._pending = [turn for turn in self._pending if turn not in ready]
        for turn in ready:
            measured, found = self._with_energy(turn)
            if found.reason and "power_w" not in self._told:
                self._write(Note(turn.t1, found.reason, "energy_j"))
            self._write(measured)

    def _with_energy(self, turn: TurnRecord) -> tuple[TurnRecord, energy.Energy]:
        """The turn with its joules: of all of it, of its prefill and of its decoding."""
        if any(turn.t0 <= at <= turn.t1 for at in self._sleeps):
            return turn, energy.Energy(None, 0, "the machine was suspended in the turn")
        return energy.of_turn(turn, self._powers, self._longest_gap())

    def _note_gap(self, reading: Reading) -> None:
        """Say where the machine slept, or was so busy that it was not looked at."""
        at, before = self._since_start(reading.at), self._last_at
        slept = reading.suspended_s - (self._suspended_s or 0.0)
        if before is not None and self._suspended_s is not None and slept > SHORTEST_SLEEP_S:
            self._sleeps.append((before + at) / 2)
            self._write(Note(at, f"the machine was suspended for {slept:.0f} s", "gap"))
        elif before is not None and at - before > self._longest_gap():
            self._write(Note(at, f"nothing was read for {at - before:.1f} s", "gap"))
        self._last_at, self._suspended_s = at, reading.suspended_s

    def _longest_gap(self) -> float:
        interval = self._sampler.interval_s if self._sampler else 1.0
        return max(energy.LONGEST_GAP_S, 3 * interval)

    def _note_missing(self, reading: Reading) -> None:
        """Say once why a field is null, and again only when the reason is another."""
        for name, reason in reading.unavailable.items():
            if self._told.get(name) != reason:
                self._write(Note(self._since_start(reading.at), reason, name))
                self._told[name] = reason

    def _open(self, reading: Reading) -> None:
        """Write the header once, with what the first reading lacks."""
        if self._begin is None or self._sampler is None:
            return
        facts, self._begin = self._begin, None
        rate_hz = 1 / self._sampler.interval_s
        header = make_header(facts, reading, self._sampler.power_kind, rate_hz, self._devices)
        self._told.update(reading.unavailable)
        try:
            self._writer = LogWriter(self._folder, header)
        except ResourceError as error:
            self._on_problem(str(error))

    def _write(self, record: Record) -> None:
        if self._writer is None:
            return
        try:
            self._writer.write(record)
        except ResourceError as error:
            self._writer = None
            self._on_problem(str(error))

    def _since_start(self, at: float) -> float:
        return at - self._started_at


def _sample(t: float, reading: Reading) -> Sample:
    return Sample(
        t=t,
        power_w=reading.power_w,
        temp_c=reading.temp_c,
        clock_mhz=reading.clock_mhz,
        cpu=reading.cpu,
        engine_rss=reading.engine_rss,
        available=reading.available_bytes,
        throttled=reading.throttled,
        gpu_load=reading.gpu_load,
        gpu_mhz=reading.gpu_mhz,
    )
