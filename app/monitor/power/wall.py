"""What a board may take from the wall: an estimate beside what is measured, never in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class WallFit:
    """A straight line from a measured power to the supply's own, found with an external meter."""

    slope: float
    offset_w: float
    source: str
    """Who fitted it, and on what."""

    def watts(self, measured: float) -> float:
        """The estimate for a measured power."""
        return self.slope * measured + self.offset_w

    @property
    def formula(self) -> str:
        """As a person reads it."""
        return f"{self.slope:g} × measured + {self.offset_w:g} W"


WALL_FITS: Mapping[str, WallFit] = MappingProxyType(
    {
        "pmic": WallFit(
            1.1451,
            0.5879,
            "a fit on one Raspberry Pi 5 by github.com/jfikar/RPi5-power, checked by nobody else",
        )
    }
)
"""By the power source's id."""
