"""Runs with numbers that can be worked by hand."""

from __future__ import annotations

from app.monitor.logreader import RunLog
from app.monitor.runlog import (
    End,
    Header,
    MemoryFacts,
    ModelFacts,
    Note,
    PowerFacts,
    Sample,
    TurnRecord,
)

HEADER = Header(
    id="20260102T030405Z-abc123",
    started="2026-01-02T03:04:05+00:00",
    board="pi5-8gb",
    model=ModelFacts("a <model> & more", "ab" * 32, 1000, {"Q4_K": 1}),
    versions={"llama_cpp": "0.3.36"},
    threads=2,
    power=PowerFacts("pmic", "the board behind its power chip", 1.0),
    memory=MemoryFacts(10e9, 1_000_000_000),
)


def sample(t: float, watts: float | None = 3.0, throttled: int | None = 0) -> Sample:
    """A sample that differs in time and power."""
    return Sample(t, watts, 50.0 + t / 10, 2400.0, 0.5, 100 << 20, 1 << 30, throttled)


def turn(t0: float, joules: float | None = 58.0) -> TurnRecord:
    """10 s: 2 s for 100 tokens of prompt, 8 s for 64 of answer."""
    decode_j = None if joules is None else 48.0
    prefill_j = None if joules is None else 10.0
    return TurnRecord(
        t0, t0 + 10, 100, 0, 100, 64, 2.0, 8.0, 2.1, joules, 10, prefill_j, decode_j, 8
    )


def log(*watts: float | None, turns: tuple[TurnRecord, ...] = (), **changes: object) -> RunLog:
    """A run with these powers, one a second."""
    samples = tuple(sample(float(t), one) for t, one in enumerate(watts))
    values: dict[str, object] = {
        "header": HEADER,
        "samples": samples,
        "turns": turns,
        "notes": (),
        "end": End(float(len(watts)), "left"),
        "damage": (),
    }
    return RunLog(**{**values, **changes})  # type: ignore[arg-type]


GAP = Note(7.0, "the machine was suspended for 600 s", "gap")
