"""A UPS HAT tells the board's power only while its battery feeds the board."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.monitor.devices import Absent, Unavailable
from app.monitor.power import ina219
from tests.app.monitor.boards import bare, tree

CHIP = "sys/class/hwmon/hwmon3"
FILES = {
    f"{CHIP}/name": "ina219\n",
    f"{CHIP}/in0_input": "-4\n",
    f"{CHIP}/in1_input": "4000\n",
    f"{CHIP}/curr1_input": "-1500\n",
}


@pytest.mark.parametrize("sign", ["-1500\n", "1500\n"])
def test_a_current_either_way_is_the_batterys(tmp_path: Path, sign: str) -> None:
    devices = bare(tree(tmp_path, {**FILES, f"{CHIP}/curr1_input": sign}))
    power = ina219.probe(devices).read()
    assert power.watts == pytest.approx(6.0)
    assert power.supply_v == 4.0


def test_on_mains_the_current_is_not_the_boards(tmp_path: Path) -> None:
    charger = {
        "sys/class/power_supply/ac/type": "Mains\n",
        "sys/class/power_supply/ac/online": "1\n",
    }
    with pytest.raises(Unavailable, match="on mains"):
        ina219.probe(bare(tree(tmp_path, {**FILES, **charger})))


@pytest.mark.parametrize(
    ("current", "message"),
    [("0\n", "gives no current"), ("x\n", "no number"), ("-9999999\n", "cannot be")],
)
def test_no_current_or_nonsense_is_no_reading(tmp_path: Path, current: str, message: str) -> None:
    devices = bare(tree(tmp_path, {**FILES, f"{CHIP}/curr1_input": current}))
    with pytest.raises(Unavailable, match=message):
        ina219.probe(devices)


def test_another_chip_is_not_taken_for_it(tmp_path: Path) -> None:
    with pytest.raises(Absent):
        ina219.probe(bare(tree(tmp_path, {f"{CHIP}/name": "ina3221\n"})))
