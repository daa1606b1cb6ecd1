"""`bedside-convert convert`: a checkpoint folder to a GGUF file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.errors import UsageError
from converter.cli.options import FileKind, ForceGguf, Threads, check_partners

if TYPE_CHECKING:
    from converter.export import Layout


def convert(
    checkpoint: Annotated[
        Path, typer.Argument(help="Folder with config.json, a tokenizer and safetensors files.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.gguf", help="The file to write.")],
    kind: FileKind = "Q4_K_M",
    imatrix: Annotated[
        Path | None,
        typer.Option(help="Importance matrix of this model, by `saliency` or llama-imatrix."),
    ] = None,
    tensor_type: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGEX=TYPE",
            help="A type for the tensors whose names fit; the first that fits counts.",
        ),
    ] = None,
    threads: Threads = 0,
    force: ForceGguf = False,
) -> None:
    """Convert a checkpoint to a GGUF file, whole or not at all."""
    from app.boards.detect import cores
    from converter.checkpoint import open_checkpoint
    from converter.cli.progress import progress_bar
    from converter.export import lay_out, write
    from converter.files import check_not_read
    from converter.imatrix import measured_on, read_imatrix
    from converter.material import calibrated, gather
    from converter.quantise import FileType, Override

    if out.suffix != ".gguf":
        raise UsageError(f"The output is named {out.name}; give it a name that ends in .gguf.")
    check_not_read(out, (checkpoint, *([imatrix] if imatrix else ())))
    file_type = FileType.parse(kind)
    quantised = ("a quantised --type", not file_type.is_float)
    check_partners(
        {
            "--imatrix": (imatrix is not None, *quantised),
            "--tensor-type": (bool(tensor_type), *quantised),
        }
    )
    material = gather(open_checkpoint(checkpoint))
    if imatrix is not None:
        material = calibrated(material, measured_on(imatrix))
    layout = lay_out(
        material,
        file_type,
        imatrix=None if imatrix is None else read_imatrix(imatrix),
        overrides=[Override.parse(text) for text in tensor_type or ()],
    )
    begun = time.monotonic()
    with progress_bar(f"Converting to {file_type.name}", layout.parameters) as advance:
        size = write(layout, out, threads=threads or cores(), force=force, progress=advance)
    _report(layout, out, size, time.monotonic() - begun)


def _report(layout: Layout, out: Path, size: int, seconds: float) -> None:
    from app.sanitise import one_line
    from converter.census import take_census
    from converter.cli.tables import census_lines, counted, sized

    census = take_census(
        (entry.kind.name, entry.elements, entry.nbytes) for entry in layout.entries
    )
    typer.echo(
        f"{one_line(str(out))}: {sized(size)}, {counted(layout.parameters)} parameters, "
        f"{census.bits_per_weight:.2f} bits each, in {seconds:.1f} s"
    )
    for line in census_lines(census):
        typer.echo(f"  {line}")
    for sentence in (*_fallback_sentences(layout), *layout.notes):
        typer.echo(sentence)


def _fallback_sentences(layout: Layout) -> list[str]:
    """What was stored as something else than the file type says, and why."""
    fallen = layout.fallbacks
    if not fallen:
        return []
    kinds = ", ".join(sorted({entry.kind.name for entry in fallen}))
    lengths = ", ".join(str(length) for length in sorted({entry.shape[-1] for entry in fallen}))
    return [
        f"{len(fallen)} of {len(layout.entries)} tensors fell back to {kinds}: "
        f"{layout.file_type.name} stores rows in blocks of {layout.block}, "
        f"and theirs ({lengths} weights) are no multiple of it."
    ]
