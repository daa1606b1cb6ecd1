"""What a tensor of a checkpoint is before anything is done to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError
from app.sanitise import one_line

Raw = NDArray[np.float32] | NDArray[np.float16] | NDArray[np.uint16]
"""Weights as they are stored; bfloat16, which NumPy lacks, as its bits in uint16."""


class SourceType(Enum):
    """The element types that checkpoints of today's language models are trained and shipped in."""

    F32 = "F32"
    F16 = "F16"
    BF16 = "BF16"

    @property
    def stored(self) -> np.dtype[np.generic]:
        """The little-endian NumPy type that holds one element."""
        return np.dtype({"F32": "<f4", "F16": "<f2", "BF16": "<u2"}[self.value])


@dataclass(frozen=True, slots=True)
class SourceTensor:
    """One tensor in a file of a checkpoint; nothing is read until `map` is called."""

    name: str
    shape: tuple[int, ...]
    """In the checkpoint's own order: (rows, row length) for a matrix."""
    dtype: str
    """As the file names it; not always a SourceType."""
    path: Path
    offset: int
    """Of the first byte, from the file's start."""
    nbytes: int

    @property
    def elements(self) -> int:
        """How many weights it holds."""
        return math.prod(self.shape)

    @property
    def type(self) -> SourceType:
        """Its element type.

        Raises:
            BadInputError: It is one that the converter does not read (integers, FP8, packed).
        """
        try:
            return SourceType(self.dtype)
        except ValueError as error:
            raise BadInputError(
                f"The tensor {one_line(self.name, 80)} is stored as {self.dtype}; convert from the "
                "original checkpoint in bfloat16, float16 or float32."
            ) from error

    def map(self) -> Raw:
        """The weights, mapped from the file: pages are read when they are touched.

        Each call maps anew, so memory holds no more than what its callers still look at.

        Raises:
            BadInputError: The file is gone or shorter than when its header was read.
        """
        try:
            return np.memmap(
                self.path, dtype=self.type.stored, mode="r", offset=self.offset, shape=self.shape
            )
        except (OSError, ValueError) as error:
            raise BadInputError(
                f"{self.path.name} changed while it was read; convert again when it is whole."
            ) from error


def to_float32(raw: Raw) -> NDArray[np.float32]:
    """The weights as float32, exactly: every float16 and bfloat16 value is one."""
    if raw.dtype == np.uint16:
        bits = raw.astype(np.uint32)
        bits <<= 16
        return bits.view(np.float32)
    return raw.astype(np.float32)


def check_numbers(values: NDArray[np.float32], origin: str = "") -> None:
    """See that all weights are numbers.

    Args:
        values: some of a tensor's weights.
        origin: the tensor's name in its source, for the sentence.

    Raises:
        BadInputError: Some are NaN or infinite.
    """
    if not np.isfinite(values).all():
        where = f"{origin}: the" if origin else "The"
        raise BadInputError(
            f"{where} checkpoint holds weights that are not numbers (NaN or infinite); it is "
            "damaged, so fetch it again."
        )
