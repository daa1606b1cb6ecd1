"""Gathers what the doctor's checks look at on this machine, and runs them."""

from __future__ import annotations

import os
import resource
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from app.boards import Board, Profile
from app.catalog import Catalog
from app.cli import surroundings
from app.cli.waiting import while_hashing
from app.config import Config
from app.doctor import Check, Page, files, machine, power, processor, terminal
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
_CORE_PATTERN = "proc/sys/kernel/core_pattern"
_SYSTEM_INFO = "from app.engine.llama import system_info; print(system_info())"


def examine(config: Config, folders: Folders, board: Board, profile: Profile) -> Iterator[Check]:
    """All checks of this machine, what is essential first.

    The model's whole file is read where it changed since its hash was last compared.
    """
    devices = Devices()
    yield machine.board(board, profile.id, pointer_bits=8 * struct.calcsize("P"))
    yield from _model(config, folders, profile)
    llama_cpp = version("llama-cpp-python")
    system_info, problem = _system_info()
    yield processor.features(system_info, problem, devices.hint("proc/cpuinfo"), llama_cpp)
    yield processor.extra_buffers(crashed_before(folders.state, this_machine(llama_cpp)))
    yield power.source(survey(devices))
    yield _voltage(devices)
    yield machine.supply(_bytes(_SUPPLY))
    yield from surroundings.board(devices, board, system_info)
    yield terminal.terminal(os.environ, sys.stdout.isatty(), sys.stdout.encoding)
    yield surroundings.font(devices, board, os.environ)
    yield files.private_folder("state folder", folders.state)
    limit, _ = resource.getrlimit(resource.RLIMIT_CORE)
    yield machine.core_dumps(limit, surroundings.read(devices, _CORE_PATTERN))
    yield from surroundings.privacy(devices)


def page(config: Config, folders: Folders, board: Board) -> Page:
    """What the page for whoever looks after the board says of this one."""
    ui, model, sha256 = config.ui, "none that can be opened", ""
    with suppress(BedsideError):  # the check of the model says what is wrong with it
        chosen = Catalog.open(config, folders).resolve(config.model, while_hashing())
        model = chosen.entry.name if chosen.entry else chosen.path.name
        sha256 = chosen.sha256 or ""
    return Page(
        board=board.name,
        release=version("bedside"),
        model=model,
        sha256=sha256,
        emergency_number=ui.emergency_number,
        crisis_line=ui.crisis_line,
        idle_s=ui.kiosk_idle_s,
        locked=bool(ui.kiosk_pin_hash or ui.kiosk_pin),
    )


def llama_cpp_features() -> str:
    """llama.cpp's own list of what it was built with, asked in a process of its own.

    Raises:
        EngineError: the library does not load here, or the process was killed while it did.
    """
    return "\n".join(surroundings.run_python(_SYSTEM_INFO, "llama.cpp"))


def fit(header: Header, settings: EngineSettings, available: int) -> machine.Fit:
    """What a model needs of so many available bytes, as the engine reckons when it loads it."""
    wanted = min(settings.context, memory.trained_context(header) or settings.context)
    context = memory.largest_context(header, settings, available)
    reckoned = memory.SMALLEST_CONTEXT if context is None else context
    return machine.Fit(memory.estimate(header, settings, reckoned).total, context, wanted)


def _model(config: Config, folders: Folders, profile: Profile) -> Iterator[Check]:
    try:
        chosen = Catalog.open(config, folders).resolve(config.model, while_hashing())
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


def _system_info() -> tuple[str | None, str]:
    """llama.cpp's list and an empty sentence, or None and why there is none."""
    try:
        return llama_cpp_features(), ""
    except EngineError as error:
        return None, str(error)


def _voltage(devices: Devices) -> Check:
    try:
        return power.voltage(Throttling(devices).read(), "")
    except Unavailable as reason:
        return power.voltage(None, str(reason))


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
