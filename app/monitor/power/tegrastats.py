"""Jetson boards whose power chip the kernel does not show: NVIDIA's `tegrastats`, line by line.

The lines differ between releases: powers come as `instant`, `instant/average` or three numbers,
with or without `mW`; cores may be `off`; the GPU's clock may be missing, or be a list. So each
value is looked for by its name, and what is not there is None. The first number of a power is the
instant; the mean that follows runs since the program was started and is not used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.power.source import Kind, Power, believable
from app.monitor.program import LineProgram

TOTAL_LABELS = ("VDD_IN", "POM_5V_IN")
"""Rails that carry the whole module: the Orin's and Xavier's, and the first Nano's."""

COMMAND = ("tegrastats", "--interval", "500")
FRESH_S = 3.0
"""A line that is older is no reading: the program hangs."""

_POWER = re.compile(r"(?<!\S)([A-Z][A-Z0-9_]{2,31}) (\d{1,7})(mW)?(?:/\d{1,7}(?:mW)?){0,2}(?!\S)")
_HEAT = re.compile(
    r"(?<!\S)(\w{1,24})@(-?\d{1,4}(?:\.\d{1,4})?)C(?:/-?\d{1,4}(?:\.\d{1,4})?C)?(?!\S)"
)
_GPU = re.compile(r"(?<!\S)GR3D_FREQ (\d{1,3})%(?:@\[?(\d{1,5})(?:,\d{1,5})*\]?)?(?!\S)")
_MEMORY = re.compile(r"(?<!\S)RAM (\d{1,7})/(\d{1,7})MB(?!\S)")
_RAIL = re.compile(r"(?:VDD|VIN|VDDQ|POM)_")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of tegrastats; what it does not tell is None or missing."""

    rails: Mapping[str, float]
    """Watts by the rail's name."""
    temperatures: Mapping[str, float]
    """Degrees Celsius by the sensor's name."""
    gpu_load: float | None = None
    """0 to 1."""
    gpu_mhz: float | None = None
    memory: tuple[int, int] | None = None
    """Used and total mebibytes."""


def parse(text: str) -> Line:
    """What one line says.

    Raises:
        Unavailable: a rail comes twice or is no power, which only a torn line does.
    """
    rails: dict[str, float] = {}
    for name, number, _ in _POWER.findall(text):
        if not _RAIL.match(name):
            continue
        if name in rails:
            raise Unavailable(f"the line of tegrastats names {name} twice")
        rails[name] = believable(int(number) / 1000)
    load, clock = _gpu(text)
    memory = _MEMORY.search(text)
    return Line(
        rails=rails,
        temperatures={name: float(degrees) for name, degrees in _HEAT.findall(text)},
        gpu_load=load,
        gpu_mhz=clock,
        memory=(int(memory[1]), int(memory[2])) if memory and _fits(memory) else None,
    )


def power_of(line: Line) -> Power:
    """The whole module's power; nothing is added to it, since the other rails are its parts.

    Raises:
        Unavailable: the line does not name the module's input.
    """
    total = next((line.rails[name] for name in TOTAL_LABELS if name in line.rails), None)
    if total is None:
        named = ", ".join(line.rails) or "no rail"
        raise Unavailable(f"tegrastats does not tell the whole module's power (it names {named})")
    return Power(watts=total, rails=line.rails, gpu_load=line.gpu_load, gpu_mhz=line.gpu_mhz)


class Tegrastats:
    """The program's latest line, while it runs; it is started again where it has ended."""

    via = "tegrastats"

    def __init__(self, program: LineProgram) -> None:
        self._program = program

    def read(self) -> Power:
        """The power now. Raises Unavailable with the reason."""
        return power_of(parse(self._program.latest()))

    def close(self) -> None:
        """End the program."""
        self._program.close()


def probe(devices: Devices) -> Tegrastats:
    """The program, after its first whole line."""
    if not devices.has_program(COMMAND[0]):
        raise Absent("the command tegrastats is not installed")
    reader = Tegrastats(LineProgram(COMMAND, devices.spawn, FRESH_S))
    try:
        reader.read()
    except Unavailable:
        reader.close()
        raise
    return reader


def _gpu(text: str) -> tuple[float | None, float | None]:
    found = _GPU.search(text)
    if found is None or int(found[1]) > 100:
        return None, None
    return int(found[1]) / 100, float(found[2]) if found[2] else None


def _fits(memory: re.Match[str]) -> bool:
    return 0 < int(memory[1]) <= int(memory[2])


TEGRASTATS = Kind(
    id="tegrastats",
    title="Jetson power by tegrastats",
    coverage="the whole module at its input (VDD_IN); not the carrier board's own parts",
    rate_hz=2.0,
    cost="a program of NVIDIA's that runs beside the monitor",
    probe=probe,
    age="up to 0.5 s; older than 3 s is no reading",
)
