"""The tensors of the file to be written, each as a recipe that can be followed row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from converter.checkpoint import Raw, SourceTensor, SourceType


class Weight(Protocol):
    """One tensor of the file; its numbers are read when they are asked for, row by row."""

    @property
    def name(self) -> str:
        """What the GGUF file calls it."""

    @property
    def origin(self) -> str:
        """What its source calls it: the name for a sentence that a person reads."""

    @property
    def shape(self) -> tuple[int, ...]:
        """In NumPy's order: (rows, row length) for a matrix."""

    @property
    def elements(self) -> int:
        """How many weights it holds."""

    @property
    def type(self) -> SourceType:
        """The element type that `rows` gives."""

    def rows(self, start: int, stop: int) -> Raw:
        """Rows of the file as they are stored; a vector is a single row."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor of the checkpoint under its name in the file, its rows perhaps in another order."""

    name: str
    source: SourceTensor
    order: NDArray[np.intp] | None = None
    """Row i of the file (or number i of a vector) is order[i] of the source; None keeps all."""

    @property
    def origin(self) -> str:
        """What the checkpoint calls it."""
        return self.source.name

    @property
    def shape(self) -> tuple[int, ...]:
        """In NumPy's order: (rows, row length) for a matrix."""
        return self.source.shape

    @property
    def elements(self) -> int:
        """How many weights it holds."""
        return self.source.elements

    @property
    def type(self) -> SourceType:
        """The element type in the checkpoint."""
        return self.source.type

    def rows(self, start: int, stop: int) -> Raw:
        """Rows of the file as they are stored; a vector is a single row."""
        values = self.source.map()
        if values.ndim == 1:
            return (values if self.order is None else values[self.order]).reshape(1, -1)
        return values[start:stop] if self.order is None else values[self.order[start:stop]]


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor whose values are in memory: what repair made, or the source says in other words."""

    name: str
    origin: str
    """What its source calls it; its own name where that has none for it."""
    values: Raw

    @property
    def shape(self) -> tuple[int, ...]:
        """In NumPy's order."""
        return self.values.shape

    @property
    def elements(self) -> int:
        """How many weights it holds."""
        return self.values.size

    @property
    def type(self) -> SourceType:
        """The element type it is stored in."""
        return next(kind for kind in SourceType if kind.stored == self.values.dtype)

    def rows(self, start: int, stop: int) -> Raw:
        """Rows of the file; a vector is a single row."""
        return self.values.reshape(-1, self.shape[-1])[start:stop]
