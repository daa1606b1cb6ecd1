"""Every reader over the collected outputs of real boards."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.monitor import throttling
from app.monitor.devices import Devices, Unavailable
from app.monitor.firmware import mailbox_reply
from app.monitor.jetson import mode_name
from app.monitor.power import ina219, ina3221, pmic, rapl, tegrastats
from tests.app.monitor.boards import Commands, tree
from tests.shared import shared_path

PMIC_SUMS = {"01": 7.2398, "02": 10.7999, "03": 1.9005, "04": 5.9216}
"""Watts, summed with a calculator by whoever collected the samples."""


def _sample(name: str) -> str:
    return (shared_path("samples/power") / name).read_text(encoding="utf-8")


def _verbatim(name: str) -> str:
    """The part of a sample below its comments."""
    return "\n".join(line for line in _sample(name).splitlines() if not line.startswith("#"))


def _files(name: str, folder: str) -> dict[str, str]:
    """The `path=value` lines of a sample as files."""
    pairs = (line.split("=", 1) for line in _verbatim(name).splitlines() if "=" in line)
    return {folder + path.lstrip("/"): f"{value}\n" for path, value in pairs}


@pytest.mark.parametrize("number", PMIC_SUMS)
def test_the_power_chip_sums_as_collected(number: str) -> None:
    (path,) = (shared_path("samples/power") / "pmic_read_adc").glob(f"{number}_*.txt")
    reply = _verbatim(f"pmic_read_adc/{path.name}")
    power = pmic.power_of(pmic.parse(reply))
    assert power.watts == pytest.approx(PMIC_SUMS[number], abs=5e-5)
    assert len(power.rails) == 12
    assert power.supply_v is not None and 4.9 < power.supply_v < 5.2


def test_single_channels_and_errors_are_no_reading() -> None:
    with pytest.raises(Unavailable):
        pmic.power_of(pmic.parse(_verbatim("pmic_read_adc/05_single_channel_outputs.txt")))
    for reply in _verbatim("pmic_read_adc/06_error_replies.txt").split("%%"):
        commands = Commands({"vcgencmd get_throttled": reply, "vcgencmd pmic_read_adc": reply})
        with pytest.raises(Unavailable):
            pmic.probe(Devices(Path("/nonexistent"), run=commands))


def test_the_mailboxs_reply_reads_as_the_commands() -> None:
    path = shared_path("samples/power") / "pmic_read_adc/07_mailbox_nul_separated_DERIVED.bin"
    text = path.read_bytes()
    buffer = bytes(24) + text[:1024].ljust(1024, b"\0") + bytes(4)
    power = pmic.power_of(pmic.parse(mailbox_reply(buffer)))
    assert power.watts == pytest.approx(PMIC_SUMS["01"], abs=5e-5)


def test_every_throttling_reply_is_understood() -> None:
    replies = [line for line in _verbatim("get_throttled/values.txt").splitlines() if line]
    assert [throttling.parse(reply) for reply in replies] == [0, 0x50000, 0x50005, 0xE0000, 0xE0008]
    for line in _verbatim("get_throttled/measure_temp_and_volts.txt").splitlines():
        with pytest.raises(Unavailable):
            throttling.parse(line)


def test_an_orin_nano_is_read_at_its_input(tmp_path: Path) -> None:
    tree(tmp_path, _files("hwmon/04_orin_nano_labels_paths.txt", ""))
    power = ina3221.probe(Devices(tmp_path)).read()
    assert power.watts == pytest.approx(4.999 * 0.965)
    assert set(power.rails) == {"VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"}


@pytest.mark.parametrize(
    ("name", "folder", "labels"),
    [
        (
            "hwmon/02_agx_orin_two_chips_values.txt",
            "sys/bus/i2c/drivers/ina3221/",
            ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "VDDQ_VDD2_1V8AO"],
        ),
        (
            "hwmon/03_disabled_channel.txt",
            "sys/class/hwmon/",
            ["VDD_GPU_SOC", "VDD_CPU_CV"],
        ),
    ],
)
def test_an_agx_orin_has_rails_and_no_total(
    tmp_path: Path, name: str, folder: str, labels: list[str]
) -> None:
    files = _files(name, folder)
    files |= {f"{folder}1-0041/hwmon/hwmon4/name": "ina3221"}
    devices = Devices(tree(tmp_path, files))
    assert [channel.label for channel in ina3221.find_channels(devices)] == labels
    with pytest.raises(Unavailable, match="no channel for the whole module"):
        ina3221.probe(devices)


def test_the_energy_counters_packages_are_found(tmp_path: Path) -> None:
    flat = {
        path.replace("intel-rapl:0/intel-rapl:0:", "intel-rapl:0:"): value
        for path, value in _files("rapl/02_mock_tree_values.txt", "sys/class/powercap/").items()
    }
    zones = rapl.find_packages(Devices(tree(tmp_path, flat)))
    assert [zone.path for zone in zones] == ["sys/class/powercap/intel-rapl:0"]
    assert zones[0].range_uj == 262143328850


TEGRASTATS = {
    "01": (12.479, 0.63, 621.0),
    "02": (4.824, 0.0, None),
    "03": (4.744, 0.0, None),
    "04": (6.444, 0.56, 1020.0),
    "05": (18.426, 0.99, None),
    "07": (5.297, 0.0, 114.0),
}
"""Watts at the input, the GPU's load and its clock, as they stand in the lines."""


@pytest.mark.parametrize("number", TEGRASTATS)
def test_every_form_of_tegrastats_is_read(number: str) -> None:
    (path,) = (shared_path("samples/power") / "tegrastats").glob(f"{number}_*.txt")
    line = _verbatim(f"tegrastats/{path.name}").splitlines()[0]
    power = tegrastats.power_of(tegrastats.parse(line))
    assert (power.watts, power.gpu_load, power.gpu_mhz) == TEGRASTATS[number]


def test_a_torn_head_of_a_line_is_no_reading() -> None:
    head = _verbatim("tegrastats/05_orin_nano_super_18w_partial.txt").splitlines()[1]
    with pytest.raises(Unavailable):
        tegrastats.power_of(tegrastats.parse(head))


def test_an_agx_line_of_three_parts_has_rails_and_no_total() -> None:
    line = tegrastats.parse(_verbatim("tegrastats/06_agx_orin_jp72_three_part.txt"))
    assert line.rails == {"VDD_GPU_SOC": 5.139, "VDD_CPU_CV": 3.268, "VIN_SYS_5V0": 5.5}
    assert line.temperatures["cpu"] == 52.968
    with pytest.raises(Unavailable, match="VIN_SYS_5V0"):
        tegrastats.power_of(line)


def test_the_power_mode_of_the_sample_has_its_name() -> None:
    text = _sample("jetson_misc/01_nvpmodel_and_release.txt")
    assert mode_name("pmode:0002 fmode:fan_mode_quiet", text) == "MAXN_SUPER"
    assert "pmode:0002 fmode:fan_mode_quiet" in text


def test_the_ups_hat_of_the_sample_is_read(tmp_path: Path) -> None:
    values = _verbatim("hwmon/05_ina219_ups_hat.txt").splitlines()
    names = ("in0_input", "in1_input", "power1_input", "curr1_input", "shunt_resistor")
    chip = "sys/class/hwmon/hwmon2"
    files = {f"{chip}/{name}": value for name, value in zip(names, values, strict=True)}
    devices = Devices(tree(tmp_path, {**files, f"{chip}/name": "ina219"}))
    assert ina219.probe(devices).read().watts == pytest.approx(4.228 * 0.040)
