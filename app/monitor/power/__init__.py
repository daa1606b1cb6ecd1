"""Where a board's power can be read, one file for each kind of sensor."""

from __future__ import annotations

from app.monitor.power.choose import KINDS, Offer, choose, survey
from app.monitor.power.source import Kind, Power, PowerReader

__all__ = ["KINDS", "Kind", "Offer", "Power", "PowerReader", "choose", "survey"]
