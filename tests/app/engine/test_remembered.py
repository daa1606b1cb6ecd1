"""The finding holds for one processor and one version, and a spoilt note is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.engine.remembered import Machine, crashed_before, remember_crash, this_machine

MACHINE = Machine("x86_64 model name: A flags: amx", "0.3.36")


def test_a_crash_is_remembered_for_this_machine_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert not crashed_before(folder, MACHINE)
    remember_crash(folder, MACHINE)
    assert crashed_before(folder, MACHINE)
    assert not crashed_before(folder, Machine(MACHINE.cpu, "0.3.37"))
    assert not crashed_before(folder, Machine("aarch64", "0.3.36"))


def test_a_second_machine_joins_the_first(tmp_path: Path) -> None:
    other = Machine("aarch64", "0.3.36")
    for machine in (MACHINE, other, MACHINE):
        remember_crash(tmp_path, machine)
    assert crashed_before(tmp_path, MACHINE) and crashed_before(tmp_path, other)
    assert [path.name for path in tmp_path.iterdir()] == ["extra-buffers-crash.json"]


@pytest.mark.parametrize(
    "note", [b"", b"{", b"{}", b"5", b"\xff\xfe", b'["a"]', b"[" * 9999], ids=len
)
def test_a_spoilt_note_is_none_and_can_be_written_over(note: bytes, tmp_path: Path) -> None:
    (tmp_path / "extra-buffers-crash.json").write_bytes(note)
    assert not crashed_before(tmp_path, MACHINE)
    remember_crash(tmp_path, MACHINE)
    assert crashed_before(tmp_path, MACHINE)


def test_the_machine_is_its_processors_name_and_features(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor: 0\nmodel name: A\nflags: amx avx\nprocessor: 1\nmodel name: A\n")
    machine = this_machine("0.3.36", cpuinfo)
    assert "model name: A flags: amx avx" in machine.cpu and machine.llama_cpp == "0.3.36"
    assert this_machine("0.3.36", tmp_path / "none").cpu in machine.cpu
