"""`bedside-convert make`: from a checkpoint to the file that fits, the whole road."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.errors import UsageError
from converter.cli.options import (
    BoardOfSpeed,
    Bytes,
    CacheFolder,
    Chunk,
    Field,
    FileKind,
    ForceGguf,
    General,
    Heads,
    Layers,
    LayersBy,
    Memory,
    Neurons,
    PerLayer,
    Share,
    Speed,
    TextSeed,
    Threads,
    check_partners,
)

if TYPE_CHECKING:
    from converter.cut.planning import Request
    from converter.make import Made
    from converter.stages import Workshop


def make(  # noqa: PLR0913 - each parameter is an option of the command
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder, or unquantised GGUF.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.gguf", help="The file to write.")],
    kind: FileKind = "Q4_K_M",
    tensor_type: Annotated[
        list[str] | None,
        typer.Option(metavar="REGEX=TYPE", help="A type for the tensors whose names fit."),
    ] = None,
    text: Annotated[
        list[Path] | None, typer.Option(help="Text of the domain to measure on; repeatable.")
    ] = None,
    general: General = None,
    share: Share = 0.75,
    field: Field = None,
    tokens: Annotated[int, typer.Option(help="Tokens to measure on.")] = 65536,
    chunk: Chunk = 512,
    plan: Annotated[Path | None, typer.Option(help="Cut by this plan.")] = None,
    neurons: Neurons = 0.0,
    heads: Heads = 0.0,
    layers: Layers = 0,
    budget: Bytes = None,
    speed: Speed = None,
    board: BoardOfSpeed = None,
    score: Annotated[
        str,
        typer.Option(
            help="By what neurons and heads are chosen, as for `plan`; auto for second-order "
            "where its covariances go into --memory together, and rms otherwise."
        ),
    ] = "auto",
    layers_by: LayersBy = "turn",
    per_layer: PerLayer = False,
    restore: Annotated[bool, typer.Option(help="Repair what is cut.")] = True,
    restore_tokens: Annotated[int, typer.Option(help="Tokens to repair on.")] = 131072,
    seed: TextSeed = 0,
    memory: Memory = "4GiB",
    cache: CacheFolder = None,
    threads: Threads = 0,
    dequantise: Annotated[
        bool, typer.Option("--dequantise", help="Start from a quantised file too, with its losses.")
    ] = False,
    force: ForceGguf = False,
) -> None:
    """Measure, plan, cut, repair, measure again and quantise; what was done before is reused."""
    from converter.cli.plan import named, parse_bytes, parse_score
    from converter.cli.shop import workshop
    from converter.cli.stopping import told_when_stopped
    from converter.cut.depth import LayersBy
    from converter.cut.measuring import Calibration
    from converter.cut.planning import Request
    from converter.make import Order
    from converter.make import make as walk
    from converter.quantise import FileType, Override
    from converter.texts import Sample, read_texts

    if out.suffix != ".gguf":
        raise UsageError(f"The output is named {out.name}; give it a name that ends in .gguf.")
    file_type = FileType.parse(kind)
    request = Request(
        neurons=neurons,
        heads=heads,
        layers=layers,
        file_bytes=None if budget is None else parse_bytes(budget),
        speed=speed,
        board=board,
        file_type=file_type,
        score=parse_score(score),
        layers_by=named(LayersBy, layers_by, "way to choose layers"),
        per_layer=per_layer,
        seed=seed,
    )
    _refuse_both(request, plan)
    decided = ("--neurons, --heads, --layers, --bytes or --speed", _asks(request))
    check_partners(
        {
            "--general": (bool(general), "--text", bool(text)),
            "--field": (field is not None, "--text", bool(text)),
            "--score": (score != "auto", *decided),
            "--per-layer": (per_layer, *decided),
            "--layers-by": (layers_by != "turn", "--layers", layers > 0),
            "--tensor-type": (bool(tensor_type), "a quantised --type", not file_type.is_float),
        }
    )
    sample = Sample(chunk, tokens, share if general else 1.0, seed)
    texts = read_texts(text, field) if text else []
    begun = time.monotonic()
    shop = replace(workshop(cache, threads), memory=parse_bytes(memory, "--memory"))
    order = Order(
        model=checkpoint,
        file_type=file_type,
        overrides=[Override.parse(one) for one in tensor_type or ()],
        calibration=Calibration(texts, read_texts(general or [], field), sample) if texts else None,
        request=request if _asks(request) else None,
        plan=plan,
        restore=Sample(chunk, restore_tokens, sample.share, seed) if restore else None,
        dequantise=dequantise,
    )
    stopped = "Stopped; the stages that were finished are kept, and the next run goes on from them."
    with told_when_stopped(stopped):
        made = walk(order, out, shop, force=force)
    _report(made, out, shop, time.monotonic() - begun)


def _asks(request: Request) -> bool:
    """Whether anything is to be cut away."""
    goals = (request.neurons, request.heads, request.layers, request.file_bytes, request.speed)
    return any(goals)


def _refuse_both(request: Request, plan: Path | None) -> None:
    if plan is not None and _asks(request):
        raise UsageError("Give a plan or say what to cut, not both.")


def _report(made: Made, out: Path, shop: Workshop, seconds: float) -> None:
    from app.sanitise import one_line
    from converter.census import take_census
    from converter.cli.tables import census_lines, counted, gain_lines, sized

    census = take_census(
        (entry.kind.name, entry.elements, entry.nbytes) for entry in made.layout.entries
    )
    if made.plan is not None:
        for name, value in made.plan.got.items():
            typer.echo(f"{name}: {value}")
    for line in gain_lines(made.gains):
        typer.echo(line)
    typer.echo(
        f"{one_line(str(out))}: {sized(made.nbytes)}, {counted(made.layout.parameters)} "
        f"parameters, {census.bits_per_weight:.2f} bits each, in {seconds:.1f} s"
    )
    for line in census_lines(census):
        typer.echo(f"  {line}")
    typer.echo(f"stages done: {', '.join(shop.cache.made) or 'none'}")
    typer.echo(f"stages found in the cache: {', '.join(shop.cache.found) or 'none'}")
