"""The run log, version 1: one JSON object a line, with fields by name.

A run is a header, a sample a second, a line for each turn, and an end. `t` is seconds since the
start on the monotonic clock. What could not be read is null, with its reason once in the header's
`unavailable` or in a note. There are counts and times in it, and never a word of a conversation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from app.monitor.power.wall import WallFit

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model that answered."""

    name: str
    sha256: str | None
    bytes: int
    census: Mapping[str, int]
    """Tensor type to the number of tensors."""


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """Where the power was read."""

    source: str
    coverage: str
    rate_hz: float
    """Readings a second in this log."""
    wall: WallFit | None = None
    """How the supply's own power may be estimated from these readings. The samples hold what was
    measured and nothing else."""


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """What bounds decoding, where a bench has measured it."""

    read_bytes_per_s: float
    bytes_per_token: int
    """Weights that a token reads."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a run was: the first line of each of its files."""

    id: str
    started: str
    """The time of day at the start, ISO 8601 in UTC."""
    board: str
    model: ModelFacts
    versions: Mapping[str, str]
    threads: int
    """Decode threads at the start."""
    governor: str | None = None
    throttled: int | None = None
    power: PowerFacts | None = None
    idle_w: float | None = None
    """Power before the run, with the model loaded and nothing to do."""
    power_mode: str | None = None
    """A Jetson's power mode by its name."""
    prefill_threads: int | None = None
    memory: MemoryFacts | None = None
    unavailable: Mapping[str, str] = field(default_factory=dict)
    part: int = 1
    """A long run is cut into several files; each begins with the header."""
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the machine; see `app.monitor.reading.Reading`."""

    t: float
    power_w: float | None
    temp_c: float | None
    clock_mhz: float | None
    cpu: float | None
    engine_rss: int | None
    available: int | None
    throttled: int | None
    gpu_load: float | None = None
    gpu_mhz: float | None = None


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One answer: when, how much, how fast, at what cost."""

    t0: float
    """When it was asked."""
    t1: float
    prompt_tokens: int
    reused: int
    evaluated: int
    generated: int
    prefill_s: float
    decode_s: float
    ttft_s: float | None
    """From the question to the first text; None where none came."""
    energy_j: float | None
    """Of the whole turn."""
    samples: int
    """Power readings inside the turn."""
    prefill_j: float | None = None
    """Of the time in which the engine read the prompt."""
    decode_j: float | None = None
    """Of the time in which it wrote."""
    decode_samples: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """Why a field is null from here on, or what befell the run."""

    t: float
    text: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """The run ended in good order."""

    t: float
    reason: str


Record = Header | Sample | TurnRecord | Note | End

TYPE_NAMES: Mapping[type[Any], str] = {
    Header: "run",
    Sample: "sample",
    TurnRecord: "turn",
    Note: "note",
    End: "end",
}


def encode(record: Record) -> bytes:
    """One line with its newline. A number that is not finite becomes null."""
    fields = {"type": TYPE_NAMES[type(record)], **_finite(asdict(record))}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value
