"""Rope scaling: how a checkpoint's rotary positions are told to llama.cpp."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError
from app.sanitise import one_line
from converter import metadata
from converter.architecture.config import count, number, table

_PLAIN = ("default", "dynamic")
"""Dynamic scaling begins beyond the trained context, where Bedside never goes."""
_OPTIONAL_YARN = {
    "extrapolation_factor": "yarn_ext_factor",
    "attention_factor": "yarn_attn_factor",
    "beta_fast": "yarn_beta_fast",
    "beta_slow": "yarn_beta_slow",
}


def rope_parameters(config: Mapping[str, Any]) -> dict[str, Any]:
    """The rope settings under the names of today, from either form that configs have had.

    Older files keep `rope_theta` beside `rope_scaling`, whose kind was once called `type`.
    """
    found = dict(table(config, "rope_parameters") or table(config, "rope_scaling"))
    found.setdefault("rope_theta", config.get("rope_theta"))
    found.setdefault("rope_type", found.get("type") or "default")
    if config.get("original_max_position_embeddings") is not None:
        found.setdefault(
            "original_max_position_embeddings", config["original_max_position_embeddings"]
        )
    return found


def scaling_fields(rope: Mapping[str, Any]) -> list[metadata.Field]:
    """The `llama.rope.*` keys for the settings of `rope_parameters`.

    Raises:
        BadInputError: A kind of scaling that the Llama family's files cannot state.
    """
    kind = rope["rope_type"]
    fields: list[metadata.Field] = []
    if kind in ("linear", "yarn"):
        fields = [
            metadata.text("llama.rope.scaling.type", kind),
            metadata.float32("llama.rope.scaling.factor", number(rope, "factor")),
        ]
    elif kind not in (*_PLAIN, "llama3"):  # llama3's factors travel as a tensor
        shown = one_line(str(kind), 40)
        raise BadInputError(
            f"The rope scaling {shown} is not supported; linear, yarn, dynamic and llama3 are."
        )
    if kind == "yarn":
        original = count(rope, "original_max_position_embeddings")
        fields.append(metadata.uint32("llama.rope.scaling.original_context_length", original))
        fields += [
            metadata.float32(f"llama.rope.scaling.{key}", number(rope, name))
            for name, key in _OPTIONAL_YARN.items()
            if rope.get(name) is not None
        ]
    theta = number(rope, "rope_theta", 10000.0)
    return [*fields, metadata.float32("llama.rope.freq_base", theta)]


def llama3_factors(rope: Mapping[str, Any], head_dim: int) -> NDArray[np.float32] | None:
    """By what Llama 3 divides each rotary frequency, one a pair of dimensions; None if not scaled.

    Long waves are slowed by `factor`, short ones kept, those between are blended (Llama 3.1's
    scaled rope). The order of the float32 operations is that of the stock converter's PyTorch,
    reciprocals included, so that the file's bytes are its bytes.
    """
    if rope["rope_type"] != "llama3":
        return None
    one = np.float32(1)
    factor = np.float32(number(rope, "factor", 8.0))
    low = number(rope, "low_freq_factor", 1.0)
    high = number(rope, "high_freq_factor", 4.0)
    context = count(rope, "original_max_position_embeddings", 8192)
    if high <= low:
        raise BadInputError("config.json gives a high_freq_factor not above low_freq_factor.")
    exponents = np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim)
    theta = number(rope, "rope_theta", 10000.0)
    frequencies = one / np.power(theta, exponents.astype(np.float64)).astype(np.float32)
    wavelengths = one / frequencies * np.float32(2 * math.pi)
    smooth = (one / wavelengths * np.float32(context) - np.float32(low)) / np.float32(high - low)
    blended = one / ((one - smooth) / factor + smooth)
    factors = np.where(wavelengths > context / low, factor, blended)
    return np.asarray(np.where(wavelengths < context / high, one, factors), dtype=np.float32)
