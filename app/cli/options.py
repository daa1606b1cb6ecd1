"""Options that several commands share, declared once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer

Model = Annotated[
    str | None,
    typer.Option("--model", "-m", help="A name from `bedside models list`, or a .gguf file."),
]
Board = Annotated[
    str | None, typer.Option("--board", help="Board profile; found out when not given.")
]
Context = Annotated[
    int | None, typer.Option("--context", min=0, help="Tokens that the model sees at once.")
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Settings file in place of the usual one.")
]
NoLog = Annotated[bool, typer.Option("--no-log", help="Write no log of counts and times.")]
IgnoreMemory = Annotated[
    bool,
    typer.Option("--ignore-memory", help="Load the model even if it seems not to fit."),
]
Plain = Annotated[
    bool, typer.Option("--plain", help="Line by line, for screen readers and simple terminals.")
]

Kiosk = Annotated[
    bool,
    typer.Option("--kiosk", help="A screen that strangers share: wiped between two of them."),
]


def watts(text: str) -> float:
    """`6.3W` as watts, as Typer wants it said when it is none."""
    from app.monitor.watts import parse_watts

    try:
        return parse_watts(text)
    except ValueError as error:
        raise typer.BadParameter("give watts, as 6.3W or 6300mW") from error


PowerBudget = Annotated[
    float | None,
    typer.Option(
        "--power-budget",
        parser=watts,
        metavar="WATTS",
        help="Answer more slowly where the mean power would exceed this, as 6.3W.",
    ),
]


@dataclass(frozen=True, slots=True)
class Choices:
    """What was given on the command line; None and False leave the settings as they are."""

    model: str | None = None
    board: str | None = None
    context: int | None = None
    config: Path | None = None
    no_log: bool = False
    ignore_memory: bool = False
    sampling: tuple[tuple[str, float | None], ...] = ()
    """Names of sampling settings with their values."""
    power_budget: float | None = None
    """Watts."""
    kiosk: bool = False

    def over(self, earlier: Choices | None) -> Choices:
        """These; where one was not given, what stood in front of the command."""
        if earlier is None:
            return self
        given = {name: value for name, value in _fields(self) if value}
        return replace(earlier, **given)

    def settings(self) -> dict[str, object]:
        """As dotted keys of the configuration."""
        log = {"monitor.log": False} if self.no_log else {}
        sampling = {f"sampling.{name}": value for name, value in self.sampling}
        top = {"model": self.model, "board": self.board, "context": self.context}
        return {**top, **log, **sampling}


def _fields(choices: Choices) -> Iterator[tuple[str, Any]]:
    return ((one.name, getattr(choices, one.name)) for one in fields(choices))
