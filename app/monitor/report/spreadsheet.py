"""Runs as CSV: a line for each sample and a line for each answer, told apart by a column."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence

from app.monitor.logreader import RunLog
from app.monitor.runlog import Sample, TurnRecord

_SAMPLE = tuple(field.name for field in dataclasses.fields(Sample))
_TURN = tuple(field.name for field in dataclasses.fields(TurnRecord))


def spreadsheet(logs: Sequence[RunLog]) -> str:
    """All samples and answers of the runs; what a line does not have stays empty."""
    out = io.StringIO()
    names = ["run", "record", *_SAMPLE, *(name for name in _TURN if name not in _SAMPLE)]
    writer = csv.DictWriter(out, names, lineterminator="\n", restval="")
    writer.writeheader()
    for log in logs:
        run = log.header.id
        for sample in log.samples:
            writer.writerow({"run": run, "record": "sample", **dataclasses.asdict(sample)})
        for turn in log.turns:
            writer.writerow({"run": run, "record": "turn", **dataclasses.asdict(turn)})
    return out.getvalue()
