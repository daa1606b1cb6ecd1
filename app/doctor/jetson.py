"""What only a Jetson has: its system's release, its GPU, its power modes, its odd console."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.doctor.check import Check, attention, not_checked, ok
from app.doctor.offers import offer

TRIED_RELEASES = ("36.", "39.")
"""Jetson Linux of JetPack 6 and 7.2."""
SLOW_MODES = re.compile(r"(7|10|15)W", re.IGNORECASE)

ASK_CUDA = "import ctypes; print(ctypes.CDLL('libcuda.so.1').cuInit(0))"
"""Run in a process of its own: a driver that is not right may take the process with it."""
_REFUSALS = {
    100: ("it sees no GPU", "Restart the board; look at `dmesg` for nvgpu."),
    801: ("it may not open /dev/dri/renderD128", "Add the user to the group `render`."),
    999: ("it may not open /dev/nvmap", "Add the user to the group `video`."),
}


def jetpack(release: str | None) -> Check:
    """Whether anybody has tried Bedside's libraries with this system."""
    if release is None:
        return attention(
            "JetPack",
            "The system does not say which Jetson Linux it is (/etc/nv_tegra_release).",
            "Use NVIDIA's own image, or expect the GPU not to work.",
        )
    if release.startswith(TRIED_RELEASES):
        return ok("JetPack", f"Jetson Linux {release} is one of JetPack 6 or 7.")
    return attention(
        "JetPack",
        f"Nobody has tried Bedside with Jetson Linux {release}.",
        "Use JetPack 6 (Jetson Linux 36.5) or 7.2.",
    )


def gpu_build(system_info: str | None) -> Check:
    """Whether llama.cpp was built for the GPU.

    Args:
        system_info: llama.cpp's own list; None where the library does not load.
    """
    if system_info is None:
        return not_checked("GPU build", "llama.cpp does not load.")
    if "CUDA" in system_info:
        return ok("GPU build", "llama.cpp was built for the GPU.")
    return attention(
        "GPU build",
        "llama.cpp was built without CUDA, so the model runs on the processor alone.",
        "Build it on this board: `sudo sh /opt/bedside/current/build/build-cuda.sh`.",
    )


def gpu(code: int | None, problem: str) -> Check:
    """Whether CUDA starts.

    Args:
        code: what cuInit answered, 0 where it started; None where it could not be asked.
        problem: then why, as a sentence.
    """
    if code is None:
        return attention("GPU", problem, "Install JetPack's CUDA: `sudo apt install cuda-toolkit`.")
    if code == 0:
        return ok("GPU", "CUDA starts. Whether a model runs on it, an answer shows.")
    why, advice = _REFUSALS.get(code, ("", "Restart the board."))
    because = f": {why}" if why else ""
    return attention("GPU", f"CUDA does not start (cuInit says {code}){because}.", advice)


def power_mode(name: str | None, reason: str) -> Check:
    """Whether the board runs in a mode that makes it slow.

    Args:
        name: of nvpmodel's mode; None where it could not be read.
        reason: then why.
    """
    if name is None:
        return not_checked("power mode", f"It was not read: {reason}.")
    if SLOW_MODES.fullmatch(name):
        return attention(
            "power mode",
            f"The power mode is {name}; 25W answers faster and takes less energy a word.",
            "`sudo nvpmodel -q --verbose` lists the modes, `sudo nvpmodel -m NUMBER` sets one.",
        )
    return ok("power mode", f"The power mode is {name}.")


def picture(consoles: Sequence[str], frame_buffers: str, in_x: bool) -> Check:
    """Whether what the kiosk draws can be seen.

    Args:
        consoles: texts of /sys/class/vtconsole/*/name.
        frame_buffers: the text of /proc/fb.
        in_x: whether the kiosk's unit has the X form beside it.
    """
    if in_x:
        return ok("picture", "The kiosk is drawn by an X server.")
    if not consoles:
        return not_checked("picture", "The kernel does not tell of its consoles.")
    if frame_buffers.strip() and any("frame buffer" in name for name in consoles):
        return ok("picture", "The console shows a picture.")
    return attention(
        "picture", "The console shows no picture on this system.", f"{offer('screen')}."
    )
