"""`bedside-convert plan`: what of a model stays, by share or by budget."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.errors import UsageError
from converter.cli.options import (
    BoardOfSpeed,
    Bytes,
    Heads,
    Layers,
    LayersBy,
    Neurons,
    PerLayer,
    Speed,
    Threads,
    check_partners,
)

if TYPE_CHECKING:
    from converter.cut.depth import Confirm
    from converter.cut.plan import Plan
    from converter.cut.ranking import Score
    from converter.filetype import FileType
    from converter.material import Material
    from converter.measure import Windows
    from converter.texts import Document

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20,
          "GIB": 2**30}  # fmt: skip


def plan(  # noqa: PLR0913 - each parameter is an option of the command
    model: Annotated[Path, typer.Argument(help="A checkpoint folder or a GGUF file.")],
    measured: Annotated[
        Path | None, typer.Argument(metavar="[SALIENCY]", help="What `saliency` wrote.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The plan to write.")] = None,
    neurons: Neurons = 0.0,
    heads: Heads = 0.0,
    layers: Layers = 0,
    budget: Bytes = None,
    speed: Speed = None,
    board: BoardOfSpeed = None,
    score: Annotated[
        str,
        typer.Option(
            help="saliency, activation, rms, fluctuation, magnitude, second-order or random; auto "
            "for second-order where SALIENCY has all covariances, and rms otherwise."
        ),
    ] = "auto",
    layers_by: LayersBy = "turn",
    per_layer: PerLayer = False,
    kind: Annotated[str, typer.Option("--type", "-t", help="The type it will be stored in.")] = (
        "Q4_K_M"
    ),
    text: Annotated[
        list[Path] | None,
        typer.Option(help="Text to confirm the choice of layers on, by leaving each out."),
    ] = None,
    chunks: Annotated[int, typer.Option(min=1, help="Windows of that text to measure.")] = 32,
    context: Annotated[int, typer.Option(help="Tokens in such a window.")] = 512,
    seed: Annotated[int, typer.Option(help="Of a random choice.")] = 0,
    threads: Threads = 0,
    dequantise: Annotated[
        bool, typer.Option("--dequantise", help="Plan for a quantised file too, with its losses.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the plan if it exists.")] = False,
) -> None:
    """Decide what stays of a model and print what it will weigh and how fast it will be."""
    from converter.cli.stopping import told_when_stopped
    from converter.cut.depth import LayersBy
    from converter.cut.plan import write_plan
    from converter.cut.planning import Request, make_plan
    from converter.cut.saliency_file import read_saliency
    from converter.cut.source import source_hash
    from converter.files import check_not_read, check_output
    from converter.filetype import FileType
    from converter.material import open_material
    from converter.measure import Windows
    from converter.texts import read_texts

    check_partners(
        {
            "--text": (bool(text), "--layers", layers > 0),
            "--layers-by": (layers_by != "turn", "--layers", layers > 0),
        }
    )
    if out is not None:
        check_output(out, force=force)
        check_not_read(out, (model, *([measured] if measured else ()), *(text or ())))
    request = Request(
        neurons=neurons,
        heads=heads,
        layers=layers,
        file_bytes=None if budget is None else parse_bytes(budget),
        speed=speed,
        board=board,
        file_type=FileType.parse(kind),
        score=parse_score(score),
        layers_by=named(LayersBy, layers_by, "way to choose layers"),
        per_layer=per_layer,
        seed=seed,
    )
    request.check()
    found = None if measured is None else read_saliency(measured)
    material = open_material(model, dequantise=dequantise)
    windows = Windows(context, limit=chunks)
    documents = read_texts(text) if text and layers else []
    confirm = _confirm(material, documents, windows, threads) if documents else None
    with told_when_stopped("Stopped; no plan was written."):
        made = make_plan(material, source_hash(model), request, found, confirm)
    made = replace(made, confirmed=tuple(dict.fromkeys(one.source for one in documents)))
    if out is not None:
        write_plan(out, made)
    _report(made, material, request.file_type)


def parse_bytes(text: str, option: str = "--bytes") -> int:
    """Bytes from `1.2GB`, `900 MB` or a plain number; `option` is named where it is none.

    Raises:
        UsageError: it is none of these, or nothing.
    """
    found = re.fullmatch(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)", text.strip())
    unit = _UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None or float(found[1]) <= 0:
        raise UsageError(f"{option} {text!r} is no size; write it as 1.2GB, 900MB or a number.")
    return int(float(found[1]) * unit)


def parse_score(text: str) -> Score | None:
    """A score by its name; None for `auto`, the best that the measurement allows.

    Raises:
        UsageError: there is none of that name.
    """
    from converter.cut.ranking import Score

    found: Score | None = None if text == "auto" else named(Score, text, "score")
    return found


def named(kinds: Any, name: str, what: str) -> Any:
    """The member of an enumeration that a person named."""
    values = [kind.value for kind in kinds]
    if name not in values:
        raise UsageError(f"There is no {what} {name!r}; choose one of {', '.join(values)}.")
    return kinds(name)


def _confirm(
    material: Material, documents: Sequence[Document], windows: Windows, threads: int
) -> Confirm:
    from app.boards.detect import cores
    from converter.cache import Cache, default_cache
    from converter.cut.leaving_out import leaving_out

    cache = Cache(default_cache())
    cache.make_folder()

    def told(gone: tuple[int, ...], nll: float) -> None:
        typer.echo(f"without layers {', '.join(map(str, gone))}: log-perplexity {nll:.4f}")

    return leaving_out(
        material,
        documents,
        windows,
        folder=cache.folder,
        threads=threads or cores(),
        told=told,
    )


def _report(made: Plan, material: Material, file_type: FileType) -> None:
    from converter.cli.tables import counted, sized
    from converter.cut.plan import ranges
    from converter.cut.predict import predict, speeds

    typer.echo("asked: " + ", ".join(f"{name} {value}" for name, value in made.asked.items()))
    typer.echo("got:   " + ", ".join(f"{name} {value}" for name, value in made.got.items()))
    whole = material.model.parameters
    typer.echo(
        f"parameters: {counted(made.parameters)} of {counted(whole)} "
        f"({made.parameters / whole:.1%} stay)"
    )
    widths = [(len(kept.neurons), len(kept.head_groups)) for kept in made.layers]
    for wide, groups in sorted(set(widths), reverse=True):
        layers = [
            kept.index
            for kept, width in zip(made.layers, widths, strict=True)
            if width == (wide, groups)
        ]
        typer.echo(f"  layers {ranges(layers)}: {wide} neurons, {groups} head groups")
    found = predict(material, made, file_type)
    for name, size in made.bytes.items():
        typer.echo(f"  {name:<8} {sized(size):>9}")
    for board, tokens in speeds(found).items():
        typer.echo(f"  {board:<14} {tokens:8.1f} tokens/s as {file_type.name}, by its bandwidth")
