"""Everything the monitor reads in one look, each value by itself: one failure takes none along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.monitor import throttling
from app.monitor.clocks import suspended_s
from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.firmware import Firmware, connect
from app.monitor.jetson import Jetson
from app.monitor.patience import Patient
from app.monitor.power import Kind, Power, PowerReader, choose
from app.monitor.power.tegrastats import Tegrastats
from app.monitor.reading import Reading
from app.monitor.system import System

Value = TypeVar("Value")

DEADLINE_S = 0.7
"""Longer than any sensor takes that works, and short of the next second."""

SEARCH_AGAIN_S = 30.0
"""A source may come later (a charger is pulled), but looking for one each second costs."""


class PowerSearch:
    """The best power source; looked for at the first reading, and again while there is none."""

    def __init__(self, devices: Devices, clock: Callable[[], float]) -> None:
        self.kind: Kind | None = None
        self._devices = devices
        self._clock = clock
        self._reader: PowerReader | None = None
        self._refused: Unavailable | None = None
        self._search_at = 0.0

    def read(self) -> Power:
        """The power now. Raises Unavailable with the source's reason, or why there is none."""
        if self._reader is None:
            self._reader = self._search()
        return self._reader.read()

    def close(self) -> None:
        """End what the reader started, where it is a program."""
        if isinstance(self._reader, Tegrastats):
            self._reader.close()

    def _search(self) -> PowerReader:
        if self._refused is not None and self._clock() < self._search_at:
            raise self._refused
        try:
            self.kind, reader = choose(self._devices)
        except Unavailable as reason:
            self._refused = reason
            self._search_at = self._clock() + SEARCH_AGAIN_S
            raise
        return reader


class Throttling:
    """The Raspberry Pi's throttling bits; on other machines there are none."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._firmware: Firmware | None = None
        self._elsewhere = False

    def read(self) -> int:
        """The bits now. Raises Unavailable."""
        if self._elsewhere:
            raise Absent("only a Raspberry Pi tells it")
        if self._firmware is None:
            try:
                self._firmware = connect(self._devices)
            except Absent as error:
                self._elsewhere = True
                raise Absent("only a Raspberry Pi tells it") from error
        return throttling.parse(self._firmware.ask("get_throttled"))


class Sensors:
    """The machine's sensors, the slow ones behind a deadline."""

    def __init__(
        self,
        devices: Devices,
        clock: Callable[[], float],
        suspended: Callable[[], float] = suspended_s,
    ) -> None:
        self._clock = clock
        self._suspended = suspended
        self._system = System(devices)
        self._jetson = Jetson(devices)
        self._search = PowerSearch(devices, clock)
        self._power = Patient(self._search.read, DEADLINE_S)
        self._throttled = Patient(Throttling(devices).read, DEADLINE_S)

    @property
    def kind(self) -> Kind | None:
        """The power source that was found."""
        return self._search.kind

    @property
    def cpu_s(self) -> float:
        """Processor seconds of the slow sensors' threads."""
        return self._power.cpu_s + self._throttled.cpu_s

    def close(self) -> None:
        """Let the sensors' threads end."""
        self._power.close()
        self._throttled.close()
        self._search.close()

    def read(self, engine_pid: int | None) -> Reading:
        """One look at everything; its time is the power's, which changes fastest."""
        missing: dict[str, str] = {}

        def value(name: str, read: Callable[[], Value]) -> Value | None:
            try:
                return read()
            except Unavailable as reason:
                missing[name] = str(reason)
                return None

        power = value("power_w", self._power.ask)
        at = self._clock()
        memory = value("available_bytes", self._system.memory)
        gpu = _Gpu(self._jetson, power)
        return Reading(
            at=at,
            power_w=power.watts if power else None,
            supply_v=power.supply_v if power else None,
            temp_c=value("temp_c", self._system.temp_c),
            clock_mhz=value("clock_mhz", self._system.clock_mhz),
            cpu=value("cpu", self._system.cpu),
            gpu_load=value("gpu_load", gpu.load),
            gpu_mhz=value("gpu_mhz", gpu.mhz),
            power_mode=value("power_mode", self._jetson.power_mode),
            available_bytes=memory[0] if memory else None,
            total_bytes=memory[1] if memory else None,
            engine_rss=value("engine_rss", lambda: self._system.resident(engine_pid)),
            throttled=value("throttled", self._throttled.ask),
            power_source=self.kind.id if self.kind else None,
            power_coverage=self.kind.coverage if self.kind else None,
            suspended_s=self._suspended(),
            unavailable=missing,
        )


@dataclass(frozen=True, slots=True)
class _Gpu:
    """The GPU's values from the kernel's files, else from the line that told the power."""

    jetson: Jetson
    power: Power | None

    def load(self) -> float:
        try:
            return self.jetson.gpu_load()
        except Absent:
            if self.power is None or self.power.gpu_load is None:
                raise
            return self.power.gpu_load

    def mhz(self) -> float:
        try:
            return self.jetson.gpu_mhz()
        except Absent:
            if self.power is None or self.power.gpu_mhz is None:
                raise
            return self.power.gpu_mhz
