"""What a model's parts did on given text, in memory and as a file.

The file is llama.cpp's importance matrix in GGUF with more tensors beside: `llama-quantize` reads
what it knows (names that end in `.in_sum2` and `.counts`) and passes over the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from converter.texts import TextSource

Sums = NDArray[np.float64]
"""Sums over tokens, one number a unit."""


@dataclass(frozen=True, slots=True)
class LayerSaliency:
    """One layer: sums over the tokens measured."""

    neuron_abs: Sums
    """Of |x|, x the neuron's activation (what `ffn_down` reads); (n_ff,)."""
    neuron_sum: Sums
    """Of x; (n_ff,)."""
    neuron_square: Sums
    """Of x²; (n_ff,)."""
    output_abs: Sums
    """Of |x|, x one dimension of a head's answer (what `attn_output` reads); (n_head, head_dim)."""
    output_sum: Sums
    """Of x; (n_head, head_dim)."""
    output_square: Sums
    """Of x²; (n_head, head_dim)."""
    turn: float
    """Mean cosine between the residual stream before and after the layer, over one token in eight;
    1 turns nothing."""
    stream: float
    """Mean squared length of the residual stream after the layer, over the same tokens: what an
    error in it weighs against."""


@dataclass(frozen=True, slots=True)
class Saliency:
    """What was measured in one run over text."""

    model_sha256: str
    """`source_hash` of the model that was measured."""
    sources: tuple[TextSource, ...]
    tokens: int
    """How many tokens ran through the model."""
    chunk: int
    """Tokens in a chunk."""
    layers: tuple[LayerSaliency, ...]
    input_squares: Mapping[str, NDArray[np.float32]]
    """GGUF name of a weight to the sums of x², x each number that it multiplies; (n_in,). A tied
    head stands under `token_embd.weight`."""
    spans: Mapping[tuple[int, int], float] = field(default_factory=lambda: MappingProxyType({}))
    """First layer and number of layers to the mean angular distance, arccos(cosine)/π, between the
    residual stream before and after that block."""
    covariances: Mapping[str, NDArray[np.float32]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """GGUF name of a weight to XᵀX / tokens of what it multiplies, (n_in, n_in); of the layers
    that were asked for."""
    domain_share: float = 1.0
    """Share of the tokens that came from the domain's text."""
    seed: int = 0
    """Decided which documents were read."""
    complete: bool = True
    """False where the run was stopped and holds what it had."""

    @property
    def imatrix(self) -> dict[str, NDArray[np.float32]]:
        """The importance matrix as the quantiser takes it: means of x² by the name of the weight.

        Divided in float32, as `llama-quantize` does when it reads the file.
        """
        tokens = np.float32(self.tokens)
        return {name: sums / tokens for name, sums in self.input_squares.items()}
