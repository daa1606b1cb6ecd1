"""One checkpoint, measured once, and what any cut of it costs on held-out text."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from pathlib import Path

from converter.cut.apply import cut
from converter.cut.forward import Floats
from converter.cut.geometry import Geometry
from converter.cut.leaving_out import leaving_out
from converter.cut.measuring import Calibration, measure
from converter.cut.plan import Plan
from converter.cut.planning import Request, make_plan
from converter.cut.restore import full_streams, restore
from converter.cut.saliency import Saliency
from converter.cut.source import source_hash
from converter.cut.weights import Repairs
from converter.cut.widths import BLOCK
from converter.export import Imatrix, lay_out, write
from converter.filetype import FileType
from converter.material import open_material
from converter.measure import Windows, perplexity
from converter.runner import Runner
from converter.texts import Document, Sample, mix, read_texts

MEDICAL, GENERAL, MIXED = "medical", "general", "mixed"
"""What is calibrated on: the text of --text, that of --general, half of each."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What every row of a table shares."""

    checkpoint: Path
    text: tuple[Path, ...]
    general: tuple[Path, ...]
    held_out: tuple[Path, ...]
    tokens: int
    """Read to measure and to repair."""
    windows: int
    """Of 512 tokens, measured on each held-out text."""
    threads: int


@dataclass(frozen=True, slots=True)
class Road:
    """A plan, and whether and on what the cut is repaired."""

    plan: Plan
    restored: bool
    text: str = MEDICAL


@dataclass(frozen=True, slots=True)
class Loss:
    """What one held-out text says of a file."""

    windows: tuple[float, ...]
    """Mean negative log-likelihood of each window."""

    def rise(self, full: Loss) -> tuple[float, float]:
        """Log-perplexity above the full model's, and its standard error over the windows."""
        steps = [ours - theirs for ours, theirs in zip(self.windows, full.windows, strict=True)]
        return statistics.fmean(steps), statistics.stdev(steps) / sqrt(len(steps))


class Bench:
    """Everything is computed when first asked for, so that finished rows cost nothing.

    Files are measured as the checkpoint stores its weights, which is how `make` goes on from them.
    """

    def __init__(self, terms: Terms, folder: Path) -> None:
        self.terms = terms
        self.folder = folder
        """For files that are measured and removed."""
        self.material = open_material(terms.checkpoint)
        self.geometry = Geometry.read(self.material.model)
        self.sha256 = source_hash(terms.checkpoint)
        self.held_out = {path.name.partition(".")[0]: read_texts([path]) for path in terms.held_out}
        self._saliency: dict[str, Saliency] = {}
        self._plans: dict[tuple[Request, str], Plan] = {}
        self._traced: tuple[str, Sequence[Sequence[int]], Sequence[Floats]] | None = None
        self._made: Road | None = None
        self._importance: tuple[Path, Imatrix] | None = None

    @property
    def blocks(self) -> int:
        """Of 256 neurons, in all layers together."""
        return sum(self.geometry.neurons) // BLOCK

    @cached_property
    def full(self) -> Path:
        """The whole model's file."""
        path = self.folder / "full.gguf"
        write(lay_out(self.material, self.material.lossless), path, threads=self.terms.threads)
        return path

    @cached_property
    def texts(self) -> dict[str, Calibration]:
        """What is calibrated on, by name."""
        medical, general = read_texts(self.terms.text), read_texts(self.terms.general)
        tokens = self.terms.tokens
        return {
            MEDICAL: Calibration(medical, (), Sample(tokens=tokens)),
            GENERAL: Calibration(general, (), Sample(tokens=tokens)),
            MIXED: Calibration(medical, general, Sample(tokens=tokens, share=0.5)),
        }

    def saliency(self, text: str = MEDICAL) -> Saliency:
        """What the whole model's parts do on a text; on the medical one with covariances."""
        if text not in self._saliency:
            layers = range(len(self.geometry.neurons)) if text == MEDICAL else ()
            self._saliency[text] = measure(
                self.full,
                self.sha256,
                self.texts[text],
                covariances=layers,
                threads=self.terms.threads,
            )
        return self._saliency[text]

    def plan(self, request: Request, text: str = MEDICAL) -> Plan:
        """What stays by what was measured on a text."""
        if (request, text) not in self._plans:
            found = self.saliency(text) if request.needs_text else None
            confirm = self._confirm if request.layers else None
            made = make_plan(self.material, self.sha256, request, found, confirm)
            self._plans[request, text] = made
        return self._plans[request, text]

    def file(self, road: Road) -> Path:
        """The cut model as the source stores its weights; there until the next one is made."""
        path = self.folder / "cut.gguf"
        if self._made != road:
            repairs = self._repairs(road) if road.restored else None
            material = cut(self.material, road.plan, repairs)
            layout = lay_out(material, material.lossless)
            write(layout, path, threads=self.terms.threads, force=True)
            self._made, self._importance = road, None
        return path

    def quantised(self, file: Path, kind: FileType) -> Path:
        """A file quantised by the importance that is measured on itself, as `make` does."""
        if self._importance is None or self._importance[0] != file:
            found = measure(file, "0" * 64, self.texts[MEDICAL], threads=self.terms.threads)
            self._importance = file, found.imatrix
        out = self.folder / f"{kind.name}.gguf"
        layout = lay_out(open_material(file), kind, imatrix=self._importance[1])
        write(layout, out, threads=self.terms.threads, force=True)
        return out

    def losses(self, file: Path) -> dict[str, Loss]:
        """What each held-out text says of a file."""
        windows = Windows(limit=self.terms.windows)
        return {
            name: self._loss(file, documents, windows) for name, documents in self.held_out.items()
        }

    def _loss(self, file: Path, documents: Sequence[Document], windows: Windows) -> Loss:
        return Loss(perplexity(file, documents, windows, threads=self.terms.threads).window_nlls)

    def _repairs(self, road: Road) -> Repairs:
        chunks, streams = self._trace(road.text)
        model, smaller = self.material.model, cut(self.material, road.plan).model
        return restore(model, smaller, road.plan, chunks, streams=streams).weights

    def _trace(self, text: str) -> tuple[Sequence[Sequence[int]], Sequence[Floats]]:
        """A text's chunks and the whole model's stream on them, which all its cuts share."""
        if self._traced is None or self._traced[0] != text:
            self._traced = None  # its gigabyte is free before the next is filled
            calibration = self.texts[text]
            with Runner(self.full, length=calibration.sample.length) as runner:
                mixed = mix(
                    calibration.domain,
                    calibration.general,
                    calibration.sample,
                    runner.tokenise,
                    runner.bos,
                )
            self._traced = text, mixed.chunks, full_streams(self.material.model, mixed.chunks)
        return self._traced[1:]

    @cached_property
    def _left_out(self) -> dict[tuple[int, ...], float]:
        return {}

    def _confirm(self, gone: tuple[int, ...]) -> float:
        """Log-perplexity of the calibration text without some layers."""
        if gone not in self._left_out:
            judge = leaving_out(
                self.material,
                self.texts[MEDICAL].domain[:200],
                Windows(limit=self.terms.windows),
                folder=self.folder,
                threads=self.terms.threads,
            )
            self._left_out[gone] = judge(gone)
        return self._left_out[gone]
