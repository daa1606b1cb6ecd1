"""The rows of the table, part by part: what identifies each, and how it is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from app.errors import UsageError
from converter.cut.depth import LayersBy
from converter.cut.plan import Plan
from converter.cut.planning import Request
from converter.cut.ranking import Score
from converter.cut.widths import BLOCK
from converter.filetype import FileType
from tests.bench.cut.bench import GENERAL, MEDICAL, MIXED, Bench, Loss, Road

Key = dict[str, str | int]
"""What a row is of; no two rows have the same."""
Row = dict[str, Any]
"""A key, and what was measured."""

PARTS = ("neurons", "quantised", "heads", "layers", "calibration")
UNIFORM, PER_LAYER = "uniform", "per layer"
UNREPAIRED, RESTORED = "none", "restored"
LOSSLESS = "lossless"
QUANTISED = ("Q4_K_M", "Q3_K_M")
_HEAD_SCORES = (Score.MAGNITUDE, Score.SALIENCY, Score.SECOND_ORDER)
_MOST_LAYERS = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are wanted."""

    parts: Sequence[str]
    scores: Sequence[Score]
    blocks: Sequence[int]
    """Of 256 neurons that stay in all layers together."""
    widths: Sequence[str] = (UNIFORM, PER_LAYER)
    repairs: Sequence[str] = (UNREPAIRED, RESTORED)


@dataclass(frozen=True, slots=True)
class Job:
    """One row to be."""

    key: Key
    measure: Callable[[], Row]


def full(bench: Bench) -> Job:
    """The whole model, against which every rise is measured."""

    def measure() -> Row:
        return {"losses": {name: loss.windows for name, loss in bench.losses(bench.full).items()}}

    return Job({"part": "full"}, measure)


def jobs(bench: Bench, asked: Asked, whole: Mapping[str, Loss]) -> Iterator[Job]:
    """Every row that is asked for; those that share a repair follow each other."""
    work = _Rows(bench, whole)
    kinds = [LOSSLESS] if "neurons" in asked.parts else []
    if "quantised" in asked.parts:
        kinds += QUANTISED
        yield from (work.whole(kind) for kind in QUANTISED)
    if kinds:
        yield from work.neurons(asked, kinds)
    if "heads" in asked.parts:
        yield from work.heads(asked)
    if "layers" in asked.parts:
        yield from work.layers(asked)
    if "calibration" in asked.parts:
        yield from work.calibration(asked)


class _Rows:
    def __init__(self, bench: Bench, whole: Mapping[str, Loss]) -> None:
        self.bench, self._whole = bench, whole

    def whole(self, kind: str) -> Job:
        """The whole model quantised: what quantising alone costs."""
        key: Key = {"part": "quantised", "score": "whole model", "kind": kind}
        return Job(key, lambda: self._measured(self.bench.full, kind))

    def neurons(self, asked: Asked, kinds: Sequence[str]) -> Iterator[Job]:
        """Every score at every width, uniform and per layer, unrepaired and repaired."""
        for widths, score, blocks, repair in product(
            asked.widths, asked.scores, asked.blocks, asked.repairs
        ):
            share = 1 - blocks / self.bench.blocks
            request = Request(neurons=share, score=score, per_layer=widths == PER_LAYER)
            for kind in kinds:
                key: Key = {
                    "part": "neurons" if kind == LOSSLESS else "quantised",
                    "score": score.value,
                    "widths": widths,
                    "blocks": blocks,
                    "repair": repair,
                    "kind": kind,
                }
                yield self._job(key, request, kind)

    def heads(self, asked: Asked) -> Iterator[Job]:
        """Half the heads everywhere, in the half of the layers that bear it best; and a quarter."""
        places = ((0.5, False, "4 of 8, all layers"), (0.25, True, "4 of 8, four layers"))
        for score, (share, per_layer, place), repair in product(
            _HEAD_SCORES, places, asked.repairs
        ):
            key: Key = {"part": "heads", "score": score.value, "heads": place, "repair": repair}
            yield self._job(key, Request(heads=share, score=score, per_layer=per_layer))
        yield Job({"part": "heads", "heads": "6 of 8, all layers"}, self._refused)

    def layers(self, asked: Asked) -> Iterator[Job]:
        """One to three layers fewer, chosen in each way."""
        for count, by, repair in product(range(1, _MOST_LAYERS + 1), LayersBy, asked.repairs):
            key: Key = {"part": "layers", "gone": count, "by": by.value, "repair": repair}
            yield self._job(key, Request(layers=count, layers_by=by, score=Score.SALIENCY))

    def calibration(self, asked: Asked) -> Iterator[Job]:
        """What each text keeps, chosen by saliency and repaired on the same text."""
        for text, blocks, repair in product((MEDICAL, GENERAL, MIXED), asked.blocks, asked.repairs):
            key: Key = {"part": "calibration", "text": text, "blocks": blocks, "repair": repair}
            yield self._job(key, self._by_saliency(blocks), text=text)
        for blocks in asked.blocks:
            yield Job(
                {"part": "calibration", "overlap": f"{MEDICAL}, {GENERAL}", "blocks": blocks},
                partial(self._overlap, blocks),
            )

    def _job(
        self,
        key: Key,
        request: Request,
        kind: str = LOSSLESS,
        text: str = MEDICAL,
    ) -> Job:
        def measure() -> Row:
            begun = time.perf_counter()
            plan = self.bench.plan(request, text)
            file = self.bench.file(Road(plan, key["repair"] == RESTORED, text))
            seconds = round(time.perf_counter() - begun, 1)
            return {**_shape(plan), **self._measured(file, kind), "making_seconds": seconds}

        return Job(key, measure)

    def _measured(self, file: Path, kind: str) -> Row:
        if kind != LOSSLESS:
            file = self.bench.quantised(file, FileType[kind])
        rises = {
            name: loss.rise(self._whole[name]) for name, loss in self.bench.losses(file).items()
        }
        return {
            "bytes": file.stat().st_size,
            "rise": {name: round(rise, 4) for name, (rise, _) in rises.items()},
            "error": {name: round(error, 4) for name, (_, error) in rises.items()},
        }

    def _refused(self) -> Row:
        try:
            self.bench.plan(Request(heads=0.25, score=Score.MAGNITUDE))
        except UsageError as error:
            return {"refused": str(error)}
        raise AssertionError("6 of 8 heads must be refused for k-quants")

    def _by_saliency(self, blocks: int) -> Request:
        return Request(neurons=1 - blocks / self.bench.blocks, score=Score.SALIENCY)

    def _overlap(self, blocks: int) -> Row:
        """Which share of the neurons that one text keeps the other keeps too; by chance, and so."""
        request = self._by_saliency(blocks)
        first, second = (_kept(self.bench.plan(request, text)) for text in (MEDICAL, GENERAL))
        return {
            "shared": round(len(first & second) / len(first), 4),
            "by_chance": round(len(second) / sum(self.bench.geometry.neurons), 4),
        }


def _shape(plan: Plan) -> Row:
    """What stays of which layers, in short."""
    return {
        "layers": [kept.index for kept in plan.layers],
        "neuron_blocks": [len(kept.neurons) // BLOCK for kept in plan.layers],
        "head_groups": [len(kept.head_groups) for kept in plan.layers],
    }


def _kept(plan: Plan) -> set[tuple[int, int]]:
    return {(kept.index, neuron) for kept in plan.layers for neuron in kept.neurons}
