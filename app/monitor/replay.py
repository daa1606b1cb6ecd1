"""A recorded run as a board: the log's samples at their times, for whatever reads a board."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from app.errors import BadInputError
from app.monitor.devices import Absent, Devices
from app.monitor.logreader import RunLog
from app.monitor.power import Kind, PowerReader
from app.monitor.reading import READ_FIELDS, Reading
from app.monitor.runlog import Sample

STALE_S = 3.0
"""A sample that is older at its time is no reading: nothing was recorded there."""


class Replay:
    """Reads as `Sensors` does; the run begins with the first reading."""

    cpu_s = 0.0

    def __init__(self, log: RunLog, speed: float, clock: Callable[[], float]) -> None:
        """
        Args:
            log: the run.
            speed: seconds of the run in a second.
            clock: monotonic seconds.

        Raises:
            BadInputError: the run holds no sample.
        """
        if not log.samples:
            raise BadInputError("This run log holds no sample that could be replayed.")
        self._log, self._speed, self._clock = log, speed, clock
        self._times = [sample.t for sample in log.samples]
        self._began: float | None = None

    @property
    def seconds(self) -> float:
        """How long the replay takes."""
        return (self._times[-1] - self._times[0]) / self._speed

    @property
    def kind(self) -> Kind | None:
        """The source that the run was recorded from."""
        power = self._log.header.power
        if power is None:
            return None
        title = f"recorded: {power.source}"
        return Kind(power.source, title, power.coverage, power.rate_hz, "nothing", _no_probe)

    def read(self, engine_pid: int | None) -> Reading:
        """The sample of this moment; the process that is asked for is not looked at."""
        now = self._clock()
        if self._began is None:
            self._began = now
        at = self._times[0] + (now - self._began) * self._speed
        place = bisect_right(self._times, at + 1e-9) - 1
        sample = self._log.samples[place]
        if at - sample.t > max(STALE_S, 1.5 * self._speed):
            return _nothing(now, at > self._times[-1])
        return self._reading(now, sample)

    def close(self) -> None:
        """There is nothing to close."""

    def _reading(self, now: float, sample: Sample) -> Reading:
        power = self._log.header.power
        values = {
            "power_w": sample.power_w,
            "temp_c": sample.temp_c,
            "clock_mhz": sample.clock_mhz,
            "cpu": sample.cpu,
            "gpu_load": sample.gpu_load,
            "gpu_mhz": sample.gpu_mhz,
            "power_mode": self._log.header.power_mode,
            "available_bytes": sample.available,
            "engine_rss": sample.engine_rss,
            "throttled": sample.throttled,
        }
        reasons = self._log.header.unavailable
        missing = {
            name: reasons.get(name, "it was not recorded")
            for name, value in values.items()
            if value is None
        }
        return Reading(
            at=now,
            power_source=power.source if power else None,
            power_coverage=power.coverage if power else None,
            unavailable=missing,
            **values,  # type: ignore[arg-type]
        )


def _nothing(now: float, ended: bool) -> Reading:
    reason = "the recorded run has ended" if ended else "nothing was recorded at this time"
    return Reading(now, unavailable=dict.fromkeys(READ_FIELDS, reason))


def _no_probe(_: Devices) -> PowerReader:
    raise Absent("a recorded run has no sensors")
