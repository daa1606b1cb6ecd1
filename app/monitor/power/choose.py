"""Which power sources this machine has; the first that answers is the one that is read."""

from __future__ import annotations

from dataclasses import dataclass

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.power.battery import BATTERY
from app.monitor.power.ina219 import INA219
from app.monitor.power.ina3221 import INA3221
from app.monitor.power.pmic import PMIC
from app.monitor.power.rapl import RAPL
from app.monitor.power.source import Kind, PowerReader
from app.monitor.power.tegrastats import TEGRASTATS

KINDS: tuple[Kind, ...] = (PMIC, INA3221, TEGRASTATS, BATTERY, INA219, RAPL)
"""In the order of preference: a board's own sensors, then the whole machine, then its processor."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One kind of source, and its reader or the reason why there is none."""

    kind: Kind
    reader: PowerReader | None
    reason: str | None
    absent: bool = False
    """The sensor is not on this machine."""


def survey(devices: Devices) -> tuple[Offer, ...]:
    """Every kind of source, tried once."""
    return tuple(_try(kind, devices) for kind in KINDS)


def choose(devices: Devices) -> tuple[Kind, PowerReader]:
    """The best source that answers.

    Raises:
        Unavailable: none does; where a sensor is there but closed, the reason is that sensor's.
    """
    closed: list[str] = []
    for kind in KINDS:
        offer = _try(kind, devices)
        if offer.reader is not None:
            return kind, offer.reader
        if not offer.absent and offer.reason is not None:
            closed.append(offer.reason)
    if closed:
        raise Unavailable(closed[0])
    raise Absent("no power sensor was found on this machine")


def _try(kind: Kind, devices: Devices) -> Offer:
    try:
        return Offer(kind, kind.probe(devices), None)
    except Unavailable as reason:
        return Offer(kind, None, str(reason), isinstance(reason, Absent))
