"""Bedside's own sources as a bundle ships them: a commit, never what lies about in the checkout."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.releases.versions import is_version
from app.sanitise import one_line
from deploy.bundle.tools import run
from deploy.bundle.workplace import CHECKOUT, Workplace

_VERSION = re.compile(r'^version = "([^"\n]+)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """A commit's files in a folder of their own."""

    folder: Path
    commit: str
    """40 hex digits."""
    epoch: int
    """When it was committed, in seconds since 1970: the time of everything that is built of it."""
    version: str
    left_out: bool
    """Whether the checkout has changes that are not committed, and so not in this."""


def export(place: Workplace, version: str = "", checkout: Path = CHECKOUT) -> Source:
    """The sources of the checkout's last commit.

    Args:
        place: they are unpacked into its folder `source`.
        version: what they shall call themselves, where it is not what they say: for an update to
            be tried before there is a newer version.
        checkout: a Git checkout.

    Raises:
        UsageError: it is no Git checkout, or that is no version.
    """
    commit = _git(checkout, "rev-parse", "HEAD")
    folder = place.emptied("source")
    archive = folder.with_suffix(".tar")
    _git(checkout, "archive", "--format=tar", f"--output={archive}", commit)
    run(["tar", "-xf", archive, "-C", folder], environment=os.environ)
    project = folder / "pyproject.toml"
    text = project.read_text()
    found = _VERSION.search(text)
    named = version or (found.group(1) if found else "")
    if found is None or not is_version(named):
        raise UsageError(f"“{one_line(named)}” is no version: it must be as 1.2.3 or 1.2.3rc4.")
    project.write_text(_VERSION.sub(f'version = "{named}"', text, count=1))
    return Source(
        folder=folder,
        commit=commit,
        epoch=int(_git(checkout, "log", "-1", "--format=%ct", commit)),
        version=named,
        left_out=bool(_git(checkout, "status", "--porcelain", "--untracked-files=no")),
    )


def _git(checkout: Path, *arguments: str) -> str:
    return run(["git", "-C", checkout, *arguments], environment=os.environ).strip()
