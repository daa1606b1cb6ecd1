"""Features of the build against those of the processor."""

from __future__ import annotations

import pytest

from app.doctor import processor
from app.doctor.check import Check

X86 = "processor\t: 0\nflags\t\t: fpu pni ssse3 avx avx2 f16c fma bmi2\n"
PI = "processor\t: 0\nFeatures\t: fp asimd evtstrm aes fphp asimdhp cpuid asimdrdm asimddp\n"


def _check(system_info: str | None, cpuinfo: str, problem: str = "") -> Check:
    return processor.features(system_info, problem, cpuinfo, "0.3.36")


def test_a_build_for_this_processor_is_fine() -> None:
    info = "CPU : SSE3 = 1 | AVX2 = 1 | FMA = 1 | F16C = 1 | OPENMP = 1 | REPACK = 1 | "
    check = _check(info, X86)
    assert check.state == "ok" and "AVX2" in check.found


def test_a_build_for_a_newer_processor_is_essential() -> None:
    info = "CPU : AVX2 = 1 | FMA = 1 | F16C = 1 | AVX512 = 1 | AMX_INT8 = 1 | REPACK = 1 | "
    check = _check(info, X86)
    assert (check.state, check.essential) == ("attention", True)
    assert "lacks AMX_INT8, AVX512" in check.found
    assert "llama-cpp-python==0.3.36" in check.advice


@pytest.mark.parametrize(
    ("info", "missing"),
    [
        ("CPU : NEON = 1 | ARM_FMA = 1 | REPACK = 1 | ", "DOTPROD"),
        ("CPU : NEON = 1 | ARM_FMA = 1 | DOTPROD = 1 | ", "REPACK"),
        ("CPU : NEON = 1 | DOTPROD = 0 | ", "DOTPROD, REPACK"),
    ],
)
def test_the_published_arm_wheel_is_told_to_be_slow(info: str, missing: str) -> None:
    check = _check(info, PI)
    assert (check.state, check.essential) == ("attention", False)
    assert f"without {missing} and" in check.found


def test_what_cannot_be_told_is_not_green() -> None:
    assert _check("", X86).state == "not checked"
    assert _check("CPU : AVX2 = 1 | ", "model: none\n").state == "not checked"
    broken = _check(None, X86, "llama.cpp does not load: no libgomp.")
    assert broken.essential and broken.found == "llama.cpp does not load: no libgomp."


def test_a_remembered_crash_is_told() -> None:
    assert processor.extra_buffers(True).state == "attention"
    assert processor.extra_buffers(False).state == "ok"
