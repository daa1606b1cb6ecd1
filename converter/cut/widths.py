"""Which neurons, head groups and layers stay: whole blocks, by their worth.

Rows must fill the quantiser's blocks (llama.cpp, llama-quant.cpp): the input of `ffn_down` has one
number a neuron, that of `attn_output` one a dimension of every head. So neurons go 256 at a time,
and head groups in such numbers that heads times their size stay a multiple of 256.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.errors import UsageError
from converter.cut.geometry import Geometry
from converter.cut.plan import KeptLayer
from converter.cut.ranking import LayerWorth
from converter.cut.scores import Scores

BLOCK = 256
"""Neurons that go or stay together: the block of all k-quants."""


def check_share(share: float, name: str) -> None:
    """See that a share can be cut away.

    Raises:
        UsageError: it is outside 0 to 1, or all there is.
    """
    if not 0 <= share < 1:
        raise UsageError(
            f"{name} {share:g} cannot be cut away; give a share from 0 up to, but not with, 1."
        )


@dataclass(frozen=True, slots=True)
class Ladder:
    """Units of every layer in the order in which they may go, in steps that can be built."""

    kept: tuple[int, ...]
    """Units of each layer when nothing is cut."""
    step: int
    """Units that go at once."""
    costs: tuple[tuple[float, ...], ...]
    """By layer: what each further step costs; the last step that leaves something is the last
    listed."""

    @property
    def steps(self) -> int:
        """How many steps all layers have together."""
        return sum(map(len, self.costs))

    def uniform(self, steps: int) -> tuple[int, ...]:
        """What stays when every layer takes so many steps."""
        return tuple(self.after(layer, steps) for layer in range(len(self.kept)))

    def greedy(self, steps: int) -> tuple[int, ...]:
        """What stays after so many steps of all layers together, the cheapest next one first.

        The choices are nested: one step more takes nothing back.
        """
        queue = [(costs[0], layer, 0) for layer, costs in enumerate(self.costs) if costs]
        heapq.heapify(queue)
        taken = [0] * len(self.kept)
        for _ in range(min(steps, self.steps)):
            _, layer, number = heapq.heappop(queue)
            taken[layer] = number + 1
            if number + 1 < len(self.costs[layer]):
                heapq.heappush(queue, (self.costs[layer][number + 1], layer, number + 1))
        return tuple(self.after(layer, count) for layer, count in enumerate(taken))

    def after(self, layer: int, steps: int) -> int:
        """Units of a layer after so many steps; the first also takes what fills no whole step."""
        if steps == 0:
            return self.kept[layer]
        return (math.ceil(self.kept[layer] / self.step) - steps) * self.step


def ladder(worths: Sequence[Scores], step: int) -> Ladder:
    """The steps by which layers whose units cost so much can shrink.

    Costs grow along a layer because its cheapest units go first.
    """
    costs = []
    for worth in worths:
        ascending = np.cumsum(np.sort(worth))
        most = math.ceil(len(worth) / step) - 1
        gone = [len(worth) - (most + 1 - taken) * step for taken in range(1, most + 1)]
        reached = [0.0, *(float(ascending[count - 1]) for count in gone)]
        costs.append(tuple(after - before for before, after in pairwise(reached)))
    return Ladder(tuple(map(len, worths)), step, tuple(costs))


def group_step(geometry: Geometry, block: int) -> int:
    """Head groups that go at once, so that `attn_output` keeps rows of whole blocks."""
    heads, groups = geometry.heads[0], geometry.groups[0]
    return block // math.gcd(block, heads // groups * geometry.head_dim)


def check_groups(geometry: Geometry, kept: int, block: int, kind: str) -> None:
    """See that a layer may keep so many head groups.

    Raises:
        UsageError: its `attn_output` would have rows that the file type cannot hold.
    """
    shared = geometry.heads[0] // geometry.groups[0]
    row = kept * shared * geometry.head_dim
    if row % block and kept != geometry.groups[0]:
        raise UsageError(
            f"{kept * shared} of {geometry.heads[0]} heads cannot be kept for {kind}: attn_output "
            f"would have rows of {kept * shared} x {geometry.head_dim} = {row} numbers, and they "
            f"must be a multiple of {block}. Heads go {shared} at a time (the queries that share a "
            f"key and value head), here {group_step(geometry, block) * shared} at once; choose "
            "another share, or give each layer its own number with --per-layer."
        )


def best(worth: Scores, count: int) -> tuple[int, ...]:
    """The `count` units of most worth, ascending; of equals the first."""
    order = np.argsort(-worth, kind="stable")[:count]
    return tuple(int(unit) for unit in np.sort(order))


def keep(
    layers: Sequence[int],
    worths: Sequence[LayerWorth],
    neurons: Sequence[int],
    groups: Sequence[int],
) -> tuple[KeptLayer, ...]:
    """The layers that stay, each with its best units.

    Args:
        layers: their places in the source, ascending.
        worths: of every layer of the source.
        neurons: how many stay, by kept layer.
        groups: how many head groups stay, by kept layer.
    """
    return tuple(
        KeptLayer(layer, best(worths[layer].neurons, wide), best(worths[layer].groups, heads))
        for layer, wide, heads in zip(layers, neurons, groups, strict=True)
    )
