"""`bedside safety check`: the red-flag rules over a table of sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from app.safety.table import Result, Score

_EMERGENCIES = ("call", "crisis")


def register(root: typer.Typer) -> None:
    """Adds the group to the root command."""
    group = typer.Typer(help="The red flags that are looked for before the model is asked.")
    group.callback()(lambda: None)  # so that `check` stays a word of its own
    group.command("check")(check)
    root.add_typer(group, name="safety")


def check(
    table: Annotated[Path, typer.Argument(help="Tabs between expect, mode, who, text and note.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
    require_recall: Annotated[
        float | None,
        typer.Option(
            "--require-recall",
            min=0,
            max=1,
            help="End with 6 where fewer of the rows that expect call or crisis are found.",
        ),
    ] = None,
) -> None:
    """Say which sentences the rules find, miss and raise for nothing."""
    from app.errors import CheckError

    scored = _scored(table)
    lines = [json.dumps(_as_json(scored), ensure_ascii=False)] if as_json else _lines(scored)
    for line in lines:
        typer.echo(line)
    recall = scored.recall(*_EMERGENCIES)
    if require_recall is not None and (recall or 0.0) < require_recall:
        raise CheckError(
            f"The rules find {_share(recall)} of the emergencies, and {require_recall:.1%} "
            "are required. Read the misses above."
        )


def _scored(table: Path) -> Score:
    from app.assistant.rulebook import red_flags
    from app.errors import BadInputError
    from app.safety.table import parse, score
    from app.sanitise import one_line
    from app.toml_file import read_written

    try:
        rows = parse(read_written(table))
    except ValueError as error:
        raise BadInputError(
            f"The file {one_line(str(table))} is no table of sentences: {one_line(str(error))}."
        ) from error
    return score(rows, red_flags())


def _lines(scored: Score) -> Iterator[str]:
    """The figures, then each sentence that went wrong."""
    from app.safety.table import EXPECTED

    for expect in EXPECTED:
        rows = scored.expecting(expect)
        if not rows:
            continue
        found = ", ".join(
            f"{scored.found_in(expect, one)} {one}" for one in EXPECTED if one != expect
        )
        right = scored.found_in(expect, expect)
        recall = "" if expect == "none" else f"  recall {_share(scored.recall(expect))}"
        yield f"{expect:<7}{right:>4} of {len(rows)} exact; taken for {found}{recall}"
    yield f"emergencies (call and crisis): recall {_share(scored.recall(*_EMERGENCIES))}"
    yield (
        f"false “call now”: {scored.found_in('none', 'call')} of {len(scored.expecting('none'))} "
        f"that need nothing, {scored.found_in('today', 'call')} of "
        f"{len(scored.expecting('today'))} for which today would do"
    )
    for title, wrong in (
        ("missed", [one for one in scored.results if one.missed]),
        ("false alarm", [one for one in scored.results if one.false_alarm]),
    ):
        yield from (_line(title, one) for one in wrong)


def _line(title: str, result: Result) -> str:
    from app.sanitise import one_line

    row = result.row
    known = " (known)" if row.known_miss else ""
    by = f" by {result.rule}" if result.rule else ""
    return (
        f"{title}{known}, line {row.line}: {row.expect} taken for {result.found}{by}: "
        f"{one_line(row.text, 300)}"
    )


def _as_json(scored: Score) -> dict[str, Any]:
    from app.safety.table import EXPECTED

    return {
        "rows": len(scored.results),
        "recall": {one: scored.recall(one) for one in EXPECTED if one != "none"},
        "recall_emergencies": scored.recall(*_EMERGENCIES),
        "confusion": {
            expect: {found: scored.found_in(expect, found) for found in EXPECTED}
            for expect in EXPECTED
        },
        "missed": [_entry(one) for one in scored.results if one.missed],
        "false_alarms": [_entry(one) for one in scored.results if one.false_alarm],
    }


def _entry(result: Result) -> dict[str, Any]:
    row = result.row
    return {
        "line": row.line,
        "expect": row.expect,
        "found": result.found,
        "rule": result.rule,
        "known_miss": row.known_miss,
        "text": row.text,
    }


def _share(value: float | None) -> str:
    return "not measured (no rows)" if value is None else f"{value:.1%}"
