"""Gathers what the doctor's checks look at around Bedside: the board's own system, its privacy."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from app.boards import Board
from app.doctor import Check, jetson, machine, network, terminal, upkeep
from app.doctor.console import loaded_font
from app.errors import EngineError
from app.monitor.devices import Devices, Unavailable
from app.monitor.jetson import Jetson

_MANIFEST = "opt/bedside/current/manifest.json"
_BUILT = re.compile(r'"source_date_epoch": ?(\d{1,11})\b')
_X_FORM = "etc/systemd/system/bedside-kiosk.service.d/50-x-screen.conf"
_OTHER_LOGS = ("var/log/syslog", "var/log/messages")
_SECONDS = 60.0
"""Loading a library from a cold SD card takes seconds; longer than this it hangs."""


def privacy(devices: Devices) -> Iterator[Check]:
    """What of a conversation could reach a disk or another machine."""
    yield machine.swap(read(devices, "proc/swaps"), _backing(devices))
    yield upkeep.system_log(
        (devices.root / "var/log/journal").is_dir(),
        (devices.root / "run/log/journal").is_dir(),
        [devices.hint(path) for path in _journal_settings(devices)],
        [f"/{path}" for path in _OTHER_LOGS if (devices.root / path).exists()],
    )
    yield network.listeners({name: read(devices, f"proc/net/{name}") for name in network.TABLES})
    yield network.radios(_radios(devices))
    yield _walls()


def board(devices: Devices, found: Board, system_info: str | None) -> Iterator[Check]:
    """What the board's own system does for it, or against it."""
    yield upkeep.temperature(_temperatures(devices))
    yield upkeep.memory_groups(read(devices, "sys/fs/cgroup/cgroup.controllers"))
    yield upkeep.clock(time.time(), _built(devices))
    if found.id == "orin-nano-8gb":
        yield jetson.jetpack(found.jetson_release)
        yield jetson.gpu_build(system_info)
        yield _cuda()
        yield _power_mode(devices)
        consoles = [devices.hint(path) for path in devices.find("sys/class/vtconsole/*/name")]
        in_x = (devices.root / _X_FORM).exists()
        yield jetson.picture(consoles, devices.hint("proc/fb"), in_x)


def font(devices: Devices, found: Board, environ: Mapping[str, str]) -> Check:
    """Of the console that this runs on, else of the first one, where a board's kiosk is."""
    console = "dev/tty" if environ.get("TERM") == "linux" else "dev/tty1"
    asked = environ.get("TERM") == "linux" or found.id != "generic"
    return terminal.font(environ, loaded_font(devices, console) if asked else None)


def run_python(code: str, what: str) -> list[str]:
    """The lines that a piece of Python prints in a process of its own.

    It is isolated as the engine is: no folder that this runs in can slip code into it.

    Args:
        code: the piece; whatever it loads may take its process with it.
        what: is run, for the sentence.

    Raises:
        EngineError: it failed, was killed, or hung.
    """
    command = [sys.executable, "-I", "-c", code]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"{what} does not load within a minute.") from error
    if done.returncode < 0:
        raise EngineError(f"{what} does not run here: signal {-done.returncode} ended it.")
    if done.returncode > 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise EngineError(f"{what} does not load: {lines[-1] if lines else 'it says nothing'}")
    return done.stdout.decode("utf-8", "replace").splitlines()


def read(devices: Devices, path: str) -> str | None:
    """A small file's text; None where it cannot be had."""
    try:
        return devices.text(path)
    except Unavailable:
        return None


def _walls() -> Check:
    try:
        return network.walls(run_python(network.ATTEMPT, "The attempt"))
    except EngineError as error:
        return network.walls((), str(error))


def _cuda() -> Check:
    try:
        said = run_python(jetson.ASK_CUDA, "CUDA's driver")
        return jetson.gpu(int(said[-1]), "")
    except EngineError as error:
        return jetson.gpu(None, str(error))


def _power_mode(devices: Devices) -> Check:
    try:
        return jetson.power_mode(Jetson(devices).power_mode(), "")
    except Unavailable as reason:
        return jetson.power_mode(None, str(reason))


def _backing(devices: Devices) -> dict[str, str]:
    paths = devices.find("sys/block/zram*/backing_dev")
    return {PurePath(path).parts[2]: devices.hint(path) for path in paths}


def _journal_settings(devices: Devices) -> list[str]:
    """journald.conf, then its drop-ins by name, wherever they lie."""
    folders = ("usr/lib", "etc")
    drop_ins = [
        path
        for folder in folders
        for path in devices.find(f"{folder}/systemd/journald.conf.d/*.conf")
    ]
    return ["etc/systemd/journald.conf", *sorted(drop_ins, key=lambda path: PurePath(path).name)]


def _radios(devices: Devices) -> list[network.Radio] | None:
    if not (devices.root / "sys/class/rfkill").is_dir():
        return None
    return [
        network.Radio(
            devices.hint(f"{folder}/type"),
            "1" in (devices.hint(f"{folder}/soft"), devices.hint(f"{folder}/hard")),
        )
        for folder in devices.find("sys/class/rfkill/rfkill*")
    ]


def _temperatures(devices: Devices) -> list[int]:
    texts = [devices.hint(path) for path in devices.find("sys/class/thermal/thermal_zone*/temp")]
    return [int(text) for text in texts if text.isascii() and text.isdigit()]


def _built(devices: Devices) -> int | None:
    """Seconds since 1970 at which the installed release was built."""
    found = _BUILT.search(devices.hint(_MANIFEST))
    return int(found[1]) if found else None
