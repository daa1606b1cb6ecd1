"""A bench as a table for people, and as JSON, CSV and llama-bench's own lines for programs."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from app.monitor import throttling
from app.monitor.bench.row import Bench, Row, Spread

_NOT_KNOWN = "-"
_SPEED = (
    "row",
    "threads",
    "K/V",
    "prompt",
    "answer",
    "prefill/s",
    "decode/s",
    "first s",
    "reached",
)
_POWER = ("row", "idle W", "mean W", "peak W", "J/token", "token/J", "MiB", "°C", "throttled")


def table(bench: Bench) -> str:
    """Sentences about where it was measured, then what each row brought and what it took.

    Two tables, so that each fits into 80 columns.
    """
    rows = list(enumerate(bench.rows, 1))
    speed = _aligned([_SPEED, *(_speed(number, row) for number, row in rows)])
    power = _aligned([_POWER, *(_power(number, row) for number, row in rows)])
    void = [f"Row {number} is void: {'; '.join(row.void)}." for number, row in rows if row.void]
    legend = "± is half the way from the lowest to the highest; threads are decode/prefill."
    return "\n".join([*_preface(bench), "", *speed, legend, "", *power, *void])


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        " ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))
        for line in lines
    ]


def _preface(bench: Bench) -> Iterator[str]:
    model, memory = bench.model, bench.bandwidth
    census = ", ".join(f"{count} {kind}" for kind, count in model.census.items())
    yield f"{model.name} ({census}; {model.bytes / 1e6:.1f} MB of tensors) on {bench.board}"
    yield (
        f"Read bandwidth here: {memory.bytes_per_s / 1e9:.1f} GB/s with {memory.threads} "
        f"thread{'s' * (memory.threads > 1)} ({memory.method})."
    )
    yield f"Power: {bench.power}."
    yield f"The model's file was {cache_words(bench.cached)}; loading took {bench.load_s:.2f} s."
    yield "Versions: " + ", ".join(f"{name} {one}" for name, one in bench.versions.items())
    if all(row.throttled_after is None for row in bench.rows):
        yield "Throttling is not told by this machine, so no row could be found void for it."


def cache_words(share: float | None) -> str:
    """Cold, warm, or how much of it; said to be unknown where it is."""
    if share is None:
        return "cached or not: this file system does not tell"
    if share > 0.95:
        return "warm (in the kernel's cache)"
    if share < 0.05:
        return "cold (read from the disk)"
    return f"in the kernel's cache for {share * 100:.0f} %"


def _speed(number: int, row: Row) -> tuple[str, ...]:
    settings = row.settings
    reached = _NOT_KNOWN if row.reached is None else f"{row.reached * 100:.0f} %"
    return (
        str(number),
        f"{settings.decode_threads}/{settings.prefill_threads}",
        f"{settings.key_type}/{settings.value_type}",
        str(row.prompt_tokens),
        str(row.generated),
        _spread(row.prefill, ".1f"),
        _spread(row.decode, ".2f"),
        _spread(row.first_token_s, ".2f"),
        "void" if row.void else reached,
    )


def _power(number: int, row: Row) -> tuple[str, ...]:
    memory = None if row.memory_peak is None else row.memory_peak / 2**20
    before, after = _bits(row.throttled_before), _bits(row.throttled_after)
    return (
        str(number),
        _cell(row.idle_w, ".2f"),
        _cell(row.mean_w, ".2f"),
        _cell(row.peak_w, ".2f"),
        _cell(row.decode_j, ".3f"),
        _cell(row.tokens_per_joule, ".2f"),
        _cell(memory, ".0f"),
        f"{_cell(row.temp_before, '.0f')}>{_cell(row.temp_after, '.0f')}",
        f"{before or _NOT_KNOWN}>{after or _NOT_KNOWN}",
    )


def as_json(bench: Bench) -> str:
    """Everything, with the fields' own names."""
    return json.dumps(dataclasses.asdict(bench), ensure_ascii=False, indent=2)


def as_csv(bench: Bench) -> str:
    """A line for each row; what is not known is an empty cell."""
    out = io.StringIO()
    rows = [_flat(bench, row) for row in bench.rows]
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _flat(bench: Bench, row: Row) -> dict[str, Any]:
    settings = row.settings
    flat: dict[str, Any] = {
        "started": bench.started,
        "board": bench.board,
        "model": bench.model.name,
        "model_sha256": bench.sha256,
        "llama_cpp": bench.model.llama_cpp,
        "decode_threads": settings.decode_threads,
        "prefill_threads": settings.prefill_threads,
        "key_type": settings.key_type,
        "value_type": settings.value_type,
        "prompt_tokens": row.prompt_tokens,
        "generated": row.generated,
    }
    for name in ("prefill", "decode", "first_token_s"):
        value: Spread | None = getattr(row, name)
        for part in ("median", "low", "high"):
            flat[f"{name}_{part}"] = None if value is None else round(getattr(value, part), 4)
    for name in ("idle_w", "mean_w", "peak_w", "prefill_j", "decode_j", "tokens_per_joule"):
        flat[name] = getattr(row, name)
    flat |= {
        "memory_peak": row.memory_peak,
        "temp_before": row.temp_before,
        "temp_after": row.temp_after,
        "throttled_before": _bits(row.throttled_before),
        "throttled_after": _bits(row.throttled_after),
        "read_bytes_per_s": round(bench.bandwidth.bytes_per_s),
        "reached": row.reached,
        "void": "; ".join(row.void),
    }
    return flat


def as_llama_bench(bench: Bench) -> str:
    """JSON lines with the fields of llama.cpp's `llama-bench -o jsonl`, so that its readers work.

    As there, a row is a prompt or an answer: each of ours makes two. The answer's depth is its
    prompt, which was in the cache. Settings that Bedside leaves alone have llama.cpp's defaults.
    A row that is void is left out, since that format has no place to say so.
    """
    lines = []
    for row in bench.rows:
        if row.void:
            continue
        common = _llama_bench(bench, row)
        prompt = {"n_prompt": row.prompt_tokens, "n_gen": 0, "n_depth": 0}
        answer = {"n_prompt": 0, "n_gen": row.generated - 1, "n_depth": row.prompt_tokens}
        threads = {"n_threads": row.settings.prefill_threads}
        lines.append(
            {**common, **threads, **prompt, **_samples(row.prefill_runs, row.prompt_tokens)}
        )
        lines.append({**common, **answer, **_samples(row.decode_runs, row.generated - 1)})
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _llama_bench(bench: Bench, row: Row) -> dict[str, Any]:
    settings = row.settings
    return {
        "build_commit": f"llama-cpp-python {bench.model.llama_cpp}",
        "build_number": 0,
        "cpu_info": bench.board,
        "gpu_info": "",
        "backends": "CUDA" if settings.gpu_layers else "CPU",
        "model_filename": bench.model.name,
        "model_type": f"{bench.model.architecture} {bench.model.parameters / 1e9:.2f}B",
        "model_size": bench.model.bytes,
        "model_n_params": bench.model.parameters,
        "n_batch": settings.micro_batch,
        "n_ubatch": settings.micro_batch,
        "n_threads": settings.decode_threads,
        "cpu_mask": "0x0",
        "cpu_strict": False,
        "poll": 50,
        "type_k": settings.key_type,
        "type_v": settings.value_type,
        "n_gpu_layers": settings.gpu_layers,
        "n_cpu_moe": 0,
        "split_mode": "layer",
        "main_gpu": 0,
        "no_kv_offload": False,
        "flash_attn": int(settings.flash_attention),
        "devices": "auto",
        "tensor_split": "0.00",
        "tensor_buft_overrides": "none",
        "load_mode": "mmap" if settings.mmap else "none",
        "lazy_mode": "none",
        "embeddings": False,
        "no_op_offload": 0,
        "no_host": False,
        "repack": bench.model.extra_buffers,
        "fit_target": 0,
        "fit_min_ctx": 0,
        "test_time": bench.started,
    }


def _samples(speeds: Sequence[float], tokens: int) -> dict[str, Any]:
    times = [round(tokens / speed * 1e9) for speed in speeds]
    return {
        "avg_ns": round(statistics.fmean(times)) if times else 0,
        "stddev_ns": round(_deviation(times)),
        "avg_ts": statistics.fmean(speeds) if speeds else 0.0,
        "stddev_ts": _deviation(speeds),
        "samples_ns": times,
        "samples_ts": list(speeds),
    }


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _spread(value: Spread | None, form: str) -> str:
    if value is None:
        return _NOT_KNOWN
    return f"{value.median:{form}} ±{(value.high - value.low) / 2:{form}}"


def _cell(value: float | None, form: str) -> str:
    return _NOT_KNOWN if value is None else f"{value:{form}}"


def _bits(bits: int | None) -> str | None:
    if bits is None:
        return None
    return f"0x{bits & throttling.KNOWN_BITS:x}"


FORMATS: Mapping[str, Callable[[Bench], str]] = MappingProxyType(
    {"table": table, "json": as_json, "csv": as_csv, "llama-bench": as_llama_bench}
)
