"""The tensor-type census: which types a file's weights are stored in, and what each takes up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """All tensors of one type."""

    kind: str
    tensors: int
    parameters: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Census:
    """The tensors of a file by type, the one with the most weights first."""

    shares: tuple[Share, ...]

    @property
    def parameters(self) -> int:
        """Weights in all tensors."""
        return sum(share.parameters for share in self.shares)

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors, without header and padding."""
        return sum(share.nbytes for share in self.shares)

    @property
    def bits_per_weight(self) -> float:
        """The honest size of a quantisation; 0 when there are no weights."""
        return 8 * self.nbytes / self.parameters if self.parameters else 0.0


def take_census(tensors: Iterable[tuple[str, int, int]]) -> Census:
    """Count tensors given as type, weights and bytes."""
    shares: dict[str, Share] = {}
    for kind, parameters, nbytes in tensors:
        so_far = shares.get(kind, Share(kind, 0, 0, 0))
        shares[kind] = Share(
            kind,
            so_far.tensors + 1,
            so_far.parameters + parameters,
            so_far.nbytes + nbytes,
        )
    return Census(tuple(sorted(shares.values(), key=lambda share: -share.parameters)))
