"""Processor, memory and heat, from the kernel's own files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.monitor.devices import Absent, Devices, Unavailable

_ZONES = "sys/class/thermal/thermal_zone*"
_CHIPS = "sys/class/hwmon/hwmon*"
_CLOCKS = "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq"

_ZONE_TYPES = ("tj-thermal", "cpu-thermal", "CPU-therm", "x86_pkg_temp")
"""In order: the Jetson's junction, a Pi's processor, the older Jetson's, an Intel package."""
_CHIP_NAMES = ("coretemp", "k10temp", "zenpower")

COLDEST_C, HOTTEST_C = -40.0, 150.0
"""Beyond these a sensor is broken: 999 °C is no temperature."""


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Clock ticks since boot, over all cores."""

    busy: int
    total: int


def parse_cpu_times(stat: str) -> CpuTimes:
    """From the first line of /proc/stat; waiting for a disk is idle, guests are in user already.

    Raises:
        Unavailable: that line is something else.
    """
    words = stat.split("\n", 1)[0].split()
    if len(words) < 5 or words[0] != "cpu" or not all(_is_count(word) for word in words[1:9]):
        raise Unavailable("/proc/stat is not understood")
    ticks = [int(word) for word in words[1:9]]
    idle = ticks[3] + (ticks[4] if len(ticks) > 4 else 0)
    return CpuTimes(busy=sum(ticks) - idle, total=sum(ticks))


def load_between(before: CpuTimes, after: CpuTimes) -> float:
    """Share of all cores in use between two looks, 0 to 1.

    Raises:
        Unavailable: no tick has passed, or the counters went back.
    """
    total, busy = after.total - before.total, after.busy - before.busy
    if total <= 0 or not 0 <= busy <= total:
        raise Unavailable("the processor's time has not moved since the last look")
    return busy / total


def parse_memory(meminfo: str, name: str) -> int:
    """Bytes of one line of /proc/meminfo, such as `MemAvailable`. Raises Unavailable."""
    return _kilobytes(meminfo, name, "/proc/meminfo")


def parse_resident(status: str) -> int:
    """Bytes of resident memory from /proc/PID/status. Raises Unavailable."""
    return _kilobytes(status, "VmRSS", "the engine's status")


def temperature(millidegrees: int) -> float:
    """Degrees Celsius. Raises Unavailable where no processor can be that hot or cold."""
    degrees = millidegrees / 1000
    if not COLDEST_C <= degrees <= HOTTEST_C:
        raise Unavailable(f"the sensor says {degrees:g} °C, which cannot be")
    return degrees


def find_thermometer(devices: Devices) -> str:
    """The file with the processor's temperature. Raises Absent where none is known."""
    types = {devices.hint(f"{zone}/type"): zone for zone in reversed(devices.find(_ZONES))}
    for name in _ZONE_TYPES:
        if name in types:
            return f"{types[name]}/temp"
    for chip in devices.find(_CHIPS):
        if devices.hint(f"{chip}/name") in _CHIP_NAMES:
            return f"{chip}/temp1_input"
    raise Absent("this machine shows no temperature of its processor")


def parse_nominal_clock(cpuinfo: str) -> float:
    """The fastest `cpu MHz` of /proc/cpuinfo, which x86 machines without cpufreq have."""
    clocks = [float(found) for found in re.findall(r"^cpu MHz\s*: (\d{1,6}\.\d+)$", cpuinfo, re.M)]
    if not any(clocks):
        raise Absent("this machine shows no processor clock")
    return max(clocks)


def governor(devices: Devices) -> str:
    """The kernel's rule for the clock, such as `ondemand`. Raises Unavailable."""
    return devices.text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


class System:
    """Reads the machine; what to read is looked up once, since files do not move while it runs."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._clocks = devices.find(_CLOCKS)
        self._thermometer: str | None = None
        self._ticks: CpuTimes | None = None

    def cpu(self) -> float:
        """Share of all cores in use since the last call. Raises Unavailable on the first one."""
        before, self._ticks = self._ticks, parse_cpu_times(self._devices.text("proc/stat"))
        if before is None:
            raise Unavailable("the load needs two looks")
        return load_between(before, self._ticks)

    def memory(self) -> tuple[int, int]:
        """Available and total bytes. Raises Unavailable."""
        meminfo = self._devices.text("proc/meminfo")
        return parse_memory(meminfo, "MemAvailable"), parse_memory(meminfo, "MemTotal")

    def resident(self, pid: int | None) -> int:
        """Bytes of a process's resident memory. Raises Unavailable where it does not run."""
        if pid is None:
            raise Absent("no engine is running")
        try:
            return parse_resident(self._devices.text(f"proc/{pid}/status"))
        except Absent as error:
            raise Absent("the engine has ended") from error

    def temp_c(self) -> float:
        """The processor's temperature. Raises Unavailable."""
        if self._thermometer is None:
            self._thermometer = find_thermometer(self._devices)
        return temperature(self._devices.number(self._thermometer))

    def clock_mhz(self) -> float:
        """The fastest core's clock. Raises Unavailable."""
        if not self._clocks:
            return parse_nominal_clock(self._devices.text("proc/cpuinfo"))
        kilohertz = max(self._devices.number(path) for path in self._clocks)
        if kilohertz <= 0:
            raise Unavailable("the processor's clock reads as zero")
        return kilohertz / 1000


def _is_count(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 20


def _kilobytes(text: str, name: str, where: str) -> int:
    found = re.search(rf"^{name}:\s+(\d{{1,15}}) kB$", text, re.MULTILINE)
    if found is None:
        raise Unavailable(f"{where} has no line {name}")
    return int(found.group(1)) * 1024
