"""Renewing the locks: what a bundle downloads, by version and hash, until somebody renews them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

from app.releases.manifest import PYTHONS
from app.toml_file import read_toml
from deploy.bundle.pins import BUILD, PIP, SOURCES, TOOLS, board_lock, write_lock
from deploy.bundle.resolve import Chosen, platform_options, resolve, resolve_board
from deploy.bundle.workplace import CHECKOUT, Workplace

LLAMA: Final = "llama-cpp-python"
EXTRAS: Final = ("pdf",)
"""Bedside's extras that a board gets; the converter's stay on the workstation."""

_BUILD_TOOLS = ["scikit-build-core>=1.1,<2", "ninja", "cmake>=3.21"]
_PYTHON_310 = ["tomli", "exceptiongroup", "typing-extensions"]
"""What scikit-build-core needs besides on JetPack 6's Python, whichever Python resolves this."""
_WHEELS = ["--only-binary=:all:"]
_SOURCE = ["--no-deps", "--no-build-isolation", "--no-binary", LLAMA]


def renew(place: Workplace, project: Path = CHECKOUT / "pyproject.toml") -> Iterator[str]:
    """Writes every lock anew, and yields the name of each when it is there.

    Raises:
        UsageError, ResourceError: no set of packages fits, or the index cannot be reached.
    """
    place.make_tools()
    needed = _requirements(read_toml(project))
    (source,) = resolve(place, [one for one in needed if _is_llama(one)], _SOURCE)
    yield _write(SOURCES, [source], "The source of the llama.cpp in a bundle.")
    own = [one for one in source.requires if "extra ==" not in one]
    runtime = [*own, *(one for one in needed if not _is_llama(one))]
    for python in PYTHONS:
        chosen = resolve_board(place, python, runtime)
        yield _write(board_lock(python), chosen, f"What runs on a board with CPython {python}.")
    yield _write(PIP, resolve(place, ["pip"], _WHEELS), "What installs the rest on a board.")
    build = resolve(place, [*_BUILD_TOOLS, *_PYTHON_310], platform_options(PYTHONS[0]))
    yield _write(BUILD, build, "What builds llama.cpp for CUDA on an Orin with JetPack 6.")
    tools = resolve(place, [*_BUILD_TOOLS, "hatchling>=1.24,<2", "pip"], _WHEELS)
    yield _write(TOOLS, tools, "What builds a bundle on x86-64.")


def _requirements(project: Mapping[str, Any]) -> list[str]:
    """What Bedside asks for on a board."""
    table = project["project"]
    extras = table["optional-dependencies"]
    return [*table["dependencies"], *(one for extra in EXTRAS for one in extras[extra])]


def _is_llama(requirement: str) -> bool:
    return Requirement(requirement).name == LLAMA


def _write(name: str, chosen: Sequence[Chosen], about: str) -> str:
    write_lock(name, [one.pin for one in chosen], about)
    return name
