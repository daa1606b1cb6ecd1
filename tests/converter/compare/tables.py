"""Hand-made rows and tables."""

from __future__ import annotations

from dataclasses import replace

from converter.compare.table import Corpus, Role, Row, Score, Table
from converter.speed import Speed


def row(name: str, megabytes: float, perplexity: float, role: Role = "ladder") -> Row:
    return Row(
        name=name,
        role=role,
        nbytes=round(megabytes * 1e6),
        bits_per_weight=4.5,
        parameters=1_000_000,
        scores=(Score(perplexity, 0.1), Score(2 * perplexity, 0.2)),
    )


RIVALS = (
    row("Q8_0", 32, 8.0),
    row("Q4_K_M", 16, 8.2),
    row("Q3_K_M", 14, 9.5),
    row("IQ4_XS by importance", 14, 8.4, "weighed"),
    row("Q2_K", 8, 16.8),
)


def table(*candidates: Row, speed: bool = False) -> Table:
    rows = (row("full model", 60, 7.9, "full"), *RIVALS, *candidates)
    if speed:
        timed = Speed(1234.6, 99.6, 150_000_000, 2, 256, 48, True)
        rows = tuple(replace(one, speed=timed) for one in rows)
    return Table(
        rows=rows,
        corpora=(
            Corpus("medquad_val", "a" * 64, 40, 10200, 0.129),
            Corpus("general_val", "b" * 64, 40, 10200, None),
        ),
        context=512,
        full="medquad-29m",
        full_sha256="c" * 64,
        calibration=("d" * 64,),
        versions={"llama-cpp-python": "0.3.36"},
    )
