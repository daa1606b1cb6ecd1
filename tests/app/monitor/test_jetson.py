"""A Jetson's GPU and its power mode, by name and wherever its files lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.monitor.devices import Absent, Unavailable
from app.monitor.jetson import Jetson, mode_name, parse_clock, parse_load
from app.monitor.panel import machine_rows
from app.monitor.reading import Reading
from tests.app.monitor.boards import bare, tree

MODES = "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n"


@pytest.mark.parametrize(
    ("load", "clock"),
    [
        ("sys/devices/platform/bus@0/17000000.ga10b/load", "17000000.ga10b"),
        ("sys/devices/platform/bus@0/17000000.gpu/load", "17000000.gpu"),
        ("sys/devices/platform/17000000.ga10b/load", "17000000.ga10b"),
        ("sys/devices/platform/gpu.0/load", "17000000.gv11b"),
        ("sys/devices/gpu.0/load", "57000000.gpu"),
    ],
)
def test_the_gpu_is_found_under_each_of_its_names(tmp_path: Path, load: str, clock: str) -> None:
    root = tree(tmp_path, {load: "842\n", f"sys/class/devfreq/{clock}/cur_freq": "1020000000\n"})
    jetson = Jetson(bare(root))
    assert (jetson.gpu_load(), jetson.gpu_mhz()) == (0.842, 1020.0)


def test_elsewhere_there_is_none(tmp_path: Path) -> None:
    jetson = Jetson(bare(tmp_path))
    for read in (jetson.gpu_load, jetson.gpu_mhz, jetson.power_mode):
        with pytest.raises(Absent):
            read()


def test_the_mode_is_told_by_its_name_and_not_its_number(tmp_path: Path) -> None:
    files = {
        "var/lib/nvpmodel/status": "pmode:0002 fmode:fan_mode_quiet\n",
        "etc/nvpmodel.conf": MODES,
    }
    assert Jetson(bare(tree(tmp_path, files))).power_mode() == "MAXN_SUPER"
    with pytest.raises(Unavailable, match="do not name the mode 7"):
        mode_name("pmode:0007", MODES)
    with pytest.raises(Unavailable, match="does not tell"):
        mode_name("pmode:", MODES)


@given(st.text(max_size=12))
def test_no_text_is_a_load_or_a_clock_that_cannot_be(text: str) -> None:
    for parse, most in ((parse_load, 1.0), (parse_clock, 10_000.0)):
        try:
            value = parse(text)
        except Unavailable:
            continue
        assert 0 <= value <= most


def test_the_panel_shows_a_jetsons_rows_on_a_jetson_alone() -> None:
    rows = machine_rows(Reading(0.0, gpu_load=0.5, gpu_mhz=600.0, power_mode="25W"))
    shown = {row.label: row.text for row in rows}
    assert (shown["GPU"], shown["Power mode"]) == ("50 % at 600 MHz", "25W")
    reasons = {"gpu_load": "only a Jetson tells it", "power_mode": "only a Jetson tells it"}
    assert not {"GPU", "Power mode"} & {
        row.label for row in machine_rows(Reading(0.0, unavailable=reasons))
    }


def test_the_wall_is_an_estimate_with_its_formula() -> None:
    rows = machine_rows(Reading(0.0, power_w=5.0, power_source="pmic"))
    (wall,) = [row.text for row in rows if row.label == "Wall estimate"]
    assert wall == "6.3 W = 1.1451 × measured + 0.5879 W"
    assert not [row for row in machine_rows(Reading(0.0, power_w=5.0)) if "Wall" in row.label]
