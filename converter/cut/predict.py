"""What a plan's file will weigh and how fast a board will decode it, before anything is written."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from app.boards import PROFILES, profile
from converter.cut.apply import cut
from converter.cut.plan import Plan
from converter.export import lay_out
from converter.filetype import FileType
from converter.header import pack_header, padding
from converter.material import Material

TYPES = (FileType.Q8_0, FileType.Q6_K, FileType.Q5_K_M, FileType.Q4_K_M, FileType.Q3_K_M)
"""The file types whose bytes a plan states, beside the one it was made for."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A cut model in one file type."""

    parameters: int
    tensor_bytes: int
    """Of all tensors, without header and padding."""
    file_bytes: int
    """Of the whole file. An importance matrix adds its name to the header: some dozens of bytes."""
    token_bytes: int
    """Read to decode one token: all tensors, less a token table that is only looked up in."""


def predict(material: Material, plan: Plan, file_type: FileType) -> Prediction:
    """By the exporter's own layout, so exact.

    Types that cannot do without an importance matrix are laid out as if there were one.
    """
    smaller = cut(material, plan)
    layout = lay_out(smaller, file_type, imatrix=_any_importance(smaller, file_type))
    sizes = {entry.name: entry.nbytes for entry in layout.entries}
    tensors = sum(sizes.values())
    padded = sum(size + len(padding(size)) for size in sizes.values())
    looked_up = sizes["token_embd.weight"] if "output.weight" in sizes else 0
    head = len(pack_header(layout.fields, layout.entries))
    return Prediction(layout.parameters, tensors, head + padded, tensors - looked_up)


def speeds(prediction: Prediction) -> dict[str, float]:
    """Board to tokens a second that its memory allows; boards of unknown bandwidth are left out."""
    found = {
        name: profile(name).predicted_tokens_per_s(prediction.token_bytes) for name in PROFILES
    }
    return {name: speed for name, speed in found.items() if speed is not None}


def with_sizes(material: Material, plan: Plan, file_type: FileType) -> Plan:
    """The plan with its parameters and the bytes of its tensors in several file types."""
    kinds = dict.fromkeys((file_type, *TYPES))
    sizes = {kind.name: predict(material, plan, kind) for kind in kinds}
    return dataclasses.replace(
        plan,
        parameters=sizes[file_type.name].parameters,
        bytes=MappingProxyType({name: found.tensor_bytes for name, found in sizes.items()}),
    )


def _any_importance(
    material: Material, file_type: FileType
) -> dict[str, NDArray[np.float32]] | None:
    if not file_type.name.startswith("IQ"):
        return None
    matrices = (weight for weight in material.model.weights if len(weight.shape) > 1)
    return {weight.name: np.ones(weight.shape[-1], dtype=np.float32) for weight in matrices}
