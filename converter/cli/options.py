"""Options that several commands share, declared once, and what each of them needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from app.errors import UsageError

FileKind = Annotated[
    str,
    typer.Option("--type", "-t", help="F32, F16, BF16, Q8_0, Q2_K to Q6_K, IQ2_XXS to IQ4_NL."),
]
General = Annotated[
    list[Path] | None, typer.Option(help="General text, mixed in as --share says; repeatable.")
]
Share = Annotated[float, typer.Option(help="Share of domain text where general is given.")]
Field = Annotated[str | None, typer.Option(help="The field of JSON lines to read.")]
Chunk = Annotated[int, typer.Option(help="Tokens in a chunk.")]
TextSeed = Annotated[
    int,
    typer.Option(min=-(2**31), max=2**31 - 1, help="Decides which documents are read."),
]
Window = Annotated[int, typer.Option("--context", help="Tokens in a window.")]
Windows = Annotated[int, typer.Option("--chunks", help="Windows at most; 0 for all.")]

Neurons = Annotated[float, typer.Option(help="Share of the neurons to cut away.")]
Heads = Annotated[float, typer.Option(help="Share of the heads to cut away.")]
Layers = Annotated[int, typer.Option(min=0, help="How many layers to leave out.")]
Bytes = Annotated[
    str | None, typer.Option("--bytes", help="Cut neurons until the file has at most: 1.2GB.")
]
Speed = Annotated[
    float | None, typer.Option(help="Cut neurons until --board decodes so many tokens/s.")
]
BoardOfSpeed = Annotated[str | None, typer.Option(help="The board of --speed: pi5-8gb …")]
LayersBy = Annotated[str, typer.Option(help="turn (least first), block (contiguous) or random.")]
PerLayer = Annotated[
    bool, typer.Option("--per-layer", help="Let layers differ in width and heads.")
]

Memory = Annotated[
    str, typer.Option(help="Covariances that need more are summed in several passes.")
]
CacheFolder = Annotated[
    Path | None, typer.Option(help="Folder for what can be reused; default: the user's cache.")
]
Threads = Annotated[int, typer.Option(min=0, max=1024, help="How many to use; 0 for one per CPU.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
ForceGguf = Annotated[bool, typer.Option("--force", help="Replace OUT.gguf if it exists.")]


def check_partners(options: Mapping[str, tuple[bool, str, bool]]) -> None:
    """Refuse an option that would do nothing without another.

    Args:
        options: option to whether it is given, what it needs, and whether that is there.

    Raises:
        UsageError: one is given whose partner is not.
    """
    for option, (given, partner, there) in options.items():
        if given and not there:
            raise UsageError(f"{option} does nothing without {partner}; give both, or neither.")
