"""Where a board's power can be read, one file for each kind of sensor."""

from __future__ import annotations

from app.monitor.power.choose import KINDS, Offer, choose, survey
from app.monitor.power.source import Kind, Power, PowerReader
from app.monitor.power.wall import WALL_FITS, WallFit

__all__ = [
    "KINDS",
    "WALL_FITS",
    "Kind",
    "Offer",
    "Power",
    "PowerReader",
    "WallFit",
    "choose",
    "survey",
]
