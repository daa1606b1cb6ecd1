"""Plans that tests make by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from converter.cut.plan import KeptLayer, Plan
from tests.converter.checkpoints import Recipe


def some(total: int, count: int, seed: int) -> tuple[int, ...]:
    """Ascending indices without a pattern."""
    return tuple(sorted(np.random.default_rng(seed).choice(total, count, replace=False).tolist()))


def layers(
    recipe: Recipe,
    widths: Mapping[int, int] | None = None,
    groups: Mapping[int, int] | None = None,
) -> tuple[KeptLayer, ...]:
    """Layer to how many of its neurons and groups stay, any of them; the others stay whole."""
    widths, groups = widths or {}, groups or {}
    return tuple(
        KeptLayer(
            index,
            some(recipe.neurons, widths.get(index, recipe.neurons), index),
            some(recipe.kv_heads, groups.get(index, recipe.kv_heads), 10 + index),
        )
        for index in range(recipe.layers)
    )


def plan(kept: tuple[KeptLayer, ...], source: str = "0" * 64) -> Plan:
    """A plan that nobody scored."""
    return replace(Plan(source, "by hand", kept), asked={"neurons": 0.5})
