"""Bedside's own wheel: the same bytes for the same commit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from app.errors import BadInputError
from deploy.bundle.source import Source
from deploy.bundle.wheelfile import read_wheel
from deploy.bundle.workplace import Workplace

NEEDED: Final = (
    "app/knowledge/cards/stroke.md",
    "app/knowledge/questions.toml",
    "app/knowledge/thesaurus.toml",
    "app/safety/rules.toml",
    "share/bedside/models/catalog.toml",
)
"""Files that are no code and that the program reads when it runs: one of each kind."""


def build(place: Workplace, source: Source) -> Path:
    """Builds the wheel with hatchling, which sorts its files and takes their time from the commit.

    Raises:
        ResourceError: it could not be built.
        BadInputError: something that the program reads is not in it.
    """
    out = place.emptied("own")
    place.pip(
        "wheel",
        "--quiet",
        "--no-build-isolation",
        "--no-deps",
        f"--wheel-dir={out}",
        source.folder,
        SOURCE_DATE_EPOCH=str(source.epoch),
    )
    (wheel,) = out.glob("*.whl")
    names = read_wheel(wheel).keys()
    lacking = [one for one in NEEDED if not any(name.endswith(one) for name in names)]
    if lacking:
        raise BadInputError(
            f"Bedside's wheel lacks {lacking[0]}, without which it does not run. "
            "See [tool.hatch] in pyproject.toml."
        )
    return wheel
