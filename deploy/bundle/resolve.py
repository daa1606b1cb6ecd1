"""What pip would install on a board, found out on a workstation.

pip is told of every platform tag that a board accepts: it derives none from another, and with the
newest alone it finds nothing. It judges a requirement's environment marker by the Python that it
runs on, so what it chose is checked once more, each requirement judged as the board's Python will.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app.errors import ResourceError
from app.sanitise import one_line
from deploy.bundle.libraries import NEWEST
from deploy.bundle.pins import Pin
from deploy.bundle.workplace import Workplace


@dataclass(frozen=True, slots=True)
class Chosen:
    """A package that pip chose."""

    pin: Pin
    requires: tuple[str, ...]
    """Its own requirements, with their markers."""


def platform_options(python: str) -> list[str]:
    """How pip is told to choose for a board: every tag from the newest glibc to the oldest."""
    major, newest = NEWEST["GLIBC"]
    tags = [f"manylinux_{major}_{minor}_aarch64" for minor in range(newest, 16, -1)]
    tags += ["manylinux2014_aarch64", "linux_aarch64"]
    options = ["--only-binary=:all:", "--implementation", "cp", "--python-version", python]
    return [*options, *(part for tag in tags for part in ("--platform", tag))]


def resolve(place: Workplace, requirements: Sequence[str], options: Sequence[str]) -> list[Chosen]:
    """What pip would install for these requirements, from the index as it is today.

    Raises:
        ResourceError: no set of packages fits, or the index cannot be reached.
    """
    report = place.made("lock") / "report.json"
    how = ["--dry-run", "--ignore-installed", "--quiet", "--report", str(report)]
    place.pip("install", *how, *options, *requirements)
    return [_chosen(item) for item in json.loads(report.read_bytes())["install"]]


def resolve_board(place: Workplace, python: str, requirements: Iterable[str]) -> list[Chosen]:
    """The packages of a board with this Python, checked to be complete there.

    Raises:
        ResourceError: as `resolve`; or a package is lacking on that Python.
    """
    environment = board_environment(python)
    wanted = [_unmarked(text) for text in requirements if _applies(Requirement(text), environment)]
    chosen = resolve(place, wanted, platform_options(python))
    check_complete(chosen, environment)
    return chosen


def board_environment(python: str) -> dict[str, str]:
    """What an environment marker sees on a board."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": "aarch64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "extra": "",
    }


def check_complete(chosen: Sequence[Chosen], environment: dict[str, str]) -> None:
    """See that every requirement of these packages is met by one of them.

    Raises:
        ResourceError: one is not met; the sentence names it.
    """
    versions = {one.pin.project: one.pin.version for one in chosen}
    for package in chosen:
        for text in package.requires:
            needed = Requirement(text)
            found = versions.get(canonicalize_name(needed.name))
            if _applies(needed, environment) and not (found and needed.specifier.contains(found)):
                raise ResourceError(
                    f"The lock for Python {environment['python_version']} is not complete: "
                    f"{package.pin.project} needs {one_line(text)}. Renew the locks with "
                    "`python -m deploy.bundle lock`; where that says the same, name it there."
                )


def _applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment)


def _unmarked(text: str) -> str:
    return text.partition(";")[0].strip()


def _chosen(item: dict[str, Any]) -> Chosen:
    metadata = item["metadata"]
    sha256 = item["download_info"]["archive_info"]["hashes"]["sha256"]
    pin = Pin(canonicalize_name(metadata["name"]), metadata["version"], sha256)
    return Chosen(pin, tuple(metadata.get("requires_dist", ())))
