"""tegrastats in every form it has had, torn and whole; a program that dies is started again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.monitor.devices import Absent, Devices, Unavailable
from app.monitor.power import tegrastats
from app.monitor.power.tegrastats import parse, power_of, probe
from app.monitor.program import START_AGAIN_S, LineProgram
from tests.app.monitor.boards import bare

LINE = (
    "01-02-2026 03:04:05 RAM 1000/7620MB (lfb 8x2MB) SWAP 1/3810MB (cached 1MB) "
    "CPU [15%@729,off] EMC_FREQ 43%@2133 GR3D_FREQ 50%@[600,0] VIC off "
    "cpu@50.5C tj@51C VDD_IN 9000mW/8000mW VDD_CPU_GPU_CV 3000mW/2000mW VDD_SOC 2000mW/1500mW"
)


def test_the_input_is_the_total_and_its_instant_counts() -> None:
    line = parse(LINE)
    power = power_of(line)
    assert power.watts == 9.0
    assert power.rails == {"VDD_IN": 9.0, "VDD_CPU_GPU_CV": 3.0, "VDD_SOC": 2.0}
    assert (power.gpu_load, power.gpu_mhz) == (0.5, 600.0)
    assert line.temperatures == {"cpu": 50.5, "tj": 51.0}
    assert line.memory == (1000, 7620)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "no rail"),
        ("RAM 1000/7620MB CPU [1%@729", "no rail"),
        (LINE.replace("VDD_IN", "VDD_XX"), "VDD_XX"),
        (LINE.replace("9000mW/8000mW", "9000"[:0] + "mW"), "whole module"),
        (LINE.replace("9000mW", "-9000mW"), "whole module"),
        (LINE.replace("9000mW", "9999999mW"), "cannot be"),
        (f"{LINE} VDD_IN 9000mW/8000mW", "twice"),
    ],
)
def test_a_line_that_is_no_reading_says_why(line: str, message: str) -> None:
    with pytest.raises(Unavailable, match=message):
        power_of(parse(line))


def test_values_that_cannot_be_are_not_taken() -> None:
    line = parse("RAM 9000/7620MB GR3D_FREQ 101%@[600] cpu@50C VDD_IN 5000mW/5000mW")
    assert (line.memory, line.gpu_load, line.gpu_mhz) == (None, None, None)


@given(cut=st.integers(0, len(LINE)), text=st.text(max_size=30))
def test_a_torn_or_mixed_line_is_a_reading_or_a_reason(cut: int, text: str) -> None:
    try:
        watts = power_of(parse(LINE[:cut] + text)).watts
    except Unavailable:
        return
    assert 0 <= watts <= 2000


def _spawn(script: str, started: list[int]) -> object:
    def spawn(_command: Sequence[str]) -> subprocess.Popen[bytes]:
        started.append(1)
        return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)

    return spawn


def test_a_program_that_died_is_started_again_but_not_at_once() -> None:
    started: list[int] = []
    now = [0.0]
    spawn = _spawn("print('one line', flush=True); print('torn', end='')", started)
    program = LineProgram(("fake",), spawn, 3.0, lambda: now[0])  # type: ignore[arg-type]
    assert program.latest() == "one line"
    assert program._process is not None
    program._process.wait()
    with pytest.raises(Unavailable, match="has ended"):
        program.latest()
    now[0] = START_AGAIN_S
    assert program.latest() == "one line"
    assert len(started) == 2
    program.close()


def test_an_old_line_is_no_reading() -> None:
    now = [0.0]
    spawn = _spawn("import time; print('line', flush=True); time.sleep(60)", [])
    program = LineProgram(("fake",), spawn, 3.0, lambda: now[0])  # type: ignore[arg-type]
    assert program.latest() == "line"
    now[0] = 3.5
    with pytest.raises(Unavailable, match="said nothing for a while"):
        program.latest()
    program.close()


def test_the_command_is_a_source_where_it_is_installed(tmp_path: Path) -> None:
    with pytest.raises(Absent):
        probe(bare(tmp_path))
    script = f"import time; print({LINE!r}, flush=True); time.sleep(60)"
    devices = Devices(
        tmp_path,
        spawn=_spawn(script, []),  # type: ignore[arg-type]
        has_program=lambda name: name == "tegrastats",
    )
    reader = probe(devices)
    assert reader.read().watts == 9.0
    assert reader.via == "tegrastats"
    reader.close()


def test_a_program_without_the_total_is_ended(tmp_path: Path) -> None:
    script = "import time; print('VDD_CPU_CV 5mW/5mW', flush=True); time.sleep(60)"
    processes: list[subprocess.Popen[bytes]] = []

    def spawn(_command: Sequence[str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        processes.append(process)
        return process

    devices = Devices(tmp_path, spawn=spawn, has_program=lambda _: True)
    with pytest.raises(Unavailable, match="VDD_CPU_CV"):
        tegrastats.probe(devices)
    assert processes[0].poll() is not None
