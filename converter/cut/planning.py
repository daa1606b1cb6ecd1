"""From what a person asks for to a plan that can be built: shares, budgets, what they come to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from app.boards import profile
from app.errors import BadInputError, UsageError
from converter.cut.depth import Confirm, LayersBy, dropped_layers
from converter.cut.geometry import Geometry
from converter.cut.plan import KeptLayer, Plan, Told
from converter.cut.predict import Prediction, predict, with_sizes
from converter.cut.ranking import LayerWorth, Score, best_score, rank
from converter.cut.saliency import Saliency
from converter.cut.widths import BLOCK, Ladder, check_groups, check_share, group_step, keep, ladder
from converter.filetype import FileType
from converter.material import Material


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks of a plan. Shares are of what is cut away."""

    neurons: float = 0.0
    heads: float = 0.0
    layers: int = 0
    """How many to leave out."""
    file_bytes: int | None = None
    """The most that the file may weigh; neurons are cut until it does."""
    speed: float | None = None
    """Tokens a second to be reached on `board`; neurons are cut until they are."""
    board: str | None = None
    file_type: FileType = FileType.Q4_K_M
    """What the file will be quantised to: its blocks and its bytes count."""
    score: Score | None = None
    """None for the best that the measurement allows."""
    layers_by: LayersBy = LayersBy.TURN
    per_layer: bool = False
    """Whether layers may differ in width and heads; the file is then of architecture `deci`."""
    seed: int = 0

    @property
    def needs_text(self) -> bool:
        """Whether it is decided by what was measured on text."""
        return self.score is None or self.score.needs_text or self.layers > 0

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            UsageError: a share outside 0 to 1, two goals at once, or half of one.
        """
        check_share(self.neurons, "A share of neurons of")
        check_share(self.heads, "A share of heads of")
        if (self.speed is None) != (self.board is None):
            raise UsageError("A speed is reached on a board: give --speed and --board together.")
        goals = (self.neurons > 0, self.file_bytes is not None, self.speed is not None)
        if sum(goals) > 1:
            raise UsageError("Give one of --neurons, --bytes and --speed: each decides the width.")
        if self.speed is not None and not 0 < self.speed < math.inf:
            raise UsageError(f"A speed of {self.speed:g} tokens a second cannot be planned for.")

    def told(self) -> Told:
        """What was asked, for the plan's file."""
        asked: dict[str, str | int | float] = {
            "neurons": self.neurons,
            "heads": self.heads,
            "layers": self.layers,
            "type": self.file_type.name,
            "widths": "per layer" if self.per_layer else "uniform",
        }
        if self.layers:
            asked["layers_by"] = self.layers_by.value
        if self.file_bytes is not None:
            asked["bytes"] = self.file_bytes
        if self.speed is not None and self.board is not None:
            asked |= {"speed": self.speed, "board": self.board}
        if Score.RANDOM is self.score or LayersBy.RANDOM is self.layers_by:
            asked["seed"] = self.seed
        return MappingProxyType(asked)


def make_plan(
    material: Material,
    sha256: str,
    request: Request,
    saliency: Saliency | None,
    confirm: Confirm | None = None,
) -> Plan:
    """Decide what stays.

    Args:
        material: the model to be cut.
        sha256: its `source_hash`.
        request: what is asked for.
        saliency: measured on this very model; None for scores and layers that need none.
        confirm: log-perplexity without some layers, to confirm the choice of layers.

    Raises:
        BadInputError: the saliency is of another model.
        UsageError: what is asked for cannot be built, no cut of neurons reaches it, or one number
            for all layers is asked of a model whose layers differ.
    """
    request.check()
    geometry = Geometry.read(material.model)
    _check_one_number(request, geometry)
    if saliency is not None:
        _check_same_model(saliency, sha256, geometry)
    depth = len(geometry.neurons)
    gone = dropped_layers(
        request.layers, depth, request.layers_by, saliency, confirm=confirm, seed=request.seed
    )
    layers = [layer for layer in range(depth) if layer not in gone]
    score = request.score or best_score(saliency)
    worths = rank(material.model, geometry, score, saliency, request.seed)
    groups = _groups(request, geometry, [worths[layer] for layer in layers])
    steps = ladder([worths[layer].costs(worths[layer].neurons) for layer in layers], BLOCK)

    def draft(count: int) -> Plan:
        """The plan after so many steps of the width."""
        wide = steps.greedy(count) if request.per_layer else steps.uniform(count)
        kept = keep(layers, worths, wide, groups)
        sources = saliency.sources if saliency is not None else ()
        return Plan(sha256, score.value, kept, sources, asked=request.told())

    count = _width(
        request, steps, lambda number: predict(material, draft(number), request.file_type)
    )
    plan = with_sizes(material, draft(count), request.file_type)
    return _with_got(plan, geometry)


def _check_one_number(request: Request, geometry: Geometry) -> None:
    """See that what is cut alike from every layer is alike in every layer."""
    cuts_neurons = (
        request.neurons > 0 or request.file_bytes is not None or request.speed is not None
    )
    for what, is_cut, counts in (
        ("neurons", cuts_neurons, geometry.neurons),
        ("heads", request.heads > 0, geometry.groups),
    ):
        if is_cut and not request.per_layer and len(set(counts)) > 1:
            raise UsageError(
                f"The model's layers differ in their number of {what} already, so they cannot all "
                f"keep the same; give --per-layer to cut {what} where they cost least."
            )


def _check_same_model(saliency: Saliency, sha256: str, geometry: Geometry) -> None:
    shapes = [(len(layer.neuron_abs), layer.output_abs.size) for layer in saliency.layers]
    expected = [
        (neurons, heads * geometry.head_dim)
        for neurons, heads in zip(geometry.neurons, geometry.heads, strict=True)
    ]
    if saliency.model_sha256 != sha256 or shapes != expected:
        raise BadInputError(
            "The saliency file was measured on another model (their hashes differ); measure this "
            "one with `bedside-convert saliency`."
        )


def _groups(request: Request, geometry: Geometry, worths: Sequence[LayerWorth]) -> tuple[int, ...]:
    """Head groups that stay, by kept layer."""
    block = _block(request.file_type)
    step = group_step(geometry, block)
    steps = ladder([worth.costs(worth.groups) for worth in worths], step)
    if request.per_layer:
        every = sum(math.ceil(count / step) for count in steps.kept)
        return steps.greedy(round(request.heads * every))
    kept = max(1, round((1 - request.heads) * geometry.groups[0]))
    check_groups(geometry, kept, block, request.file_type.name)
    return steps.uniform(math.ceil(geometry.groups[0] / step) - math.ceil(kept / step))


def _block(file_type: FileType) -> int:
    """Of how many numbers the file type's rows are a multiple."""
    if file_type.is_float:
        return 1
    return 32 if file_type is FileType.Q8_0 else BLOCK


def _width(request: Request, steps: Ladder, predicted: Callable[[int], Prediction]) -> int:
    """How many steps the width takes: by its share, or the fewest that reach the goal."""
    most = steps.steps if request.per_layer else max(map(len, steps.costs))
    if request.file_bytes is None and request.speed is None:
        blocks = sum(math.ceil(count / BLOCK) for count in steps.kept)
        if not request.per_layer:
            blocks = max(math.ceil(count / BLOCK) for count in steps.kept)
        return min(most, blocks - max(1, round((1 - request.neurons) * blocks)))
    limit, weigh = _goal(request)
    if weigh(predicted(most)) > limit:
        raise UsageError(_unreachable(request, predicted(most)))
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if weigh(predicted(middle)) <= limit else (middle + 1, high)
    return low


def _goal(request: Request) -> tuple[float, Callable[[Prediction], int]]:
    """The bytes that may not be exceeded, and which bytes they are."""
    if request.file_bytes is not None:
        return request.file_bytes, lambda found: found.file_bytes
    bandwidth = profile(str(request.board)).bandwidth_gb_s
    if bandwidth is None:
        raise UsageError(
            f"The memory bandwidth of the board {request.board} is not known, so no speed can be "
            "planned for it; choose another board, or give --bytes."
        )
    assert request.speed is not None, "a board comes with a speed"
    return bandwidth * 1e9 / request.speed, lambda found: found.token_bytes


def _unreachable(request: Request, smallest: Prediction) -> str:
    more = "cut heads or layers too, or choose a smaller --type"
    if request.file_bytes is not None:
        return (
            f"No width comes down to {request.file_bytes:,} bytes as {request.file_type.name}: "
            f"the smallest has {smallest.file_bytes:,}; {more}."
        )
    bandwidth = profile(str(request.board)).bandwidth_gb_s or 0.0
    fastest = bandwidth * 1e9 / smallest.token_bytes
    return (
        f"No width reaches {request.speed:g} tokens a second on {request.board} as "
        f"{request.file_type.name}: the smallest reaches {fastest:.1f}, with "
        f"{smallest.file_bytes:,} bytes; {more}."
    )


def _with_got(plan: Plan, geometry: Geometry) -> Plan:
    """The plan with what came of it: the shares of the kept layers' units that are cut away."""
    layers: Sequence[KeptLayer] = plan.layers
    neurons = sum(geometry.neurons[kept.index] for kept in layers)
    groups = sum(geometry.groups[kept.index] for kept in layers)
    got: dict[str, str | int | float] = {
        "neurons": round(1 - sum(len(kept.neurons) for kept in layers) / neurons, 4),
        "heads": round(1 - sum(len(kept.head_groups) for kept in layers) / groups, 4),
        "layers": len(geometry.neurons) - len(layers),
        "widths": "uniform" if plan.uniform else "per layer",
    }
    return replace(plan, got=MappingProxyType(got))
