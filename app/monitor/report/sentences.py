"""A run in sentences, and as a table beside others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.monitor import throttling
from app.monitor.logreader import RunLog
from app.monitor.report.summary import Summary
from app.monitor.report.verdict import Verdict

NOT_KNOWN = "-"


def sentences(log: RunLog, summary: Summary, verdict: Verdict | None) -> Iterator[str]:
    """What a person wants to know first."""
    header = log.header
    threads = f"{header.threads} threads" if header.threads != 1 else "1 thread"
    yield f"{header.model.name} on {header.board} with {threads}, {header.started}."
    yield headline(summary, verdict)
    yield power_sentence(log, summary)
    if verdict is not None:
        yield verdict.sentence
    yield throttled_sentence(summary)
    yield from (f"{gap[0].upper()}{gap[1:]}." for gap in summary.gaps)
    if log.end is None:
        yield "The log has no end: the program was killed, or still runs."
    yield from log.damage


def headline(summary: Summary, verdict: Verdict | None) -> str:
    """The numbers in one sentence; those that are not known are left out or said to be missing."""
    if summary.turns == 0:
        return f"{summary.seconds:.0f} s were recorded, and nothing was asked."
    parts = [_speed(summary)]
    if summary.mean_w is not None and summary.peak_w is not None:
        budget = ""
        if verdict is not None:
            place = "inside" if verdict.held else "over"
            budget = f", {place} the {verdict.budget_w:g} W budget"
        parts.append(f"{summary.mean_w:.2f} W mean, {summary.peak_w:.2f} W peak{budget}")
    if summary.token_j is not None:
        parts.append(f"{summary.token_j:.3g} J a token")
    else:
        parts.append("joules a token are not known")
    return "; ".join(parts) + "."


def power_sentence(log: RunLog, summary: Summary) -> str:
    """Where the power was read, what it covers, and idle power beside it."""
    power = log.header.power
    if power is None:
        reason = log.header.unavailable.get("power_w", "no source was found")
        return f"Power is unavailable, because {reason}."
    idle = f"not known, because {summary.idle_from}"
    if summary.idle_w is not None:
        idle = f"{summary.idle_w:.2f} W ({summary.idle_from})"
    known = f"{summary.with_energy} of {summary.turns} answers"
    sentence = (
        f"Power was read from {power.source}, which covers {power.coverage}; idle was {idle}. "
        f"The energy of {known} is known."
    )
    if power.wall is not None and summary.mean_w is not None:
        estimate = power.wall.watts(summary.mean_w)
        sentence += (
            f" Estimate, not measured: {estimate:.1f} W at the wall while answering "
            f"({power.wall.formula}; {power.wall.source})."
        )
    return sentence


def throttled_sentence(summary: Summary) -> str:
    """Whether the board slowed itself down."""
    if summary.throttled is None:
        return "Whether the board was throttled is not known: it does not tell."
    bits = summary.throttled & throttling.KNOWN_BITS
    if bits == 0:
        return "The board was not throttled."
    return f"The board was throttled ({throttling.summary(bits)}): do not compare these numbers."


ROWS = (
    "model", "board", "started", "threads", "answers", "tokens", "decode, tokens/s",
    "prefill, tokens/s", "first words, s", "reached of memory", "idle, W", "mean, W", "peak, W",
    "J a token", "J a prompt token", "tokens a J", "engine memory, MiB", "hottest, °C",
    "throttled", "power source", "llama.cpp", "budget",
)  # fmt: skip


def column(log: RunLog, summary: Summary, verdict: Verdict | None) -> tuple[str, ...]:
    """One run's cells, in the order of `ROWS`."""
    header = log.header
    memory = None if summary.memory_peak is None else summary.memory_peak / 2**20
    reached = None if summary.reached is None else summary.reached * 100
    throttled = NOT_KNOWN if summary.throttled is None else f"0x{summary.throttled:x}"
    per_joule = 1 / summary.token_j if summary.token_j else None
    return (
        header.model.name,
        header.board,
        header.started,
        str(header.threads),
        str(summary.turns),
        str(summary.generated),
        cell(summary.decode, ".2f"),
        cell(summary.prefill, ".1f"),
        cell(summary.first_token_s, ".2f"),
        cell(reached, ".0f", " %"),
        cell(summary.idle_w, ".2f"),
        cell(summary.mean_w, ".2f"),
        cell(summary.peak_w, ".2f"),
        cell(summary.token_j, ".4f"),
        cell(summary.prompt_token_j, ".4f"),
        cell(per_joule, ".2f"),
        cell(memory, ".0f"),
        cell(summary.hottest_c, ".1f"),
        throttled,
        header.power.source if header.power else NOT_KNOWN,
        header.versions.get("llama_cpp", NOT_KNOWN),
        NOT_KNOWN if verdict is None else verdict.word,
    )


def side_by_side(columns: Sequence[Sequence[str]]) -> list[str]:
    """Runs as columns, values as rows."""
    lines = [ROWS, *columns]
    widths = [max(map(len, line)) for line in lines]
    return [
        "  ".join(f"{one:<{width}}" for one, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*lines, strict=True)
    ]


def cell(value: float | None, form: str, unit: str = "") -> str:
    """A value for a table, or a dash."""
    return NOT_KNOWN if value is None else f"{value:{form}}{unit}"


def _speed(summary: Summary) -> str:
    if summary.decode is None:
        return "no token was written"
    speed = f"{summary.decode:.1f} tokens/s"
    if summary.reached is None:
        return speed
    return f"{speed}, {summary.reached * 100:.0f} % of what this memory can give"
