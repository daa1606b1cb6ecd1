"""Makes a run's header: what ran, on what, with which versions."""

from __future__ import annotations

import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from app.engine.messages import Loaded
from app.monitor.devices import Devices, Unavailable
from app.monitor.power import WALL_FITS, Kind
from app.monitor.reading import Reading
from app.monitor.runlog import Header, MemoryFacts, ModelFacts, PowerFacts
from app.monitor.system import governor


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a run before its first reading."""

    started: datetime
    """The time of day, in UTC."""
    board: str
    model: Loaded
    sha256: str | None
    threads: int
    prefill_threads: int | None = None
    idle_w: float | None = None
    memory: MemoryFacts | None = None


def make_header(
    facts: RunFacts, reading: Reading, kind: Kind | None, rate_hz: float, devices: Devices
) -> Header:
    """The header, with the reason of everything that is null in it or in the first reading.

    Args:
        facts: what ran.
        reading: the first one of the run.
        kind: the power source; None where there is none.
        rate_hz: readings a second.
        devices: where the clock's governor is read.
    """
    unavailable = dict(reading.unavailable)
    if facts.idle_w is None:
        unavailable["idle_w"] = "the run began at once; its quiet stretches tell the idle power"
    if facts.sha256 is None:
        unavailable["model.sha256"] = "the file's hash is not recorded"
    try:
        rule: str | None = governor(devices)
    except Unavailable as reason:
        rule, unavailable["governor"] = None, str(reason)
    model = facts.model
    return Header(
        id=f"{facts.started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        started=facts.started.isoformat(timespec="milliseconds"),
        board=facts.board,
        model=ModelFacts(model.name, facts.sha256, model.bytes, model.census),
        versions=versions(model.llama_cpp),
        threads=facts.threads,
        governor=rule,
        throttled=reading.throttled,
        power=_power(kind, rate_hz) if kind else None,
        idle_w=facts.idle_w,
        power_mode=reading.power_mode,
        prefill_threads=facts.prefill_threads,
        memory=facts.memory,
        unavailable=unavailable,
    )


def _power(kind: Kind, rate_hz: float) -> PowerFacts:
    return PowerFacts(kind.id, kind.coverage, rate_hz, WALL_FITS.get(kind.id))


def versions(llama_cpp: str) -> Mapping[str, str]:
    """Versions of everything that a number may depend on."""
    try:
        own = version("bedside")
    except PackageNotFoundError:
        own = "not installed"
    return {
        "bedside": own,
        "llama_cpp": llama_cpp,
        "python": platform.python_version(),
        "kernel": platform.release(),
    }
