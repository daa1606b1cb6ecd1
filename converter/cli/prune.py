"""`bedside-convert prune`: a plan applied to a checkpoint or a GGUF file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.errors import UsageError
from converter.cli.options import Field, ForceGguf, Threads, check_partners

if TYPE_CHECKING:
    from converter.cut.plan import Plan
    from converter.cut.prune import Source
    from converter.cut.restore import Restored
    from converter.stages import Workshop


def prune(  # noqa: PLR0913 - each parameter is an option of the command
    model: Annotated[Path, typer.Argument(help="Checkpoint folder or GGUF file to cut.")],
    plan: Annotated[Path, typer.Argument(help="What stays, as `bedside-convert plan` wrote it.")],
    out: Annotated[Path, typer.Argument(help="A new folder, or a file that ends in .gguf.")],
    kind: Annotated[
        str, typer.Option("--type", "-t", help="Of a GGUF output; as the source is stored if not.")
    ] = "",
    restore: Annotated[
        bool, typer.Option("--restore", help="Refit what stays to do the work of what went.")
    ] = False,
    text: Annotated[
        list[Path] | None, typer.Option(help="Restore on these texts, not on the plan's own.")
    ] = None,
    field: Field = None,
    tokens: Annotated[int, typer.Option(help="Restore on so many tokens at most.")] = 131072,
    chunk: Annotated[int, typer.Option(help="Tokens in a chunk of text.")] = 512,
    seed: Annotated[int, typer.Option(help="Decides which texts are read.")] = 0,
    dequantise: Annotated[
        bool, typer.Option("--dequantise", help="Cut a quantised file too, with its losses.")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option(help="Where to keep the model as llama.cpp runs it.")
    ] = None,
    threads: Threads = 0,
    force: ForceGguf = False,
) -> None:
    """Cut a model as a plan says, whole or not at all."""
    from converter.cli.shop import workshop
    from converter.cli.stopping import told_when_stopped
    from converter.cli.tables import gain_lines
    from converter.cut.folder import check_folder
    from converter.cut.plan import read_plan
    from converter.cut.prune import calibration_texts, open_source, repair
    from converter.files import check_not_read, check_output
    from converter.stages import runnable
    from converter.texts import Sample

    check_partners(
        {
            "--text": (bool(text), "--restore", restore),
            "--field": (field is not None, "--text", bool(text)),
        }
    )
    begun = time.monotonic()
    kept = read_plan(plan)
    if out.suffix == ".gguf":
        check_output(out, force=force)
        check_not_read(out, (model, plan, *(text or ())))
    else:
        check_folder(out, kept)
        _refuse_for_folder(kind, force)
    source = open_source(model, kept, dequantise=dequantise)
    if source.checkpoint is None and out.suffix != ".gguf":
        raise UsageError("A GGUF file is cut into a GGUF file; give OUT a name that ends in .gguf.")
    _tell_loss(source)
    shop = workshop(cache, threads)
    with told_when_stopped("Stopped; nothing was written."):
        found: Restored | None = None
        if restore:
            documents = calibration_texts(kept, text or (), field)
            sample = Sample(length=chunk, tokens=tokens, seed=seed)
            words = runnable(shop, model, source.sha256)
            with shop.progress("Restoring") as advance:
                found = repair(source, kept, documents, sample, words=words, progress=advance)
            typer.echo(f"restored on {found.tokens:,} tokens")
            for line in gain_lines(found.gains):
                typer.echo(line)
        size = _write(source, kept, out, kind, found, shop, force=force)
    _report(source, kept, out, size, time.monotonic() - begun)


def _refuse_for_folder(kind: str, force: bool) -> None:
    if kind:
        raise UsageError("A folder keeps the checkpoint's own types; give --type with OUT.gguf.")
    if force:
        raise UsageError("A folder is never replaced; name a new one and leave --force out.")


def _tell_loss(source: Source) -> None:
    lost = [f.value for f in source.material.provenance if f.key == "bedside.dequantised_from"]
    if lost:
        typer.echo(
            f"The source is quantised ({lost[0]}): what that lost stays lost in what is cut "
            "from it, and quantising again loses more."
        )


def _write(
    source: Source,
    plan: Plan,
    out: Path,
    kind: str,
    found: Restored | None,
    shop: Workshop,
    *,
    force: bool,
) -> int:
    from converter.cut.apply import cut
    from converter.cut.folder import write_folder
    from converter.export import lay_out, write
    from converter.material import calibrated
    from converter.quantise import FileType

    repairs, texts = (None, ()) if found is None else (found.weights, found.texts)
    if out.suffix != ".gguf":
        assert source.checkpoint is not None, "a GGUF source was refused before"
        with shop.progress("Cutting") as advance:
            return write_folder(
                source.checkpoint, plan, out, repairs=repairs, texts=texts, progress=advance
            )
    material = calibrated(cut(source.material, plan, repairs), texts)
    layout = lay_out(material, FileType.parse(kind) if kind else source.material.lossless)
    with shop.progress("Cutting") as advance:
        return write(layout, out, threads=shop.threads, force=force, progress=advance)


def _report(source: Source, plan: Plan, out: Path, size: int, seconds: float) -> None:
    from app.sanitise import one_line
    from converter.cli.tables import counted, sized
    from converter.cut.apply import cut, told
    from converter.cut.geometry import Geometry

    before, after = source.material.model, cut(source.material, plan).model
    typer.echo(
        f"{one_line(str(out))}: {sized(size)}, {counted(after.parameters)} of "
        f"{counted(before.parameters)} parameters, architecture {after.facts.architecture}, "
        f"in {seconds:.1f} s"
    )
    typer.echo(f"kept {told(plan, Geometry.read(before))}")
