"""Gathers what the doctor's checks look at on this machine, and runs them."""

from __future__ import annotations

import os
import resource
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from app.boards import Board, Profile
from app.catalog import Catalog
from app.config import Config
from app.doctor import Check, files, machine, power, processor, terminal
from app.engine import memory
from app.engine.messages import EngineSettings
from app.engine.modelfile import Header, read_header
from app.engine.remembered import crashed_before, this_machine
from app.errors import BedsideError, EngineError
from app.folders import Folders
from app.monitor.devices import Devices, Unavailable
from app.monitor.power import survey
from app.monitor.sensors import Throttling

_SUPPLY = Path("/proc/device-tree/chosen/power/max_current")
_SYSTEM_INFO = "from app.engine.llama import system_info; print(system_info())"
_SYSTEM_INFO_SECONDS = 60.0
"""Loading the library from a cold SD card takes seconds; longer than this it hangs."""


def examine(config: Config, folders: Folders, board: Board, profile: Profile) -> Iterator[Check]:
    """All checks of this machine, what is essential first.

    The model's whole file is read where it changed since its hash was last compared.
    """
    devices = Devices()
    yield machine.board(board, profile.id, pointer_bits=8 * struct.calcsize("P"))
    yield from _model(config, folders, profile)
    llama_cpp = version("llama-cpp-python")
    yield _features(devices.hint("proc/cpuinfo"), llama_cpp)
    yield processor.extra_buffers(crashed_before(folders.state, this_machine(llama_cpp)))
    yield power.source(survey(devices))
    yield _voltage(devices)
    yield machine.supply(_bytes(_SUPPLY))
    yield terminal.terminal(os.environ, sys.stdout.isatty(), sys.stdout.encoding)
    yield terminal.font(os.environ)
    yield files.private_folder("state folder", folders.state)
    yield machine.swap(_text(devices, "proc/swaps"))
    limit, _ = resource.getrlimit(resource.RLIMIT_CORE)
    yield machine.core_dumps(limit, _text(devices, "proc/sys/kernel/core_pattern"))


def llama_cpp_features() -> str:
    """llama.cpp's own list of what it was built with, asked in a process of its own.

    Raises:
        EngineError: the library does not load here, or the process was killed while it did.
    """
    command = [sys.executable, "-c", _SYSTEM_INFO]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_SYSTEM_INFO_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EngineError("llama.cpp does not load within a minute.") from error
    if done.returncode < 0:
        raise EngineError(f"llama.cpp does not run here: signal {-done.returncode} ended it.")
    if done.returncode > 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise EngineError(f"llama.cpp does not load: {lines[-1] if lines else 'it says nothing'}")
    return done.stdout.decode("utf-8", "replace")


def fit(header: Header, settings: EngineSettings, available: int) -> machine.Fit:
    """What a model needs of so many available bytes, as the engine reckons when it loads it."""
    wanted = min(settings.context, memory.trained_context(header) or settings.context)
    context = memory.largest_context(header, settings, available)
    reckoned = memory.SMALLEST_CONTEXT if context is None else context
    return machine.Fit(memory.estimate(header, settings, reckoned).total, context, wanted)


def _model(config: Config, folders: Folders, profile: Profile) -> Iterator[Check]:
    try:
        chosen = Catalog.open(config, folders).resolve(config.model)
        header = read_header(chosen.path)
    except BedsideError as error:
        yield files.broken_model(error)
        return
    name = chosen.entry.name if chosen.entry else chosen.path.name
    compared = bool(chosen.entry and chosen.entry.sha256 == chosen.sha256)
    yield files.model(name, header.file_bytes, compared)
    settings = profile.settings
    if config.context:
        settings = replace(settings, context=config.context)
    available = memory.available_memory()
    advice = chosen.advise_on_memory(available or 0)
    yield machine.memory(name, available, fit(header, settings, available or 0), advice)


def _features(cpuinfo: str, llama_cpp: str) -> Check:
    try:
        return processor.features(llama_cpp_features(), "", cpuinfo, llama_cpp)
    except EngineError as error:
        return processor.features(None, str(error), cpuinfo, llama_cpp)


def _voltage(devices: Devices) -> Check:
    try:
        return power.voltage(Throttling(devices).read(), "")
    except Unavailable as reason:
        return power.voltage(None, str(reason))


def _text(devices: Devices, path: str) -> str | None:
    try:
        return devices.text(path)
    except Unavailable:
        return None


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
