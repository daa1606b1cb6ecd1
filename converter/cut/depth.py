"""Which layers go: those that turn the residual stream least, a contiguous block, or any.

A layer whose output points where its input did adds little (ShortGPT's block influence, Men et al.
2024). That is a guess from one side only, so it names candidates, and leaving each out and
measuring perplexity decides. The contiguous block is that of the smallest angle between what goes
in and what comes out (Gromov et al. 2024).

What each way costs on held-out text is in RESULTS.md beside this file.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from app.errors import UsageError
from converter.cut import scores
from converter.cut.saliency import Saliency

Confirm = Callable[[tuple[int, ...]], float]
"""The log-perplexity of the model without these layers."""

_CANDIDATES = 3
"""Layers that are tried for each one that goes: every try is a pass over held-out text."""


class LayersBy(Enum):
    """How layers are chosen."""

    TURN = "turn"
    BLOCK = "block"
    RANDOM = "random"


def dropped_layers(
    count: int,
    layers: int,
    by: LayersBy,
    saliency: Saliency | None,
    *,
    confirm: Confirm | None = None,
    seed: int = 0,
) -> tuple[int, ...]:
    """The layers to leave out, ascending.

    Args:
        count: how many.
        layers: how many the model has.
        by: how they are chosen.
        saliency: of the model; needed unless they are chosen at random.
        confirm: decides among candidates by turn; without it the turn alone does.
        seed: of a random choice.

    Raises:
        UsageError: none would be left, or there is no measurement to choose by.
    """
    if not 0 <= count < layers:
        raise UsageError(
            f"{count} of {layers} layers cannot be left out: at least one layer must stay."
        )
    if count == 0:
        return ()
    if by is LayersBy.RANDOM:
        order = sorted(range(layers), key=scores.random(-1, layers, seed).__getitem__)
        return tuple(sorted(order[:count]))
    if saliency is None:
        raise UsageError(
            "Layers are chosen by what they do on text; give a saliency file, or choose them with "
            "--layers-by random."
        )
    if by is LayersBy.BLOCK:
        blocks = {first: angle for (first, long), angle in saliency.spans.items() if long == count}
        first = min(blocks, key=blocks.__getitem__)
        return tuple(range(first, first + count))
    return _by_turn(count, saliency, confirm)


def _by_turn(count: int, saliency: Saliency, confirm: Confirm | None) -> tuple[int, ...]:
    gone: tuple[int, ...] = ()
    for _ in range(count):
        left = [layer for layer in range(len(saliency.layers)) if layer not in gone]
        left.sort(key=lambda layer: -saliency.layers[layer].turn)
        tries = [tuple(sorted((*gone, layer))) for layer in left[:_CANDIDATES]]
        gone = tries[0] if confirm is None else min(tries, key=confirm)
    return gone
