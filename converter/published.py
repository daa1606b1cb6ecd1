"""What a published model would weigh as a Q4_K_M file, computed from its configuration alone.

No hub can be reached from here, so the catalogue's sizes of models that nobody here has made come
from the shapes in `published.toml` and from the quantiser's own rules, and are marked as computed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as Kind

from app.boards import profile
from app.engine.header import Header, TensorInfo
from app.engine.header_reader import Value
from app.engine.memory import estimate, largest_context
from app.toml_file import read_toml
from converter.quantise import FileType, ModelFacts, TensorSpec, plan_types

CONFIGURATIONS = Path(__file__).with_name("published.toml")

BOARD_MEMORY = {
    "pi5-4gb": 3_500_000_000,
    "pi5-8gb": 7_600_000_000,
    "orin-nano-8gb": 6_200_000_000,
}
"""Bytes taken as available on an idle board without a desktop. Assumed, not measured: what Linux
shows of the soldered memory, less 0.7 GB for the system on a Pi and 1.8 GB on an Orin Nano."""

REFERENCE_CONTEXT = 2048
"""Tokens of context at which the catalogue states the memory that a model needs."""
_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class Published:
    """The shapes of a language model, as its config.json gives them."""

    family: str
    """GGUF's name of the architecture."""
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    feed_forward: int
    vocabulary: int
    """Rows of the token embedding after conversion."""
    context: int
    confirmed: str
    """What the numbers were held against."""
    tied: bool = True
    """Whether the embedding is the output head too."""
    rope_factors: bool = False
    """Whether the file holds the factors of Llama 3's rope scaling as a tensor."""


@dataclass(frozen=True, slots=True)
class Computed:
    """What follows from the shapes."""

    parameters: int
    bytes: int
    """Of the tensors with their padding; the header with the vocabulary comes on top."""
    memory: int
    """Bytes needed on a Pi 5 at the reference context."""
    boards: tuple[str, ...]
    """Boards where it fits with the context of their profile."""


def published() -> dict[str, Published]:
    """The configurations by the catalogue's names."""
    tables = read_toml(CONFIGURATIONS)
    return {name: Published(**table) for name, table in tables.items() if isinstance(table, dict)}


def compute(header: Header) -> Computed:
    """Size, memory and boards of a file with this header."""
    settings = dataclasses.replace(profile("pi5-4gb").settings, context=REFERENCE_CONTEXT)
    return Computed(
        parameters=sum(tensor.elements for tensor in header.tensors),
        bytes=header.file_bytes,
        memory=estimate(header, settings, REFERENCE_CONTEXT).total,
        boards=tuple(board for board in BOARD_MEMORY if _fits(header, board)),
    )


def _fits(header: Header, board: str) -> bool:
    settings = profile(board).settings
    wanted = min(settings.context, int(str(header.setting("context_length"))))
    return largest_context(header, settings, BOARD_MEMORY[board]) == wanted


def q4_k_m_header(model: Published) -> Header:
    """The header that a Q4_K_M file of the model would have, as far as sizes follow from it."""
    specs = tuple(_specs(model))
    facts = ModelFacts(model.family, model.layers, model.heads, model.kv_heads)
    kinds = plan_types(specs, facts, FileType.Q4_K_M)
    tensors, offset = [], 0
    for spec in specs:
        kind = kinds[spec.name]
        block, size = GGML_QUANT_SIZES[kind]
        weight = prod(spec.shape) // block * size
        tensors.append(TensorInfo(spec.name, spec.shape[::-1], kind.value, offset, weight))
        offset += -(-weight // _ALIGNMENT) * _ALIGNMENT
    metadata: dict[str, Value] = {
        "general.architecture": model.family,
        f"{model.family}.block_count": model.layers,
        f"{model.family}.context_length": model.context,
        f"{model.family}.embedding_length": model.hidden,
        f"{model.family}.feed_forward_length": model.feed_forward,
        f"{model.family}.attention.head_count": model.heads,
        f"{model.family}.attention.head_count_kv": model.kv_heads,
        f"{model.family}.attention.key_length": model.head_dim,
        f"{model.family}.attention.value_length": model.head_dim,
    }
    return Header(3, metadata, {}, tuple(tensors), _ALIGNMENT, 0, offset)


def _specs(model: Published) -> Iterator[TensorSpec]:
    """Every tensor, in NumPy's order of sides (rows, row length)."""
    yield _matrix("token_embd", model.vocabulary, model.hidden)
    yield _vector("output_norm", model.hidden)
    if not model.tied:
        yield _matrix("output", model.vocabulary, model.hidden)
    if model.rope_factors:
        yield _vector("rope_freqs", model.head_dim // 2)
    for layer in range(model.layers):
        yield from _block(model, f"blk.{layer}.")


def _block(model: Published, prefix: str) -> Iterator[TensorSpec]:
    queries, keys = model.heads * model.head_dim, model.kv_heads * model.head_dim
    yield _vector(f"{prefix}attn_norm", model.hidden)
    yield _matrix(f"{prefix}attn_q", queries, model.hidden)
    yield _matrix(f"{prefix}attn_k", keys, model.hidden)
    yield _matrix(f"{prefix}attn_v", keys, model.hidden)
    yield _matrix(f"{prefix}attn_output", model.hidden, queries)
    yield _vector(f"{prefix}ffn_norm", model.hidden)
    yield _matrix(f"{prefix}ffn_gate", model.feed_forward, model.hidden)
    yield _matrix(f"{prefix}ffn_up", model.feed_forward, model.hidden)
    yield _matrix(f"{prefix}ffn_down", model.hidden, model.feed_forward)
    if model.family == "qwen2":
        for name, width in (("attn_q", queries), ("attn_k", keys), ("attn_v", keys)):
            yield TensorSpec(f"{prefix}{name}.bias", (width,), Kind.F32)
    if model.family in ("gemma2", "gemma3"):
        yield _vector(f"{prefix}post_attention_norm", model.hidden)
        yield _vector(f"{prefix}post_ffw_norm", model.hidden)
    if model.family == "gemma3":
        yield _vector(f"{prefix}attn_q_norm", model.head_dim)
        yield _vector(f"{prefix}attn_k_norm", model.head_dim)


def _matrix(name: str, rows: int, row: int) -> TensorSpec:
    return TensorSpec(f"{name}.weight", (rows, row), Kind.BF16)


def _vector(name: str, width: int) -> TensorSpec:
    return TensorSpec(f"{name}.weight", (width,), Kind.F32)
