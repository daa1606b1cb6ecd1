"""Which tensor becomes which type: llama.cpp's own choice.

The rules are those of `llama-quant.cpp` in llama.cpp as pinned with llama-cpp-python 0.3.36; tests
compare every one with what the installed library makes. Where it says "IQ2" or "IQ3" a rule gives
more bits to the tensors that lose most by having few: values, the way out of attention, the way
down of the first layers, and the head.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as Kind

from app.errors import UsageError
from converter import ggml
from converter.filetype import FileType, Override, first_match


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
    tensors: Iterable[TensorSpec],
    facts: ModelFacts,
    file_type: FileType,
    *,
    imatrix: bool = False,
    overrides: Sequence[Override] = (),
) -> dict[str, Kind]:
    """The type of every tensor as `llama_model_quantize` chooses it, in the order given.

    Holds for the architectures this converter reads; llama.cpp has further exceptions for Falcon,
    Mamba, RWKV and others.

    Args:
        tensors: all tensors of the file.
        facts: what else the rules look at.
        file_type: the mixture.
        imatrix: whether there is an importance matrix; with one, some IQ mixtures save the bits
            that they otherwise spend on the tensors that go wrong without.
        overrides: exceptions, of which the first that fits a tensor counts.
    """
    tensors = tuple(tensors)
    mixture = _Mixture(tensors, facts, file_type, imatrix, tuple(overrides))
    chosen = {tensor.name: mixture.choose(tensor) for tensor in sorted(tensors, key=_file_order)}
    return {tensor.name: chosen[tensor.name] for tensor in tensors}


def check_importance(kinds: dict[str, Kind], known: Collection[str]) -> None:
    """Refuse types that come out as garbage for a tensor whose importance is not known.

    Args:
        kinds: the type of every tensor that is quantised.
        known: names of the tensors that the importance matrix tells of.

    Raises:
        UsageError: llama.cpp refuses it as well (`tensor_requires_imatrix`); one such is named.
    """
    for name, kind in kinds.items():
        spared = name in {"token_embd.weight", "output.weight"} and not ggml.requires_imatrix(kind)
        if kind in _NEEDS_IMPORTANCE and name not in known and not spared:
            raise UsageError(
                f"{name} would become {kind.name}, which is of no use without an importance "
                "matrix for it; give one with --imatrix, or choose a larger type."
            )


_NEEDS_IMPORTANCE = frozenset(
    {Kind.IQ3_XXS, Kind.IQ2_XXS, Kind.IQ2_XS, Kind.IQ2_S, Kind.IQ1_S, Kind.IQ1_M}
)
_LOWEST = frozenset({FileType.IQ2_XXS, FileType.IQ2_XS, FileType.IQ2_S, FileType.IQ2_M})
"""The mixtures of about two bits, which have rules of their own."""
_IQ2_LARGE = frozenset({FileType.IQ2_S, FileType.IQ2_M})


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
    imatrix: bool
    overrides: tuple[Override, ...]
    values: int = field(init=False)
    """How many value projections the file has."""
    tied: bool = field(init=False)
    """Whether the token embedding is the output head too."""
    seen: dict[str, int] = field(default_factory=dict)
    """How many tensors of a role the rules have been asked about; an exception is not counted."""

    def __post_init__(self) -> None:
        names = [tensor.name for tensor in self.tensors]
        self.values = sum(_is_value(name) for name in names)
        self.tied = "output.weight" not in names

    def choose(self, tensor: TensorSpec) -> Kind:
        """The type of the next tensor of the walk."""
        if not _is_quantised(tensor):
            return tensor.kind
        if self.file_type.is_float:
            return self.file_type.base
        row = tensor.shape[-1]
        manual = first_match(tensor.name, self.overrides)
        return _fit(manual if manual is not None else self._wanted(tensor.name, row), row)

    def _wanted(self, name: str, row: int) -> Kind:
        """The type by role and layer, before the length of the row is looked at."""
        if name == "output.weight" or (self.tied and name == "token_embd.weight"):
            return self._head(row)
        if name == "token_embd.weight":
            return self._embedding()
        if _is_value(name):
            return self._value(self._count("value"))
        if "attn_k.weight" in name:
            return self._key()
        if "attn_q.weight" in name:
            return self._thin()
        if "attn_output.weight" in name:
            return self._attention_output()
        for role in ("ffn_up", "ffn_gate", "ffn_down"):
            if role in name:
                counted = self._count(role)
                layer = counted if self.facts.experts <= 1 else _layer(name)
                return self._down(layer, counted) if role == "ffn_down" else self._inner(layer)
        return self.file_type.base

    def _count(self, role: str) -> int:
        """The number of this tensor among those of its role."""
        self.seen[role] = self.seen.get(role, -1) + 1
        return self.seen[role]

    def _head(self, row: int) -> Kind:
        base = self.file_type.base
        if row % GGML_QUANT_SIZES[base][0] or base is Kind.Q8_0:
            return Kind.Q8_0
        low = self.file_type in _LOWEST or self.file_type is FileType.IQ3_XXS
        return Kind.Q5_K if low else Kind.Q6_K

    def _embedding(self) -> Kind:
        match self.file_type:
            case FileType.IQ2_XXS | FileType.IQ2_XS:
                return Kind.Q2_K
            case FileType.IQ2_S | FileType.IQ2_M | FileType.IQ3_XXS:
                return Kind.IQ3_S
            case _:
                return self.file_type.base

    def _value(self, index: int) -> Kind:
        if self.file_type in _LOWEST:
            if self.facts.shared_values or self.facts.experts >= 4:
                return Kind.Q4_K
            return self._low()
        kind = self._value_by_mixture(index)
        if self.facts.experts == 8:
            return Kind.Q8_0
        if self.facts.is_70b and kind in {Kind.Q3_K, Kind.Q4_K}:
            return Kind.Q5_K
        return kind

    def _value_by_mixture(self, index: int) -> Kind:
        shared = self.facts.shared_values
        match self.file_type:
            case FileType.Q2_K:
                return Kind.Q4_K if shared else Kind.Q3_K
            case FileType.Q3_K_M:
                return Kind.Q5_K if index < 2 else Kind.Q4_K
            case FileType.Q3_K_L:
                return Kind.Q5_K
            case FileType.Q4_K_S if index < 4:
                return Kind.Q5_K
            case FileType.Q4_K_M | FileType.Q5_K_M if _more_bits(index, self.values):
                return Kind.Q6_K
            case FileType.IQ3_M:
                return Kind.Q4_K
            case FileType.IQ3_XXS | FileType.IQ3_XS | FileType.IQ3_S if shared:
                return Kind.Q4_K
            case FileType.IQ3_XXS if not self.imatrix:
                return Kind.IQ3_S
            case FileType.IQ4_NL | FileType.IQ4_XS if shared:
                return Kind.Q5_K
            case _:
                return self.file_type.base

    def _key(self) -> Kind:
        if self.facts.experts == 8:
            return Kind.Q4_K if self.file_type in _LOWEST else Kind.Q8_0
        return self._thin()

    def _thin(self) -> Kind:
        """Queries and keys, which bear fewer bits than the rest."""
        thinner = {FileType.IQ3_XS: Kind.IQ3_XXS, FileType.IQ3_XXS: Kind.IQ2_S}
        return thinner.get(self.file_type, self.file_type.base)

    def _low(self) -> Kind:
        """What the mixtures of two bits give the tensors that need more."""
        return Kind.IQ3_S if self.file_type in _IQ2_LARGE else Kind.Q2_K

    def _attention_output(self) -> Kind:
        mixture = self.file_type
        if self.facts.experts == 8:
            small = mixture in _LOWEST or mixture.base in _SMALL_BASES
            return Kind.Q5_K if small and mixture is not FileType.Q3_K_L else mixture.base
        better = {
            FileType.Q2_K: Kind.Q3_K,
            FileType.Q3_K_M: Kind.Q4_K,
            FileType.Q3_K_L: Kind.Q5_K,
            FileType.IQ3_XXS: Kind.IQ3_S,
            FileType.IQ3_M: Kind.Q4_K,
            FileType.IQ2_S: Kind.IQ3_S,
            FileType.IQ2_M: Kind.IQ3_S,
        }
        return better.get(mixture, mixture.base)

    def _inner(self, layer: int) -> Kind:
        """Gate and up."""
        layers = self.facts.layers
        if self.file_type is FileType.IQ3_XS and layers // 8 <= layer < 7 * layers // 8:
            return Kind.IQ3_XXS
        return self.file_type.base

    def _down(self, layer: int, counted: int) -> Kind:
        layers = self.facts.layers
        early = layer < layers // 8
        match self.file_type:
            case FileType.Q2_K:
                return Kind.Q3_K
            case FileType.Q3_K_M:
                return Kind.Q5_K if layer < layers // 16 else Kind.Q4_K
            case FileType.Q3_K_L:
                return Kind.Q5_K
            case FileType.Q4_K_S if early:
                return Kind.Q5_K
            case FileType.Q4_K_M | FileType.Q5_K_M if _more_bits(layer, layers):
                return Kind.Q6_K
            case mixture if mixture in _LOWEST and counted < layers // 8:
                return self._low()
            case mixture if mixture not in _LOWEST:
                return self._down_iq(early, layer)
            case _:
                return self.file_type.base

    def _down_iq(self, early: bool, layer: int) -> Kind:
        """The way down in mixtures of three and four bits."""
        eight = self.facts.experts == 8 and _more_bits(layer, self.facts.layers)
        match self.file_type:
            case FileType.IQ3_XXS if not self.imatrix:
                return Kind.Q4_K if early else Kind.Q3_K
            case FileType.IQ3_M if early or eight:
                return Kind.Q4_K
            case FileType.IQ4_NL | FileType.IQ4_XS if early and not self.imatrix:
                return Kind.Q5_K
            case _:
                return self.file_type.base


_SMALL_BASES = frozenset(
    {Kind.Q2_K, Kind.Q3_K, Kind.Q4_K, Kind.IQ3_XXS, Kind.IQ3_S, Kind.IQ4_NL, Kind.IQ4_XS}
)


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
    **dict.fromkeys(
        (Kind.IQ1_S, Kind.IQ1_M, Kind.IQ2_XXS, Kind.IQ2_XS, Kind.IQ2_S, Kind.IQ3_XXS,
         Kind.IQ3_S, Kind.IQ4_XS),
        Kind.IQ4_NL,
    ),
}  # fmt: skip
"""What stands in, in blocks of 32, where the row is not a multiple of 256."""


def _fit(kind: Kind, row: int) -> Kind:
    """`kind`, or the nearest that a row of this length can be stored in."""
    for candidate in (kind, _FALLBACK.get(kind, kind)):
        if row % GGML_QUANT_SIZES[candidate][0] == 0:
            return candidate
    return Kind.F16
