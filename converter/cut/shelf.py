"""Square matrices in a file, read one at a time when they are asked for.

The covariances of a model of a billion weights take gigabytes, and everything that reads them wants
one layer at a time.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError, ResourceError
from app.sanitise import one_line

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a matrix lies."""

    offset: int
    """Bytes from the start of the file."""
    side: int
    """Rows and columns."""


class Shelf(Mapping[str, Matrix]):
    """Name to a float32 (n, n) matrix in an open file, which stays open as long as this lives."""

    def __init__(self, descriptor: int, places: Mapping[str, Place]) -> None:
        """Take over an open file; what stands at `places` is checked when it is read."""
        self._descriptor = descriptor
        self._places = dict(places)
        weakref.finalize(self, os.close, descriptor)

    @classmethod
    def scratch(cls) -> Shelf:
        """An empty shelf in a file without a name, which is gone when nobody holds it."""
        descriptor, name = tempfile.mkstemp()
        Path(name).unlink()
        return cls(descriptor, {})

    def put(self, name: str, matrix: Matrix) -> None:
        """Lay a matrix down behind the others.

        Raises:
            ResourceError: the disk is full.
        """
        end = sum(4 * place.side**2 for place in self._places.values())
        try:
            with open(self._descriptor, "wb", closefd=False) as file:
                file.seek(end)
                file.write(np.ascontiguousarray(matrix).data)
        except OSError as error:
            raise ResourceError(
                f"There is no room for {(end + matrix.nbytes) / 1e6:,.0f} MB of covariances in "
                f"{one_line(tempfile.gettempdir())}; set TMPDIR to a disk with room, or ask for "
                "fewer layers."
            ) from error
        self._places[name] = Place(end, len(matrix))

    def __getitem__(self, name: str) -> Matrix:
        """A matrix, read now.

        Raises:
            BadInputError: it is not whole, or holds what is no number.
        """
        place = self._places[name]
        matrix = np.empty((place.side, place.side), dtype="<f4")
        with open(self._descriptor, "rb", closefd=False) as file:
            file.seek(place.offset)
            count = file.readinto(matrix.reshape(-1).view(np.uint8).data)
        if count != matrix.nbytes or not np.isfinite(matrix).all():
            raise BadInputError(
                f"The saliency file is damaged at the covariance of {one_line(name, 80)}; make one "
                "with `bedside-convert saliency`."
            )
        return matrix

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
