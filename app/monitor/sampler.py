"""One thread that looks at the machine once a second and tells whoever listens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from app.monitor.devices import Devices
from app.monitor.history import History
from app.monitor.panel import Row
from app.monitor.power import Kind
from app.monitor.reading import Reading, unread
from app.monitor.sensors import DEADLINE_S, Sensors

Listener = Callable[[Reading], None]


class Board(Protocol):
    """What a sampler reads: `Sensors` on a machine, `Replay` of a recorded run."""

    @property
    def kind(self) -> Kind | None: ...

    @property
    def cpu_s(self) -> float: ...

    def read(self, engine_pid: int | None) -> Reading: ...

    def close(self) -> None: ...


class Sampler:
    """Reads once an interval, in a thread of its own; finding the sensors happens there too.

    Listeners are called in that thread, in the order they came; they must be quick.
    """

    def __init__(
        self,
        devices: Devices | None = None,
        interval_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        board: Callable[[], Board] | None = None,
    ) -> None:
        """
        Args:
            devices: the machine.
            interval_s: from one reading to the next.
            clock: monotonic seconds.
            board: opens what is read in place of the machine's sensors, in the sampler's thread;
                a recorded run, for one.
        """
        self.interval_s = interval_s
        self.engine_pid: Callable[[], int | None] = lambda: None
        """Tells the process whose memory is watched, at each reading anew: the engine gets another
        one after a crash."""
        self._clock = clock
        devices = devices or Devices()
        self._open_board: Callable[[], Board] = board or (lambda: Sensors(devices, clock))
        self.history = History()
        """The last minute."""
        self._listeners: list[Listener] = [self.history.on_reading]
        self._latest = unread(clock())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bedside-monitor", daemon=True)
        self._sensors: Board | None = None
        self._own_cpu_s = 0.0

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Take a last reading and end the thread, so that a turn that just ended is covered."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=4 * DEADLINE_S)

    def latest(self) -> Reading:
        """The last reading; before the first one, a reading without values that says so."""
        return self._latest

    def recent(self) -> Sequence[Row]:
        """The last minute as rows for a screen, with the budget and a warning before it."""
        return self.history.rows()

    def listen(self, listener: Listener) -> None:
        """Tell every reading from now on."""
        self._listeners.append(listener)

    def ignore(self, listener: Listener) -> None:
        """Tell it no longer."""
        self._listeners.remove(listener)

    @property
    def power_kind(self) -> Kind | None:
        """The power source that was chosen; None before it is found and where there is none."""
        return self._sensors.kind if self._sensors else None

    @property
    def cpu_s(self) -> float:
        """Processor seconds that monitoring has taken, without commands that it started."""
        return self._own_cpu_s + (self._sensors.cpu_s if self._sensors else 0.0)

    def _run(self) -> None:
        sensors = self._sensors = self._open_board()
        due = self._clock()
        while not self._stop.wait(max(0.0, due - self._clock())):
            self._look(sensors)
            # Looks that were missed are not made up for: they would be no readings of their time.
            due = max(due + self.interval_s, self._clock())
        self._look(sensors)
        sensors.close()

    def _look(self, sensors: Board) -> None:
        self._latest = reading = sensors.read(self.engine_pid())
        for listener in tuple(self._listeners):
            listener(reading)
        self._own_cpu_s = time.thread_time()
