"""Sleep is told by the difference of two clocks, which is none while the machine is awake."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.monitor.clocks import suspended_s
from app.monitor.sensors import Sensors
from tests.app.monitor.boards import bare


def test_it_stands_still_while_the_machine_is_awake() -> None:
    assert suspended_s() == pytest.approx(suspended_s(), abs=0.01)


def test_a_reading_tells_how_long_the_machine_has_slept(tmp_path: Path) -> None:
    sensors = Sensors(bare(tmp_path), lambda: 1.0, lambda: 600.0)
    assert sensors.read(None).suspended_s == 600.0
    sensors.close()
