"""The newest run's values for Prometheus: a process of its own that reads the run log.

It touches no sensor and no engine, so it costs the chat nothing; and the log holds no word of a
conversation, so it cannot tell one. What is unknown or old is left out, and never 0.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from app.errors import ResourceError, UsageError
from app.monitor import throttling
from app.monitor.follow import Follower, State

if TYPE_CHECKING:
    from prometheus_client.core import Metric

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 9464
STALE_S = 15.0
"""A log that was not written to for so long tells nothing of now."""

_WARNINGS = ("under_voltage", "capped", "throttled", "soft_limit")

Gauge = tuple[str, str, float | None]
"""Name, help text, value."""


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:9464`, `[::1]:9464`, `:9464` or `9464`.

    Raises:
        UsageError: it is something else. Names are not looked up: that would ask a network.
    """
    host, colon, port = text.strip().rpartition(":")
    host = host.strip("[]") or DEFAULT_HOST
    if not colon:
        host, port = DEFAULT_HOST, text.strip()
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError as error:
        raise UsageError(f"“{text}” is no address, as {DEFAULT_HOST}:{DEFAULT_PORT}.") from error
    if not 0 < number < 65536:
        raise UsageError(f"{number} is no port: give one from 1 to 65535.")
    return host, number


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    return ipaddress.ip_address(host).is_loopback


def gauges(state: State) -> Iterator[Gauge]:
    """Every value that may be told."""
    turn, sample = state.turn, state.sample
    yield "log_age_seconds", "Seconds since the run log was written to.", state.age_s
    if turn is not None:
        yield (
            "decode_tokens_per_second",
            "Of the last answer.",
            turn.generated / turn.decode_s if turn.decode_s > 0 else None,
        )
        yield (
            "prefill_tokens_per_second",
            "Of the last answer.",
            turn.evaluated / turn.prefill_s if turn.prefill_s > 0 else None,
        )
        yield "first_token_seconds", "From the last question to the first text.", turn.ttft_s
        yield (
            "joules_per_token",
            "Of the last answer's decoding.",
            turn.decode_j / turn.generated if turn.decode_j and turn.generated else None,
        )
    if sample is None or state.ended or state.age_s > STALE_S:
        return
    yield "power_watts", "By the source in run_info.", sample.power_w
    yield "temperature_celsius", "Of the processor.", sample.temp_c
    clock, gpu_clock = sample.clock_mhz, sample.gpu_mhz
    yield "clock_hertz", "Of the fastest core.", None if clock is None else clock * 1e6
    yield "cpu_ratio", "Share of all cores in use.", sample.cpu
    yield "gpu_ratio", "Share of the GPU in use.", sample.gpu_load
    yield "gpu_clock_hertz", "Of the GPU.", None if gpu_clock is None else gpu_clock * 1e6
    yield "engine_resident_bytes", "Memory of the engine.", sample.engine_rss
    yield "memory_available_bytes", "Memory that is left.", sample.available
    if sample.throttled is not None:
        for bit, name in enumerate(_WARNINGS):
            now, ever = sample.throttled >> bit & 1, sample.throttled >> (bit + 16) & 1
            yield f"{name}", f"Whether this holds now ({throttling.name(bit)}).", now
            yield f"{name}_since_boot", "Whether it held since the board was started.", ever


def counters(state: State) -> Iterable[Gauge]:
    """What only grows within a run."""
    return (
        ("answers", "Answers of this run.", state.answers),
        ("generated_tokens", "Tokens written in this run.", state.generated),
        ("evaluated_tokens", "Tokens of prompts read in this run.", state.evaluated),
        ("energy_joules", "Of this run's answers, as far as it is known.", state.energy_j),
    )


def info(state: State) -> dict[str, str]:
    """What ran, as labels."""
    header = state.header
    return {
        "run": header.id,
        "board": header.board,
        "model": header.model.name,
        "threads": str(header.threads),
        "llama_cpp": header.versions.get("llama_cpp", ""),
        "bedside": header.versions.get("bedside", ""),
        "power_source": header.power.source if header.power else "",
    }


class Collector:
    """Looks at the log whenever Prometheus asks."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def collect(self) -> Iterator[Metric]:
        """The metrics now; none where there is no run."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        state = self._follower.look()
        if state is None:
            return
        yield InfoMetricFamily("bedside_run", "The newest run.", value=info(state))
        for name, text, value in gauges(state):
            if value is not None:
                yield GaugeMetricFamily(f"bedside_{name}", text, value=value)
        for name, text, count in counters(state):
            if count is not None:
                yield CounterMetricFamily(f"bedside_{name}", text, value=count)


def serve(follower: Follower, host: str, port: int) -> Any:
    """Answer Prometheus in a thread; returns the server, whose `shutdown` ends it.

    Raises:
        UsageError: the extra is not installed.
        ResourceError: the address cannot be taken.
    """
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError as error:
        raise UsageError(
            "Prometheus needs an extra package: `pip install 'bedside[prometheus]'`."
        ) from error
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector(follower))
    try:
        server, _ = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise ResourceError(
            f"The address {host}:{port} cannot be taken ({error.strerror}). Choose another port."
        ) from error
    return server
