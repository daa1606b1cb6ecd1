"""Which tensor becomes which type, and the bytes of it: llama.cpp's own choice and its own coder.

`llama_model_quantize` does the same from a file to a file. Doing it tensor by tensor spares the
16-bit file in between (16 GB for an 8B model) and gives the same bytes. The rules are those of
`llama-quant.cpp` in llama.cpp as pinned with llama-cpp-python 0.3.36; tests compare every one with
what the installed library makes.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as Kind

from app.errors import BadInputError, UsageError
from converter import ggml


class FileType(Enum):
    """The mixtures a file can have; the values are llama.cpp's `llama_ftype` numbers."""

    F32 = 0
    F16 = 1
    BF16 = 32
    Q8_0 = 7
    Q2_K = 10
    Q3_K_S = 11
    Q3_K_M = 12
    Q3_K_L = 13
    Q4_K_S = 14
    Q4_K_M = 15
    Q5_K_S = 16
    Q5_K_M = 17
    Q6_K = 18

    @classmethod
    def parse(cls, text: str) -> FileType:
        """The file type a person named; `Q4_K` and its like mean the medium mixture.

        Raises:
            UsageError: there is no such type; the sentence lists those there are.
        """
        name = text.strip().upper()
        for candidate in (name, f"{name}_M"):
            if candidate in cls.__members__:
                return cls[candidate]
        raise UsageError(
            f"There is no file type {text!r}; choose one of {', '.join(cls.__members__)}."
        )

    @property
    def ftype(self) -> int:
        """The number that the file states as `general.file_type`."""
        return self.value

    @property
    def base(self) -> Kind:
        """The type of a tensor for which no rule says otherwise."""
        return Kind[re.sub(r"_[SML]$", "", self.name)]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor of the GGUF file before quantising."""

    name: str
    """Its GGUF name."""
    shape: tuple[int, ...]
    """In NumPy's order: the last is the length of a row."""
    kind: Kind
    """Its type in the unquantised file; it keeps it where the quantiser leaves it alone."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the rules ask about a model beside its tensors."""

    architecture: str
    """As `general.architecture` names it."""
    layers: int
    heads: int
    """Query heads of the first layer."""
    kv_heads: int
    """Key/value heads of the first layer."""
    experts: int = 0

    @property
    def shared_values(self) -> bool:
        """Whether four or more query heads share a value head, so that its bits weigh more."""
        return self.kv_heads > 0 and self.heads // self.kv_heads >= 4

    @property
    def is_70b(self) -> bool:
        """What llama.cpp takes for a 70B: eight query heads share each value head there."""
        grouped = self.architecture != "llama" or self.heads != self.kv_heads
        return self.architecture in {"llama", "deci", "qwen2"} and self.layers == 80 and grouped


def plan_types(
    tensors: Iterable[TensorSpec], facts: ModelFacts, file_type: FileType
) -> dict[str, Kind]:
    """The type of every tensor as `llama_model_quantize` chooses it, in the order given.

    Holds for the architectures this converter reads; llama.cpp has further exceptions for Falcon,
    Mamba, RWKV and others.
    """
    tensors = tuple(tensors)
    mixture = _Mixture(tensors, facts, file_type)
    chosen = {tensor.name: mixture.choose(tensor) for tensor in sorted(tensors, key=_file_order)}
    return {tensor.name: chosen[tensor.name] for tensor in tensors}


def _file_order(tensor: TensorSpec) -> tuple[int, str]:
    """The order in which llama.cpp walks a file, on which its layer counters depend."""
    return _layer(tensor.name), tensor.name


def _layer(name: str) -> int:
    match = re.match(r"blk\.(\d+)\.", name)
    return int(match[1]) if match else -1


def _is_quantised(tensor: TensorSpec) -> bool:
    """Weights of two dimensions or more, except norms and the router of the experts.

    ggml does not count leading dimensions of 1 (in NumPy's order), so neither does this.
    """
    significant = np.trim_zeros(np.asarray(tensor.shape) - 1, "f").size
    return (
        significant >= 2
        and tensor.name.endswith("weight")
        and not tensor.name.endswith("_norm.weight")
        and not tensor.name.endswith("ffn_gate_inp.weight")
    )


@dataclass(slots=True)
class _Mixture:
    """One walk over the tensors of a file, counting layers as llama.cpp counts them."""

    tensors: tuple[TensorSpec, ...]
    facts: ModelFacts
    file_type: FileType
    values: int = field(init=False)
    """How many value projections the file has."""
    tied: bool = field(init=False)
    """Whether the token embedding is the output head too."""
    seen_values: int = 0
    seen_downs: int = 0

    def __post_init__(self) -> None:
        names = [tensor.name for tensor in self.tensors]
        self.values = sum(_is_value(name) for name in names)
        self.tied = "output.weight" not in names

    def choose(self, tensor: TensorSpec) -> Kind:
        """The type of the next tensor of the walk."""
        base = self.file_type.base
        if not _is_quantised(tensor):
            return tensor.kind
        if base in ggml.FLOATS:
            return base
        row = tensor.shape[-1]
        return _fit(self._wanted(tensor.name, row), row)

    def _wanted(self, name: str, row: int) -> Kind:
        """The type by role and layer, before the length of the row is looked at."""
        if name == "output.weight" or (self.tied and name == "token_embd.weight"):
            return self._head(row)
        if _is_value(name):
            self.seen_values += 1
            return self._value(self.seen_values - 1)
        if "attn_k.weight" in name:
            return Kind.Q8_0 if self.facts.experts == 8 else self.file_type.base
        if "attn_output.weight" in name:
            return self._attention_output()
        if "ffn_down" in name:
            self.seen_downs += 1
            layer = _layer(name) if self.facts.experts > 1 else self.seen_downs - 1
            return self._down(layer)
        return self.file_type.base

    def _head(self, row: int) -> Kind:
        base = self.file_type.base
        if row % GGML_QUANT_SIZES[base][0] or base is Kind.Q8_0:
            return Kind.Q8_0
        return Kind.Q6_K

    def _value(self, index: int) -> Kind:
        kind = self._value_by_mixture(index)
        if self.facts.experts == 8:
            return Kind.Q8_0
        if self.facts.is_70b and kind in {Kind.Q3_K, Kind.Q4_K}:
            return Kind.Q5_K
        return kind

    def _value_by_mixture(self, index: int) -> Kind:
        match self.file_type:
            case FileType.Q2_K:
                return Kind.Q4_K if self.facts.shared_values else Kind.Q3_K
            case FileType.Q3_K_M:
                return Kind.Q5_K if index < 2 else Kind.Q4_K
            case FileType.Q3_K_L:
                return Kind.Q5_K
            case FileType.Q4_K_S if index < 4:
                return Kind.Q5_K
            case FileType.Q4_K_M | FileType.Q5_K_M if _more_bits(index, self.values):
                return Kind.Q6_K
            case _:
                return self.file_type.base

    def _attention_output(self) -> Kind:
        mixture = self.file_type
        if self.facts.experts == 8:
            small = mixture.base in {Kind.Q2_K, Kind.Q3_K, Kind.Q4_K}
            return Kind.Q5_K if small and mixture is not FileType.Q3_K_L else mixture.base
        better = {
            FileType.Q2_K: Kind.Q3_K,
            FileType.Q3_K_M: Kind.Q4_K,
            FileType.Q3_K_L: Kind.Q5_K,
        }
        return better.get(mixture, mixture.base)

    def _down(self, layer: int) -> Kind:
        layers = self.facts.layers
        match self.file_type:
            case FileType.Q2_K:
                return Kind.Q3_K
            case FileType.Q3_K_M:
                return Kind.Q5_K if layer < layers // 16 else Kind.Q4_K
            case FileType.Q3_K_L:
                return Kind.Q5_K
            case FileType.Q4_K_S if layer < layers // 8:
                return Kind.Q5_K
            case FileType.Q4_K_M | FileType.Q5_K_M if _more_bits(layer, layers):
                return Kind.Q6_K
            case _:
                return self.file_type.base


def _is_value(name: str) -> bool:
    """The value projection, alone or fused with those of query and key."""
    return "attn_v.weight" in name or "attn_qkv.weight" in name


def _more_bits(layer: int, layers: int) -> bool:
    """The layers the medium mixtures favour: first and last eighth, every third between."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


_FALLBACK = {
    Kind.Q2_K: Kind.Q4_0,
    Kind.Q3_K: Kind.Q4_0,
    Kind.Q4_K: Kind.Q5_0,
    Kind.Q5_K: Kind.Q5_1,
    Kind.Q6_K: Kind.Q8_0,
}
"""What stands in, in blocks of 32, where the row is not a multiple of 256."""


def _fit(kind: Kind, row: int) -> Kind:
    """`kind`, or the nearest that a row of this length can be stored in."""
    for candidate in (kind, _FALLBACK.get(kind, kind)):
        if row % GGML_QUANT_SIZES[candidate][0] == 0:
            return candidate
    return Kind.F16


_CHUNK = 1 << 16
"""Numbers in one piece of work: long enough to hide Python, short enough to share out evenly."""


def encode(
    rows: npt.NDArray[np.float32],
    kind: Kind,
    *,
    threads: int,
    imatrix: npt.NDArray[np.float32] | None = None,
) -> npt.NDArray[np.uint8]:
    """The bytes of a tensor in `kind`, the same for any number of threads.

    Args:
        rows: float32 (n, row).
        kind: the type to make, as `plan_types` chose it.
        threads: how many pieces of work go on at once.
        imatrix: float32 (row,), how much each column weighs; None weighs them by size alone.

    Returns:
        uint8 (n, bytes of a row).

    Raises:
        UsageError: the library cannot make this kind, or not without an importance matrix.
        BadInputError: NaN or infinite weights, weights too large for the kind, or a row or
            importance matrix of the wrong length.
    """
    ggml.check_encodable(kind, imatrix)
    count, row = rows.shape
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    weights = None if imatrix is None else _checked_imatrix(imatrix, row)
    out = np.empty((count, ggml.row_size(kind, row)), dtype=np.uint8)
    step = max(1, _CHUNK // row)

    def work(start: int) -> None:
        span = slice(start, min(start + step, count))
        if not np.isfinite(rows[span]).all():
            raise BadInputError(
                "The checkpoint holds weights that are not numbers (NaN or infinite); "
                "it is damaged, so fetch it again."
            )
        if not ggml.quantise_rows(kind, rows, out, span, weights):
            raise BadInputError(
                f"The checkpoint holds weights too large for {kind.name}; "
                "convert it to BF16 or F32."
            )

    starts = range(0, count, step)
    if threads == 1:
        deque(map(work, starts), maxlen=0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            deque(pool.map(work, starts), maxlen=0)
    return out


def _checked_imatrix(imatrix: npt.NDArray[np.float32], row: int) -> npt.NDArray[np.float32]:
    if imatrix.shape != (row,) or not np.isfinite(imatrix).all():
        raise BadInputError(
            f"The importance matrix does not fit a row of {row} numbers, or holds values that are "
            "not numbers; make it again from this model."
        )
    return np.ascontiguousarray(imatrix, dtype=np.float32)
