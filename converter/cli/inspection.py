"""`bedside-convert inspect`: what a GGUF file or a checkpoint holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from converter.cli.options import AsJson

if TYPE_CHECKING:
    from converter.inspection import Inspection


def inspect(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A GGUF file or checkpoint folder.")],
    as_json: AsJson = False,
) -> None:
    """Print what a GGUF file or a checkpoint holds."""
    from converter.inspection import inspect as look

    found = look(path)
    if as_json:
        typer.echo(json.dumps(_record(found), ensure_ascii=False, indent=2))
        return
    for line in _lines(found):
        typer.echo(line)


def _record(found: Inspection) -> dict[str, object]:
    record = asdict(found)
    record["census"] = record["census"]["shares"]
    record["parameters"] = found.census.parameters
    record["bits_per_weight"] = round(found.census.bits_per_weight, 4)
    return record


def _lines(found: Inspection) -> Iterator[str]:
    from converter.cli.tables import census_lines, counted, sized

    yield f"{found.form}, {sized(found.nbytes)}"
    yield f"architecture: {found.architecture}"
    yield (
        f"parameters: {found.census.parameters:,} ({counted(found.census.parameters)}), "
        f"{found.census.bits_per_weight:.2f} bits each"
    )
    for name, value in found.shapes.items():
        yield f"{name}: {value}"
    yield "types:"
    for line in census_lines(found.census):
        yield f"  {line}"
    yield from _section("tokenizer", found.tokenizer)
    yield "chat template:" if found.template else "chat template: none"
    for line in (found.template or "").splitlines():
        yield f"  {line}"
    yield from _section("sampling defaults", found.sampling)
    yield from _section("provenance", found.provenance)


def _section(title: str, values: Mapping[str, str | int | float]) -> Iterator[str]:
    yield f"{title}:" if values else f"{title}: none"
    for name, value in values.items():
        yield f"  {name}: {value}"
