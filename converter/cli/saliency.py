"""`bedside-convert saliency`: what a model's parts do on given text."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from app.errors import INTERRUPTED
from converter.cli.options import Chunk, Field, General, Memory, Share, TextSeed, Threads

if TYPE_CHECKING:
    from converter.cut.saliency import Saliency


def saliency(  # noqa: PLR0913 - each parameter is an option of the command
    model: Annotated[Path, typer.Argument(help="A checkpoint folder or a GGUF file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The saliency file to write.")],
    text: Annotated[
        list[Path],
        typer.Option(help="Text of the domain: plain, JSON lines, or either in .gz; repeatable."),
    ],
    general: General = None,
    share: Share = 0.75,
    field: Field = None,
    tokens: Annotated[int, typer.Option(help="At most so many tokens.")] = 65536,
    chunk: Chunk = 512,
    seed: TextSeed = 0,
    covariance: Annotated[
        str, typer.Option(help="Layers whose covariances are kept: none, all, or `0-3 7`.")
    ] = "none",
    memory: Memory = "4GiB",
    cache: Annotated[
        Path | None, typer.Option(help="Folder for the file a checkpoint is run from.")
    ] = None,
    threads: Threads = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the output if it exists.")
    ] = False,
) -> None:
    """Measure on text what each neuron, head and layer does; Ctrl-C keeps what was measured."""
    from converter.cli.plan import parse_bytes
    from converter.cli.progress import progress_bar
    from converter.cli.shop import workshop
    from converter.cut.measuring import Calibration, measure
    from converter.cut.saliency_file import write_saliency
    from converter.cut.source import source_hash
    from converter.files import check_not_read, check_output
    from converter.stages import runnable
    from converter.texts import Sample, read_texts

    check_output(out, force=force)
    check_not_read(out, (model, *text, *(general or ())))
    allowed = parse_bytes(memory, "--memory")
    sample = Sample(chunk, tokens, share if general else 1.0, seed)
    sample.check()
    texts = Calibration(read_texts(text, field), read_texts(general or [], field), sample)
    sha256 = source_hash(model)
    file = runnable(workshop(cache, threads), model, sha256)
    begun = time.monotonic()
    with progress_bar("Measuring", tokens) as advance, _first_interrupt() as stopped:
        found = measure(
            file,
            sha256,
            texts,
            covariances=_layers(covariance, file),
            memory=allowed,
            threads=threads,
            progress=advance,
            stopped=stopped,
        )
    write_saliency(out, found)
    _report(found, out, time.monotonic() - begun)
    if not found.complete:
        raise typer.Exit(INTERRUPTED)


def _layers(covariance: str, file: Path) -> tuple[int, ...]:
    """The layers named on the command line."""
    from app.engine.modelfile import read_header
    from converter.cut.measuring import layer_count
    from converter.cut.plan import parse_ranges

    if covariance == "all":
        return tuple(range(layer_count(read_header(file))))
    return () if covariance == "none" else parse_ranges(covariance, "--covariance")


@contextlib.contextmanager
def _first_interrupt() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed: the first asks for an end after the chunk, the second ends."""
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _report(found: Saliency, out: Path, seconds: float) -> None:
    from app.sanitise import one_line

    typer.echo(
        f"{one_line(str(out))}: {found.tokens:,} tokens in {seconds:.1f} s "
        f"({found.tokens / seconds:,.0f} a second), {found.domain_share:.0%} of the domain"
    )
    if not found.complete:
        typer.echo("It was stopped early; the file holds what was measured until then.")
    for number, layer in enumerate(found.layers):
        typer.echo(f"  layer {number:>3}  turn {layer.turn:.4f}")
