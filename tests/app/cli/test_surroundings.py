"""What the doctor gathers around Bedside, from folder trees that stand in for boards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.boards import detect
from app.cli import surroundings
from app.doctor import Check, jetson
from app.errors import EngineError
from app.monitor.devices import Devices
from tests.app.monitor.boards import bare, pi5, tree

ORIN: dict[str, str | bytes] = {
    "proc/device-tree/model": b"NVIDIA Jetson Orin Nano Developer Kit\0",
    "proc/meminfo": "MemTotal:  7800000 kB\n",
    "etc/nv_tegra_release": "# R36 (release), REVISION: 5.0, GCID: 1, BOARD: generic\n",
    "var/lib/nvpmodel/status": "pmode:0001 fmode:quiet",
    "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=25W >\n",
    "sys/class/vtconsole/vtcon0/name": "(S) dummy device\n",
}


def of_board(devices: Devices, info: str = "CPU : NEON = 1 | ") -> dict[str, Check]:
    """The checks of a board's own system by id."""
    found = surroundings.board(devices, detect(devices.root), info)
    return {check.id: check for check in found}


def of_privacy(devices: Devices) -> dict[str, Check]:
    """The checks of its privacy by id."""
    return {check.id: check for check in surroundings.privacy(devices)}


def test_a_pi_as_it_comes(tmp_path: Path) -> None:
    devices = pi5(tmp_path)
    tree(
        tmp_path,
        {
            "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io pids\n",
            "proc/swaps": "Filename Type Size Used Priority\n/dev/zram0 partition 9 0 100\n",
            "sys/block/zram0/backing_dev": "/dev/loop0\n",
            "proc/net/tcp": "  sl  local\n   0: 00000000:0016 00000000:0000 0A 0\n",
            "sys/class/rfkill/rfkill0/type": "wlan\n",
            "sys/class/rfkill/rfkill0/soft": "0\n",
            "sys/class/rfkill/rfkill0/hard": "0\n",
            "opt/bedside/current/manifest.json": json.dumps({"source_date_epoch": 1_700_000_000}),
        },
    )
    (tmp_path / "var/log/journal").mkdir(parents=True)
    checks = of_board(devices)
    assert checks["memory limit"].state == "attention"
    assert checks["temperature"].found == "The board is at 52 °C."
    assert checks["clock"].state == "ok"
    assert "GPU" not in checks, "a Pi has none that is used"
    private = of_privacy(devices)
    attentive = {name for name, check in private.items() if check.state == "attention"}
    assert attentive == {"swap", "listeners", "radios", "system log"}
    assert "/dev/loop0" in private["swap"].found


def test_a_pi_whose_offers_were_taken(tmp_path: Path) -> None:
    devices = pi5(tmp_path)
    drop_ins = {
        "etc/systemd/journald.conf.d/90-bedside.conf": "[Journal]\nStorage=volatile\n",
        "usr/lib/systemd/journald.conf.d/40-rpi.conf": "[Journal]\nStorage=persistent\n",
        "proc/swaps": "Filename Type Size Used Priority\n",
        "proc/net/tcp": "  sl  local\n",
        "sys/class/rfkill/rfkill0/type": "wlan\n",
        "sys/class/rfkill/rfkill0/soft": "1\n",
    }
    tree(tmp_path, drop_ins)
    (tmp_path / "var/log/journal").mkdir(parents=True)
    states = {name: check.state for name, check in of_privacy(devices).items()}
    assert {states[name] for name in ("swap", "system log", "listeners", "radios")} == {"ok"}


def test_an_orin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = bare(tree(tmp_path, ORIN))
    monkeypatch.setattr(jetson, "ASK_CUDA", "print(801)")
    checks = of_board(devices)
    assert checks["JetPack"].state == "ok"
    assert checks["power mode"].found == "The power mode is 25W."
    assert checks["GPU build"].state == "attention"
    assert "render" in checks["GPU"].advice
    assert checks["picture"].state == "attention"
    tree(tmp_path, {"etc/systemd/system/bedside-kiosk.service.d/50-x-screen.conf": "[Unit]\n"})
    assert of_board(devices)["picture"].state == "ok"


def test_an_orin_without_a_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jetson, "ASK_CUDA", "raise SystemExit('no libcuda.so.1')")
    check = of_board(bare(tree(tmp_path, ORIN)))["GPU"]
    assert check.state == "attention" and "no libcuda.so.1" in check.found


def test_a_bare_machine_is_never_green_where_nothing_was_found(tmp_path: Path) -> None:
    checks = of_board(bare(tmp_path)) | of_privacy(bare(tmp_path))
    green = {name for name, check in checks.items() if check.state == "ok"}
    assert green <= {"engine's walls"}


@pytest.mark.parametrize("manifest", ["", "{", '{"source_date_epoch": "soon"}', "[]"])
def test_a_manifest_without_a_date_is_not_guessed(tmp_path: Path, manifest: str) -> None:
    devices = bare(tree(tmp_path, {"opt/bedside/current/manifest.json": manifest}))
    assert of_board(devices)["clock"].state == "not checked"


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(EngineError, match="It does not run here: signal 9"):
        surroundings.run_python("import os; os.kill(os.getpid(), 9)", "It")


def test_no_module_of_the_folder_it_runs_in_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "socket.py").write_text("print('planted')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert surroundings.run_python("import socket; print(socket.AF_INET)", "It") == ["2"]
