"""Makes a release's own Python environment, offline, without pip or ensurepip of the system.

Debian and Ubuntu ship Python without the wheels that `python -m venv` wants for pip; without pip
it needs nothing but the standard library. A wheel of pip then installs the rest, as a zip file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from app.errors import BadInputError, ResourceError
from app.releases import bundle
from app.releases.commands import MISSING, Outcome, Run
from app.releases.manifest import Manifest

_SECONDS = 1800
"""On an SD card pip takes minutes; under emulation many."""


def make_environment(run: Run, copy: Path, manifest: Manifest, place: Path) -> None:
    """Makes the environment at its final place: its scripts name their own path.

    Args:
        run: calls programs.
        copy: the verified copy of the bundle.
        manifest: of the bundle.
        place: the folder to make.

    Raises:
        ResourceError: the disk is full.
        BadInputError: the bundle lacks a package for this Python, or one is not what its lock says.
    """
    made = run(
        [str(base_python()), "-I", "-m", "venv", "--without-pip", str(place)], seconds=_SECONDS
    )
    if not made.ok:
        raise _complaint(made, "A Python environment")
    pip = copy / bundle.pip_wheels(manifest.files)[0] / "pip"
    installed = run(
        [
            *(str(place / "bin/python"), "-I", str(pip), "install"),
            *("--no-index", "--no-cache-dir", "--no-deps", "--require-hashes", "--no-input"),
            *("--disable-pip-version-check", "--find-links", str(copy / "wheels")),
            *("--requirement", str(copy / bundle.lock_of(running_python()))),
        ],
        seconds=_SECONDS,
    )
    if not installed.ok:
        raise _complaint(installed, "The packages of the bundle")


def running_python() -> str:
    """The version of Python that runs this, as `3.11`."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def base_python() -> Path:
    """The system's Python behind the environment that runs this, if one does."""
    return Path(sys.base_prefix, "bin", f"python{running_python()}")


def _complaint(outcome: Outcome, what: str) -> BadInputError | ResourceError:
    if "No space left" in outcome.errors + outcome.output:
        return ResourceError(f"{what} found no room on the disk. Make room, then try again.")
    if outcome.status == MISSING:
        return ResourceError(f"{what} could not be made: {outcome.reason}. Reinstall Python.")
    return BadInputError(
        f"{what} could not be installed: {outcome.reason}. Build the bundle again."
    )
