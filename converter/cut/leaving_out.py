"""Perplexity of a model without some of its layers: the judge of which layers may go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from app.files import passing
from converter.cut.apply import cut
from converter.cut.depth import Confirm
from converter.cut.geometry import Geometry
from converter.cut.plan import KeptLayer, Plan
from converter.export import lay_out, write
from converter.material import Material
from converter.measure import Windows, perplexity
from converter.texts import Document

Told = Callable[[tuple[int, ...], float], None]
"""Told which layers were left out, and the log-perplexity without them."""


def leaving_out(
    material: Material,
    documents: Sequence[Document],
    windows: Windows,
    *,
    folder: Path,
    threads: int,
    told: Told | None = None,
) -> Confirm:
    """A function that writes the model without some layers, runs it, and takes it away again.

    Args:
        material: the whole model.
        documents: what perplexity is measured on.
        windows: how much of it.
        folder: where a file as large as the model has room for a while.
        threads: how many to use.
        told: hears each result.
    """
    geometry = Geometry.read(material.model)

    def confirm(gone: tuple[int, ...]) -> float:
        plan = Plan("", "", tuple(_whole(geometry, gone)))
        with passing(folder, "leaving-out") as file:
            write(lay_out(cut(material, plan), material.lossless), file, threads=threads)
            found = perplexity(file, documents, windows, threads=threads).nll
        if told is not None:
            told(gone, found)
        return found

    return confirm


def _whole(geometry: Geometry, gone: Sequence[int]) -> list[KeptLayer]:
    """Every layer but those, with all that is in it."""
    return [
        KeptLayer(layer, tuple(range(neurons)), tuple(range(groups)))
        for layer, (neurons, groups) in enumerate(
            zip(geometry.neurons, geometry.groups, strict=True)
        )
        if layer not in gone
    ]
