"""The weights of a cut model: rows and columns of the full one, gathered when asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError
from converter.architecture import Held, Weight
from converter.checkpoint import Raw, SourceType, to_float32
from converter.cut.geometry import Geometry
from converter.cut.plan import KeptLayer, Plan

Indices = NDArray[np.intp]
Repairs = Mapping[str, NDArray[np.float32]]
"""Name of a weight in the cut file to the values that take its place, in the cut shape."""

_NAME = re.compile(r"blk\.(\d+)\.(\w+)\.(weight|bias)")
_UNITS_OF_ROWS = {
    "ffn_gate": "neurons", "ffn_up": "neurons",
    "attn_q": "queries", "attn_k": "values", "attn_v": "values",
}  # fmt: skip
_UNITS_OF_COLUMNS = {"ffn_down": "neurons", "attn_output": "queries"}


def cut_weights(
    weights: tuple[Weight, ...], plan: Plan, geometry: Geometry, repairs: Repairs
) -> Iterator[Weight]:
    """The weights that stay, in the order they had; a layer's number becomes its new place."""
    places = {kept.index: place for place, kept in enumerate(plan.layers)}
    for weight in weights:
        found = _NAME.fullmatch(weight.name)
        if found is None:
            yield weight
            continue
        layer, part, ending = int(found[1]), found[2], found[3]
        if layer not in places:
            continue
        name = f"blk.{places[layer]}.{part}.{ending}"
        rows, columns = selection(part, ending, plan.layers[places[layer]], geometry)
        smaller = Cut(name, weight, rows, columns)
        yield smaller if name not in repairs else repaired(smaller, repairs[name])


def selection(
    part: str, ending: str, kept: KeptLayer, geometry: Geometry
) -> tuple[Indices | None, Indices | None]:
    """Which rows and which columns of a layer's weight stay; None keeps all of them.

    A bias is a row of its own, so what its matrix loses in rows it loses in columns.
    """
    shared = geometry.heads[kept.index] // geometry.groups[kept.index]
    units = {
        "neurons": np.array(kept.neurons, dtype=np.intp),
        "queries": _spread(kept.head_groups, shared * geometry.head_dim),
        "values": _spread(kept.head_groups, geometry.head_dim),
    }
    rows = units.get(_UNITS_OF_ROWS.get(part, ""))
    columns = units.get(_UNITS_OF_COLUMNS.get(part, ""))
    return (rows, columns) if ending == "weight" else (None, rows)


@dataclass(frozen=True, slots=True)
class Cut:
    """What stays of a weight."""

    name: str
    """In the cut file."""
    weight: Weight
    row_indices: Indices | None
    """Rows of the source that stay, ascending; None keeps all."""
    column_indices: Indices | None

    @property
    def origin(self) -> str:
        """What the source calls it."""
        return self.weight.origin

    @property
    def shape(self) -> tuple[int, ...]:
        """In NumPy's order."""
        kept = [self.row_indices, self.column_indices][-len(self.weight.shape) :]
        sides = zip(self.weight.shape, kept, strict=True)
        return tuple(side if indices is None else len(indices) for side, indices in sides)

    @property
    def elements(self) -> int:
        """How many weights it holds."""
        return math.prod(self.shape)

    @property
    def type(self) -> SourceType:
        """The element type of the source."""
        return self.weight.type

    def rows(self, start: int, stop: int) -> Raw:
        """Rows of the file; no more of the source is read than the span they come from."""
        if self.row_indices is None:
            values = self.weight.rows(start, stop)
        else:
            wanted = self.row_indices[start:stop]
            first = int(wanted[0])
            values = self.weight.rows(first, int(wanted[-1]) + 1)[wanted - first]
        return values if self.column_indices is None else values[:, self.column_indices]


def repaired(weight: Weight, values: NDArray[np.float32]) -> Held:
    """`values` in place of a weight, rounded to nearest in its type.

    Raises:
        BadInputError: They do not have its shape, or are too large for its type.
    """
    if values.shape != weight.shape or not np.isfinite(values).all():
        raise BadInputError(
            f"The repair of {weight.name} does not fit the cut model; restore it again."
        )
    stored = from_float32(values, weight.type)
    if not np.isfinite(to_float32(stored)).all():
        raise BadInputError(
            f"The repair of {weight.name} is too large for {weight.type.name}; "
            "start from a checkpoint in BF16 or F32."
        )
    return Held(weight.name, weight.origin, stored)


def from_float32(values: NDArray[np.float32], kind: SourceType) -> Raw:
    """The values in another element type, rounded to nearest, ties to even; finite ones only."""
    if kind is not SourceType.BF16:
        with np.errstate(over="ignore"):
            return values.astype(kind.stored)
    bits = np.ascontiguousarray(values).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def _spread(units: tuple[int, ...], size: int) -> Indices:
    """The rows of units that have `size` rows each."""
    rows = np.array(units, dtype=np.intp)[:, None] * size + np.arange(size, dtype=np.intp)
    return np.asarray(rows.reshape(-1))
