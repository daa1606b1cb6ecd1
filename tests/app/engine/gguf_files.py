"""A small GGUF writer of the tests' own, which can also write what no sound writer would.

It shares nothing with the app's reader: numbers are packed here by hand after the specification.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = range(10)
UINT64, INT64, FLOAT64 = 10, 11, 12
_LAYOUT = dict(zip((*range(8), UINT64, INT64, FLOAT64), "BbHhIifBQqd", strict=True))

F32, F16, Q8_0, Q4_K = 0, 1, 8, 12
_BLOCKS = {F32: (1, 4), F16: (1, 2), Q8_0: (32, 34), Q4_K: (256, 144)}

VOCABULARY = ("<unk>", "<s>", "</s>", "<0x0A>", "▁a", "b", "ab", "▁")
TYPES = (2, 3, 3, 6, 1, 1, 1, 1)


def text(value: str | bytes) -> bytes:
    """A length-prefixed string."""
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def number(kind: int, value: float) -> bytes:
    """A number of the GGUF type."""
    return struct.pack("<" + _LAYOUT[kind], value)


def array(element: int, values: Sequence[float | str | bytes]) -> bytes:
    """An array's element type, length and elements."""
    head = struct.pack("<IQ", element, len(values))
    return head + b"".join(
        text(value) if isinstance(value, str | bytes) else number(element, value)
        for value in values
    )


@dataclass
class Pair:
    """A key with a value that is already packed."""

    key: str | bytes
    kind: int
    value: bytes

    def pack(self) -> bytes:
        return text(self.key) + struct.pack("<I", self.kind) + self.value


@dataclass
class Tensor:
    """A tensor entry; what is None is filled in as it should be."""

    name: str | bytes
    shape: tuple[int, ...]
    kind: int = F32
    offset: int | None = None
    dims: int | None = None
    written: int | None = None
    """Bytes of data in the file, for shapes too large to be written."""

    def size(self) -> int:
        if self.written is not None:
            return self.written
        block, size = _BLOCKS.get(self.kind, (1, 4))
        count = 1
        for side in self.shape:
            count *= side
        return count // block * size

    def pack(self, offset: int) -> bytes:
        dims = len(self.shape) if self.dims is None else self.dims
        shape = b"".join(struct.pack("<q", side) for side in self.shape)
        place = offset if self.offset is None else self.offset
        entry = text(self.name) + struct.pack("<I", dims) + shape
        return entry + struct.pack("<IQ", self.kind & 0xFFFFFFFF, place & (2**64 - 1))


@dataclass
class GgufFile:
    """The parts of a file; `pack` puts them together and checks nothing."""

    pairs: list[Pair]
    tensors: list[Tensor]
    magic: bytes = b"GGUF"
    version: int = 3
    pair_count: int | None = None
    tensor_count: int | None = None
    alignment: int = 32
    fill: bytes = b"\x3c"
    tail: bytes = field(default=b"")

    def set(self, key: str, kind: int, value: bytes) -> GgufFile:
        """Replaces or adds a key."""
        self.remove(key)
        self.pairs.append(Pair(key, kind, value))
        return self

    def remove(self, key: str) -> GgufFile:
        """Takes a key out."""
        self.pairs = [pair for pair in self.pairs if pair.key != key]
        return self

    def header(self) -> bytes:
        """Everything before the padding that leads to the data."""
        tensors = len(self.tensors) if self.tensor_count is None else self.tensor_count
        pairs = len(self.pairs) if self.pair_count is None else self.pair_count
        out = self.magic + struct.pack("<Iqq", self.version, tensors, pairs)
        out += b"".join(pair.pack() for pair in self.pairs)
        offset = 0
        for tensor in self.tensors:
            out += tensor.pack(offset)
            offset += tensor.size() + -tensor.size() % self.alignment
        return out

    def pack(self) -> bytes:
        """The whole file."""
        out = self.header()
        out += b"\0" * (-len(out) % self.alignment)
        for tensor in self.tensors:
            out += self.fill * tensor.size() + b"\0" * (-tensor.size() % self.alignment)
        return out + self.tail


def small_model(layers: int = 2, width: int = 64, tokens: tuple[str, ...] = VOCABULARY) -> GgufFile:
    """A Llama of a few kilobytes with every part that a model has."""
    pairs = [
        Pair("general.architecture", STRING, text("llama")),
        Pair("general.name", STRING, text("small")),
        Pair("general.license", STRING, text("CC0-1.0")),
        Pair("llama.block_count", UINT32, number(UINT32, layers)),
        Pair("llama.context_length", UINT32, number(UINT32, 1024)),
        Pair("llama.embedding_length", UINT32, number(UINT32, width)),
        Pair("llama.feed_forward_length", UINT32, number(UINT32, 2 * width)),
        Pair("llama.attention.head_count", UINT32, number(UINT32, 4)),
        Pair("llama.attention.head_count_kv", UINT32, number(UINT32, 2)),
        Pair("llama.rope.freq_base", FLOAT32, number(FLOAT32, 10000.0)),
        Pair("tokenizer.ggml.model", STRING, text("llama")),
        Pair("tokenizer.ggml.tokens", ARRAY, array(STRING, tokens)),
        Pair("tokenizer.ggml.scores", ARRAY, array(FLOAT32, [0.0] * len(tokens))),
        Pair("tokenizer.ggml.token_type", ARRAY, array(INT32, _types(len(tokens)))),
        Pair("tokenizer.ggml.add_bos_token", BOOL, number(BOOL, 1)),
    ]
    tensors = [
        Tensor("token_embd.weight", (width, len(tokens))),
        Tensor("output_norm.weight", (width,)),
    ]
    for layer in range(layers):
        tensors += _block(f"blk.{layer}.", width)
    return GgufFile(pairs, tensors)


def _types(count: int) -> list[int]:
    return [*TYPES, *[1] * count][:count]


def _block(prefix: str, width: int) -> list[Tensor]:
    shapes = {
        "attn_norm": (width,),
        "attn_q": (width, width),
        "attn_k": (width, width // 2),
        "attn_v": (width, width // 2),
        "attn_output": (width, width),
        "ffn_norm": (width,),
        "ffn_gate": (width, 2 * width),
        "ffn_up": (width, 2 * width),
        "ffn_down": (2 * width, width),
    }
    return [
        Tensor(f"{prefix}{name}.weight", shape, F32 if len(shape) == 1 else Q8_0)
        for name, shape in shapes.items()
    ]
