"""The whole road: checkpoint, saliency, plan, cut, repair, importance again, quantised file.

Every stage but the last is kept in the cache under the hash of all it was made from, so that
another type, or another exception, begins where the roads part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from app.errors import UsageError
from converter.cut.apply import cut
from converter.cut.geometry import Geometry
from converter.cut.measuring import Calibration
from converter.cut.plan import Plan, ranges, read_plan, write_plan
from converter.cut.planning import Request, make_plan
from converter.cut.prune import open_source
from converter.cut.ranking import Score
from converter.cut.restore import Gain, restore
from converter.cut.saliency import Saliency
from converter.cut.source import source_hash
from converter.cut.weights import Repairs
from converter.export import Layout, lay_out, write
from converter.files import check_not_read, check_output
from converter.material import Material, calibrated, open_material
from converter.quantise import FileType, Override
from converter.runner import Runner
from converter.stages import Workshop, measured, runnable, text_inputs, told, tool, words
from converter.texts import Sample, mix


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made."""

    model: Path
    """A checkpoint folder or an unquantised GGUF file."""
    file_type: FileType
    overrides: Sequence[Override] = ()
    calibration: Calibration | None = None
    """The text that saliency, repair and importance are measured on."""
    request: Request | None = None
    """What to cut away; None for nothing, unless there is a plan."""
    plan: Path | None = None
    """A plan that was made before, in place of a request."""
    restore: Sample | None = None
    """How much text the cut is repaired on; None leaves it as it is."""
    dequantise: bool = False
    """Whether a quantised file is taken for what it stands for, with what that lost."""

    @property
    def cuts(self) -> bool:
        """Whether anything is cut away."""
        return self.request is not None or self.plan is not None

    @property
    def inputs(self) -> tuple[Path, ...]:
        """What is read for it."""
        texts = () if self.calibration is None else self.calibration.sources
        plan = () if self.plan is None else (self.plan,)
        return (self.model, *plan, *(Path(source.path) for source in texts))

    def check(self) -> None:
        """Refuse what cannot be made.

        Raises:
            UsageError: it lacks the text that it needs, or asks for what cannot be meant.
        """
        needs = self.cuts and self.restore is not None
        if self.request is not None:
            self.request.check()
            needs = needs or self.request.needs_text
        if self.calibration is not None:
            self.calibration.sample.check()
        elif needs:
            raise UsageError(
                "Choosing what to cut and repairing it are measured on text; name one with --text."
            )


@dataclass(frozen=True, slots=True)
class Made:
    """What came of an order, beside the file."""

    layout: Layout
    nbytes: int
    """Of the file."""
    plan: Plan | None
    gains: tuple[Gain, ...]
    """Of the repair, where it was done in this run and not found in the cache."""


def make(order: Order, out: Path, shop: Workshop, *, force: bool = False) -> Made:
    """Walk the road as far as it was not walked before, and write the file.

    Raises:
        UsageError: the output cannot be written there, or the order cannot be followed.
        BadInputError: a model, a text or a plan is not what it should be.
        ResourceError: memory or disk do not suffice.
    """
    check_output(out, force=force)
    check_not_read(out, order.inputs)
    order.check()
    road = _Road(order, shop)
    layout = road.layout()
    with shop.progress(f"Quantising to {order.file_type.name}") as advance:
        size = write(layout, out, threads=shop.threads, force=force, progress=advance)
    return Made(layout, size, road.plan, road.gains)


class _Road:
    """One order on its way."""

    def __init__(self, order: Order, shop: Workshop) -> None:
        self.order, self.shop = order, shop
        self.sha256 = source_hash(order.model)
        self.plan: Plan | None = None
        self.gains: tuple[Gain, ...] = ()

    @cached_property
    def material(self) -> Material:
        """The full model."""
        return open_material(self.order.model, dequantise=self.order.dequantise)

    @cached_property
    def full(self) -> Path:
        """The full model as llama.cpp runs it: as large as itself, and made where text is read."""
        return runnable(self.shop, self.order.model, self.sha256)

    def layout(self) -> Layout:
        """The file to be written, with the importance of what is left measured anew."""
        order, calibration = self.order, self.order.calibration
        file = self._cut_file() if order.cuts else None
        material = self.material if file is None else open_material(file)
        if calibration is None or order.file_type.is_float:
            return lay_out(material, order.file_type, overrides=order.overrides)
        run, sha256 = (self.full, self.sha256) if file is None else (file, source_hash(file))
        found = measured(self.shop, run, sha256, calibration, label="Measuring importance")
        return lay_out(
            self._named(material),
            order.file_type,
            imatrix=found.imatrix,
            overrides=order.overrides,
        )

    def _named(self, material: Material) -> Material:
        """The material once the order's texts were used on it."""
        assert self.order.calibration is not None, "what uses text has text"
        return calibrated(material, (source.sha256 for source in self.order.calibration.sources))

    def _cut_file(self) -> Path:
        """The cut and repaired model as llama.cpp runs it, with nothing lost but what was cut."""
        material, plan = self._planned()
        self.plan = plan

        def apply(part: Path) -> None:
            repairs = self._repairs(material, plan)
            smaller = cut(material, plan, repairs)
            if repairs is not None:
                smaller = self._named(smaller)
            with self.shop.progress("Cutting") as advance:
                layout = lay_out(smaller, smaller.lossless)
                write(layout, part, threads=self.shop.threads, progress=advance)

        inputs: dict[str, object] = {
            "source": self.sha256,
            "plan": _essence(plan),
            **told(material),
            **tool(),
        }
        if (text := self._repair_text()) is not None:
            inputs |= {"restored": text_inputs(text)}
        return self.shop.cache.get("cut", ".gguf", inputs, apply)

    def _planned(self) -> tuple[Material, Plan]:
        """The full model, and what stays of it."""
        if self.order.plan is not None:
            plan = read_plan(self.order.plan)
            dequantise = self.order.dequantise
            return open_source(self.order.model, plan, dequantise=dequantise).material, plan
        request, material = self.order.request, self.material
        assert request is not None, "an order that cuts has a request or a plan"
        found = self._saliency(request)

        def decide(part: Path) -> None:
            write_plan(part, make_plan(material, self.sha256, request, found))

        inputs: dict[str, object] = {
            "source": self.sha256,
            "asked": dict(request.told()),
            "score": None if request.score is None else request.score.value,
            "covariances": 0 if found is None else len(found.covariances),
            "measured": None if found is None else self._measured_on(),
            **tool(),
        }
        return material, read_plan(self.shop.cache.get("plan", ".json", inputs, decide))

    def _saliency(self, request: Request) -> Saliency | None:
        """What the score is computed from; nothing where it needs no text."""
        calibration = self.order.calibration
        if calibration is None or not request.needs_text:
            return None
        wanted = self._covariances(request)
        return measured(self.shop, self.full, self.sha256, calibration, covariances=wanted)

    def _covariances(self, request: Request) -> range:
        """Layers whose covariances the score needs, or may have in a single pass over the text."""
        geometry = Geometry.read(self.material.model)
        single = geometry.covariance_bytes <= self.shop.memory
        needed = request.score is Score.SECOND_ORDER or (request.score is None and single)
        return range(len(geometry.neurons) if needed else 0)

    def _measured_on(self) -> Mapping[str, object]:
        assert self.order.calibration is not None, "what was measured was measured on text"
        return {**text_inputs(self.order.calibration), **words(self.material.vocabulary)}

    def _repair_text(self) -> Calibration | None:
        """The text of the repair, which reads more of it than the rest; None for no repair."""
        calibration, sample = self.order.calibration, self.order.restore
        if calibration is None or sample is None:
            return None
        return replace(calibration, sample=sample)

    def _repairs(self, material: Material, plan: Plan) -> Repairs | None:
        text = self._repair_text()
        if text is None:
            return None
        with Runner(self.full, length=text.sample.length, threads=self.shop.threads) as runner:
            mixed = mix(text.domain, text.general, text.sample, runner.tokenise, runner.bos)
        smaller = cut(material, plan)
        with self.shop.progress("Restoring") as advance:
            found = restore(material.model, smaller.model, plan, mixed.chunks, progress=advance)
        self.gains = found.gains
        return found.weights


def _essence(plan: Plan) -> list[object]:
    """What of a plan reaches the file: not where its texts lie, nor what was predicted."""
    layers = [[one.index, ranges(one.neurons), ranges(one.head_groups)] for one in plan.layers]
    return [plan.score, layers, plan.texts]
