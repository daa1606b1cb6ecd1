"""What only a Jetson has, with answers of our own."""

from __future__ import annotations

import pytest

from app.doctor import jetson


@pytest.mark.parametrize(
    ("release", "state"),
    [("36.5.0", "ok"), ("39.2.1", "ok"), ("35.4.1", "attention"), (None, "attention")],
)
def test_a_system_that_nobody_tried_is_told(release: str | None, state: str) -> None:
    assert jetson.jetpack(release).state == state


@pytest.mark.parametrize(
    ("info", "state"),
    [
        ("CUDA : ARCHS = 870 | CPU : NEON = 1 | ", "ok"),
        ("CPU : NEON = 1 | ", "attention"),
        (None, "not checked"),
    ],
)
def test_a_library_without_cuda_is_told(info: str | None, state: str) -> None:
    check = jetson.gpu_build(info)
    assert check.state == state and (state != "attention" or "build-cuda.sh" in check.advice)


@pytest.mark.parametrize(
    ("code", "state", "advice"),
    [
        (0, "ok", ""),
        (801, "attention", "`render`"),
        (999, "attention", "`video`"),
        (100, "attention", "Restart"),
        (3, "attention", "Restart"),
        (None, "attention", "JetPack"),
    ],
)
def test_why_cuda_does_not_start(code: int | None, state: str, advice: str) -> None:
    check = jetson.gpu(code, "CUDA's driver does not load: libcuda.so.1.")
    assert check.state == state and advice in check.advice
    assert code is None or code == 0 or str(code) in check.found


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("15W", "attention"),
        ("7W", "attention"),
        ("25W", "ok"),
        ("MAXN_SUPER", "ok"),
        (None, "not checked"),
    ],
)
def test_a_slow_power_mode_is_told(name: str | None, state: str) -> None:
    assert jetson.power_mode(name, "no nvpmodel").state == state


@pytest.mark.parametrize(
    ("consoles", "buffers", "in_x", "state"),
    [
        (["(S) dummy device", "(M) frame buffer device"], "0 tegra-drmfb", False, "ok"),
        (["(S) dummy device", "(M) frame buffer device"], "", False, "attention"),
        (["(S) dummy device"], "", False, "attention"),
        (["(S) dummy device"], "", True, "ok"),
        ([], "", False, "not checked"),
    ],
)
def test_a_console_without_a_picture_is_told(
    consoles: list[str], buffers: str, in_x: bool, state: str
) -> None:
    check = jetson.picture(consoles, buffers, in_x)
    assert check.state == state and (state != "attention" or "apply screen" in check.advice)
