"""The checks' outcome, for people and for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence

from app.doctor.check import Check
from app.errors import CheckError


def lines(checks: Sequence[Check]) -> Iterator[str]:
    """A line for each check, and one below it for its advice."""
    width = max((len(check.state) for check in checks), default=0)
    for check in checks:
        yield f"{check.state:<{width}}  {check.id}: {check.found}"
        if check.advice:
            yield f"{'':<{width}}  {check.advice}"


def as_json(checks: Sequence[Check]) -> str:
    """All checks as one JSON object."""
    return json.dumps(
        {"checks": [dataclasses.asdict(check) for check in checks]}, ensure_ascii=False, indent=2
    )


def verdict(checks: Sequence[Check]) -> None:
    """Raises CheckError where something essential needs attention."""
    failing = [check.id for check in checks if check.state == "attention" and check.essential]
    if failing:
        raise CheckError(
            f"Bedside will not work well here before this is put right: {', '.join(failing)}."
        )
