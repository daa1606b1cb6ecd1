"""How much memory a model will take, before it is loaded, and how long a context that leaves.

An estimate, a little on the high side: refusing in words is kinder than the kernel's OOM killer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from app.engine.header import Header, TensorInfo
from app.engine.header_reader import Skipped
from app.engine.messages import EngineSettings, KvType

SMALLEST_CONTEXT = 512
"""Tokens. The system prompt, one question and half an answer; below it a chat is of no use."""

_CONTEXT_STEP = 256
"""llama.cpp pads the cache to a multiple of this (`llama-context.cpp`, GGML_PAD of n_ctx)."""
_PROCESS_BYTES = 96 * 2**20
"""Python, NumPy and the library itself, with the graphs that llama.cpp keeps."""
_BYTES_PER_TOKEN = 320
"""Of the vocabulary inside llama.cpp: text, score and type, and a hash map over the texts."""
_GPU_BYTES = 400 * 2**20
"""CUDA's own context and kernels. A guess on the high side, not measured on an Orin Nano yet."""
_KV_BYTES: dict[KvType, float] = {"f32": 4, "f16": 2, "q8_0": 34 / 32}
_REPACKED_ROWS = {
    "Q1_0": 4,
    "Q4_0": 4,
    "IQ4_NL": 4,
    "MXFP4": 4,
    "Q8_0": 4,
    "Q4_K": 8,
    "Q5_K": 8,
    "Q6_K": 8,
}
"""Types that a Pi 5 (dotprod) repacks, when the rows are a multiple of this: `repack.cpp`,
`ggml_repack_get_optimal_repack_type`. x86 repacks a part of them, so this is the upper bound."""
_REPACKED_NAME = re.compile(r"(blk\.\d+\..*|output|token_embd)\.weight")
_BLOCK = re.compile(r"blk\.(\d+)\.")
_AVAILABLE = re.compile(r"^MemAvailable:\s+(\d{1,15}) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes that a model takes, by what they are for."""

    weights: int
    """The tensors of the file."""
    repacked: int
    """Copies of tensors in the layout of the CPU's kernels that stay beside the originals."""
    kv: int
    """Keys and values of the whole context."""
    compute: int
    """Intermediate results of one micro-batch."""
    process: int
    """The engine process itself, with the vocabulary."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.repacked + self.kv + self.compute + self.process


def estimate(header: Header, settings: EngineSettings, context: int) -> MemoryNeed:
    """What the model needs with these settings and a context of so many tokens."""
    context = _padded(context)
    return MemoryNeed(
        weights=sum(tensor.bytes for tensor in header.tensors),
        repacked=_repacked(header, settings),
        kv=_kv(header, settings, context),
        compute=_compute(header, settings, context),
        process=_process(header, settings),
    )


def largest_context(header: Header, settings: EngineSettings, available: int) -> int | None:
    """The longest context, up to the settings' and the trained one, that fits into `available`.

    Returns:
        Tokens; None where not even the smallest context fits.
    """
    most = min(settings.context, trained_context(header) or settings.context)
    if _fits(header, settings, most, available):
        return most
    smallest = min(SMALLEST_CONTEXT, most)
    if not _fits(header, settings, smallest, available):
        return None
    steps = range(smallest, most, _CONTEXT_STEP)
    low, high = 0, len(steps)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (middle, high) if _fits(header, settings, steps[middle], available) else (low, middle)
        )
    return steps[low]


def trained_context(header: Header) -> int | None:
    """Tokens that the model was trained on at once, as its file says."""
    return _number(header, "context_length") or None


def available_memory(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that a new process can have without swapping; None where Linux does not say."""
    try:
        return parse_available(meminfo.read_text("ascii", "replace"))
    except OSError:
        return None


def parse_available(meminfo: str) -> int | None:
    """Bytes of `MemAvailable` in the text of /proc/meminfo; None where the line is missing.

    Not `MemFree`: the page cache, which is most of an idle board's memory, can be taken back.
    """
    found = _AVAILABLE.search(meminfo)
    return int(found.group(1)) * 1024 if found else None


def _fits(header: Header, settings: EngineSettings, context: int, available: int) -> bool:
    return estimate(header, settings, context).total <= available


def _repacked(header: Header, settings: EngineSettings) -> int:
    """Bytes of repacked copies that live beside the tensors they were made from.

    Without mmap a repacked tensor is the only copy. With it the mapped original stays. A tied
    embedding is held twice in either case: rows are looked up in one and multiplied with the
    other, and the repacked layout has no look-up (llama-model-loader.cpp, `TENSOR_DUPLICATED`).
    """
    if not settings.extra_buffers:
        return 0
    tied = header.tensor("output.weight") is None
    layers = _number(header, "block_count")
    on_gpu = layers + 1 if settings.gpu_layers < 0 else settings.gpu_layers
    return sum(
        tensor.bytes
        for tensor in header.tensors
        if _is_repacked(tensor)
        and _layer(tensor, layers) < layers + 1 - on_gpu
        and (tied if tensor.name == "token_embd.weight" else settings.mmap)
    )


def _is_repacked(tensor: TensorInfo) -> bool:
    rows = _REPACKED_ROWS.get(tensor.type.name)
    if rows is None or len(tensor.shape) != 2 or not _REPACKED_NAME.fullmatch(tensor.name):
        return False
    return tensor.shape[1] % rows == 0


def _layer(tensor: TensorInfo, layers: int) -> int:
    """The tensor's layer; the head counts as one more, the last to stay on the CPU's side."""
    found = _BLOCK.match(tensor.name)
    return int(found[1]) if found else layers


def _process(header: Header, settings: EngineSettings) -> int:
    gpu = _GPU_BYTES if settings.gpu_layers else 0
    return _PROCESS_BYTES + _BYTES_PER_TOKEN * _vocabulary(header) + gpu


def _kv(header: Header, settings: EngineSettings, context: int) -> int:
    """For each layer, context times (key width of all heads + value width): llama-kv-cache.cpp.

    Sliding-window layers count in full, as llama.cpp's default (`swa_full`) allocates them.
    """
    heads = _number(header, "attention.head_count")
    width = _number(header, "embedding_length") // max(heads, 1)
    key = _number(header, "attention.key_length") or width
    value = _number(header, "attention.value_length") or width
    key_bytes, value_bytes = _KV_BYTES[settings.key_type], _KV_BYTES[settings.value_type]
    return int(context * _kv_heads(header) * (key * key_bytes + value * value_bytes))


def _kv_heads(header: Header) -> int:
    """Key/value heads of all layers together."""
    for name in ("attention.head_count_kv", "attention.head_count"):
        value = header.setting(name)
        if isinstance(value, tuple):
            return sum(one for one in value if isinstance(one, int))
        if isinstance(value, int):
            return value * _number(header, "block_count")
    return 0


def _compute(header: Header, settings: EngineSettings, context: int) -> int:
    """The largest set of intermediate results alive at once, for one micro-batch of tokens.

    One of three moments is the largest: the logits (vocabulary wide), attention without flash
    attention (every head against the whole context, and its copy in 16 bit for the product with
    the values), or the feed-forward. All are float32, and the mask (context wide) is always there.
    """
    batch = min(settings.micro_batch, context)
    width = _number(header, "embedding_length")
    heads = 0 if settings.flash_attention else _number(header, "attention.head_count")
    logits = 4 * _vocabulary(header)
    attention = heads * context * (4 + 2)
    feed_forward = 3 * 4 * _number(header, "feed_forward_length")
    mask = 4 * context
    return batch * (max(logits, attention, feed_forward) + mask + 4 * 4 * width)


def _vocabulary(header: Header) -> int:
    """Tokens of the vocabulary: the rows of the embedding."""
    embedding = header.tensor("token_embd.weight")
    return embedding.shape[1] if embedding and len(embedding.shape) > 1 else 0


def _number(header: Header, name: str) -> int:
    """A whole-number setting; the largest where there is one for each layer, 0 where none."""
    value = header.setting(name)
    if value is None or isinstance(value, Skipped | str):
        return 0
    numbers = value if isinstance(value, tuple) else (value,)
    return max((int(one) for one in numbers if isinstance(one, int)), default=0)


def _padded(context: int) -> int:
    return -(-context // _CONTEXT_STEP) * _CONTEXT_STEP
