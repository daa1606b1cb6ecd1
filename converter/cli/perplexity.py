"""`bedside-convert perplexity`: how well a model foresees a text."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from converter.cli.options import AsJson, Field, Threads, Window, Windows


def perplexity(
    model: Annotated[Path, typer.Argument(metavar="MODEL.gguf", help="The file to measure.")],
    text: Annotated[
        list[Path],
        typer.Option(help="Text file: plain, JSON lines, or either in .gz; may be repeated."),
    ],
    field: Field = None,
    context: Window = 512,
    stride: Annotated[
        int, typer.Option(help="Tokens from window to window; 0 puts them side by side.")
    ] = 0,
    chunks: Windows = 0,
    threads: Threads = 0,
    as_json: AsJson = False,
) -> None:
    """Measure perplexity on text, scored as llama-perplexity does it."""
    from app.sanitise import one_line
    from converter.cli.progress import progress_bar
    from converter.measure import Windows
    from converter.measure import perplexity as measure
    from converter.texts import read_texts

    documents = read_texts(text, field)
    windows = Windows(context, stride, chunks)
    with progress_bar("Measuring perplexity", 1) as advance:
        found = measure(model, documents, windows, threads=threads, progress=advance)
    sources = {document.source.path: document.source.sha256 for document in documents}
    if as_json:
        record = {"perplexity": found.value, "error": found.error, **asdict(found)}
        typer.echo(json.dumps({**record, "texts": sources}, indent=2))
        return
    typer.echo(f"perplexity {found.value:.4f} ± {found.error:.4f} (log {found.nll:.4f})")
    typer.echo(
        f"context {found.context}, stride {found.stride}, chunks {found.chunks}, "
        f"tokens scored {found.tokens:,}"
    )
    typer.echo(f"corpus {found.corpus_sha256}")
    for path, sha256 in sources.items():
        typer.echo(f"  {one_line(path)}: {sha256}")
