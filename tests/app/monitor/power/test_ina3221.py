"""The Jetson's chip: found by name, channels by label, and the input is already the total."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.power import ina3221
from tests.app.monitor.boards import tree

CHIP = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon5"
FILES = {
    f"{CHIP}/name": "ina3221\n",
    f"{CHIP}/in1_label": "VDD_IN\n",
    f"{CHIP}/in1_input": "5000\n",
    f"{CHIP}/curr1_input": "1200\n",
    f"{CHIP}/in2_label": "VDD_CPU_GPU_CV\n",
    f"{CHIP}/in2_input": "4990\n",
    f"{CHIP}/curr2_input": "400\n",
    f"{CHIP}/in3_label": "NC\n",
    f"{CHIP}/in3_input": "0\n",
    f"{CHIP}/curr3_input": "0\n",
    f"{CHIP}/in7_label": "sum of shunt voltages\n",
    f"{CHIP}/in7_input": "760\n",
}


def test_the_input_is_the_total_and_the_rails_are_parts_of_it(tmp_path: Path) -> None:
    power = ina3221.probe(Devices(tree(tmp_path, FILES))).read()
    assert power.watts == pytest.approx(6.0)
    assert power.supply_v == pytest.approx(5.0)
    assert power.rails == pytest.approx({"VDD_IN": 6.0, "VDD_CPU_GPU_CV": 1.996})


def test_the_number_of_hwmon_does_not_matter(tmp_path: Path) -> None:
    moved = {path.replace("hwmon5", "hwmon2"): text for path, text in FILES.items()}
    assert ina3221.probe(Devices(tree(tmp_path, moved))).read().watts == pytest.approx(6.0)


def test_a_chip_seen_twice_is_read_once(tmp_path: Path) -> None:
    other = {path.replace(CHIP, "sys/class/hwmon/hwmon5"): text for path, text in FILES.items()}
    channels = ina3221.find_channels(Devices(tree(tmp_path, {**FILES, **other})))
    assert [channel.label for channel in channels] == ["VDD_IN", "VDD_CPU_GPU_CV"]


@pytest.mark.parametrize("text", ["", "not a number\n", "-40000\n", "99999999999\n"])
def test_one_bad_rail_does_not_take_the_total_along(tmp_path: Path, text: str) -> None:
    files = {**FILES, f"{CHIP}/curr2_input": text}
    power = ina3221.probe(Devices(tree(tmp_path, files))).read()
    assert power.rails == pytest.approx({"VDD_IN": 6.0})


def test_a_channel_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    root = tree(tmp_path, FILES)
    reader = ina3221.probe(Devices(root))
    (root / CHIP / "in2_input").unlink()
    assert set(reader.read().rails) == {"VDD_IN"}


def test_a_broken_input_is_no_reading(tmp_path: Path) -> None:
    root = tree(tmp_path, FILES)
    reader = ina3221.probe(Devices(root))
    (root / CHIP / "curr1_input").write_text("torn")
    with pytest.raises(Unavailable, match="holds no number"):
        reader.read()


def test_a_chip_without_the_input_is_told_with_what_it_has(tmp_path: Path) -> None:
    files = {**FILES, f"{CHIP}/in1_label": "VDD_GPU_SOC\n"}
    with pytest.raises(Unavailable, match="VDD_GPU_SOC"):
        ina3221.probe(Devices(tree(tmp_path, files)))


def test_another_chip_is_not_taken_for_it(tmp_path: Path) -> None:
    files = {**FILES, f"{CHIP}/name": "ina219\n"}
    with pytest.raises(Absent):
        ina3221.probe(Devices(tree(tmp_path, files)))
