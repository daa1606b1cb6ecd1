from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from app.engine import memory
from app.engine.header import Header, TensorInfo
from app.engine.header_reader import Value
from app.engine.memory import estimate, largest_context, parse_available
from app.engine.messages import EngineSettings

F32, F16, Q4_K, Q6_K = 0, 1, 12, 14
MIB = 2**20


def tensor(name: str, shape: tuple[int, ...], kind: int) -> TensorInfo:
    block, size = {F32: (1, 4), F16: (1, 2), Q4_K: (256, 144), Q6_K: (256, 210)}[kind]
    count = 1
    for side in shape:
        count *= side
    return TensorInfo(name, shape, kind, 0, count // block * size)


def header(tied: bool = True, kv_heads: int | tuple[int, ...] = 2) -> Header:
    """Two layers of width 512 (8 heads of 64), 1,000 tokens."""
    tensors = [
        tensor("token_embd.weight", (512, 1000), Q6_K),
        tensor("output_norm.weight", (512,), F32),
    ]
    if not tied:
        tensors.append(tensor("output.weight", (512, 1000), Q6_K))
    for layer in range(2):
        tensors.append(tensor(f"blk.{layer}.attn_norm.weight", (512,), F32))
        tensors.append(tensor(f"blk.{layer}.attn_q.weight", (512, 512), Q4_K))
        tensors.append(tensor(f"blk.{layer}.ffn_up.weight", (512, 1026), Q4_K))
    metadata: dict[str, Value] = {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.context_length": 8192,
        "llama.embedding_length": 512,
        "llama.feed_forward_length": 1026,
        "llama.attention.head_count": 8,
        "llama.attention.head_count_kv": kv_heads,
    }
    return Header(3, metadata, {}, tuple(tensors), 32, 0, 0)


EMBEDDING = 1000 * 2 * 210
QUERY = 512 * 512 // 256 * 144
UP = 512 * 1026 // 256 * 144
PLAIN = EngineSettings(context=4096, mmap=True, extra_buffers=True)


def test_weights_are_the_tensors() -> None:
    need = estimate(header(), PLAIN, 1024)
    assert need.weights == EMBEDDING + 2 * (QUERY + UP) + 3 * 512 * 4
    assert need.total == sum(dataclasses.astuple(need))


def test_what_is_repacked() -> None:
    """Rows that are no multiple of 8 (1,026) are not; a tied embedding is held twice."""
    assert estimate(header(), PLAIN, 1024).repacked == EMBEDDING + 2 * QUERY
    untied = estimate(header(tied=False), PLAIN, 1024)
    assert untied.repacked == EMBEDDING + 2 * QUERY, "the head is, the embedding is not"
    copied = dataclasses.replace(PLAIN, mmap=False)
    assert estimate(header(), copied, 1024).repacked == EMBEDDING
    assert estimate(header(tied=False), copied, 1024).repacked == 0
    plain = dataclasses.replace(PLAIN, extra_buffers=False)
    assert estimate(header(), plain, 1024).repacked == 0


def test_layers_on_the_gpu_are_not_repacked() -> None:
    def repacked(layers: int) -> int:
        settings = dataclasses.replace(PLAIN, gpu_layers=layers)
        return estimate(header(), settings, 1024).repacked

    assert repacked(-1) == repacked(99) == 0
    assert repacked(1) == 2 * QUERY, "the head moves first"
    assert repacked(2) == QUERY


def test_keys_and_values() -> None:
    """2 layers x 2 heads x 64 x (key + value) bytes x context padded to 256."""
    assert estimate(header(), PLAIN, 1000).kv == 1024 * 2 * 2 * 64 * (2 + 2)
    half = dataclasses.replace(PLAIN, key_type="q8_0", value_type="f32")
    assert estimate(header(), half, 1024).kv == int(1024 * 2 * 2 * 64 * (34 / 32 + 4))
    by_layer = estimate(header(kv_heads=(4, 0)), PLAIN, 1024)
    assert by_layer.kv == 1024 * 4 * 64 * 4


def test_explicit_head_widths() -> None:
    wide = header()
    metadata = {**wide.metadata, "llama.attention.key_length": 128}
    wide = dataclasses.replace(wide, metadata=metadata)
    assert estimate(wide, PLAIN, 1024).kv == 1024 * 2 * 2 * (128 + 64) * 2


def test_the_longest_context_fills_what_is_available() -> None:
    model = header()
    whole = estimate(model, PLAIN, 4096).total
    assert largest_context(model, PLAIN, whole) == 4096
    shorter = largest_context(model, PLAIN, whole - 1)
    assert shorter is not None
    assert shorter % 256 == 0
    assert estimate(model, PLAIN, shorter).total < whole
    assert estimate(model, PLAIN, shorter + 256).total > whole - 1
    least = estimate(model, PLAIN, memory.SMALLEST_CONTEXT).total
    assert largest_context(model, PLAIN, least) == memory.SMALLEST_CONTEXT
    assert largest_context(model, PLAIN, least - 1) is None


@pytest.mark.parametrize("available", range(100 * MIB, 140 * MIB, 3 * MIB))
def test_the_longest_context_is_the_longest(available: int) -> None:
    model = header()
    found = largest_context(model, PLAIN, available)
    fits = [c for c in range(512, 4097, 256) if estimate(model, PLAIN, c).total <= available]
    assert found == max(fits, default=None)


def test_never_more_than_the_trained_context() -> None:
    greedy = dataclasses.replace(PLAIN, context=100_000)
    assert largest_context(header(), greedy, 2**40) == 8192
    assert memory.trained_context(header()) == 8192


def test_a_small_trained_context_is_kept() -> None:
    small = dataclasses.replace(
        header(), metadata={**header().metadata, "llama.context_length": 300}
    )
    assert largest_context(small, PLAIN, 2**40) == 300
    assert largest_context(small, PLAIN, 1) is None


MEMINFO = """MemTotal:        4147200 kB
MemFree:          101000 kB
MemAvailable:    3021004 kB
Cached:          2400000 kB
"""


def test_available_memory(tmp_path: Path) -> None:
    assert parse_available(MEMINFO) == 3021004 * 1024
    assert parse_available(MEMINFO.replace("MemAvailable", "MemElsewhere")) is None
    assert parse_available("MemAvailable: -5 kB") is None
    path = tmp_path / "meminfo"
    assert memory.available_memory(path) is None
    path.write_text(MEMINFO)
    assert memory.available_memory(path) == 3021004 * 1024
