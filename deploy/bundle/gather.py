"""Everything that a bundle is made of, fetched, built and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.catalog.entry import Entry
from app.releases.manifest import PYTHONS, BundledModel
from deploy.bundle import own
from deploy.bundle.contents import Wheels, find_model
from deploy.bundle.cross import Llama, cross_build
from deploy.bundle.download import fetch
from deploy.bundle.libraries import Needs, check_wheels
from deploy.bundle.order import Order
from deploy.bundle.pins import PIP, SOURCES, Pin, board_lock
from deploy.bundle.resolve import Chosen, board_environment, check_complete, platform_options
from deploy.bundle.source import Source, export
from deploy.bundle.wheelfile import requirements, wheel_name
from deploy.bundle.workplace import Workplace

FROM_SOURCE = ("--no-binary=:all:", "--no-build-isolation")

Tell = Callable[[str], None]
"""Gets a line for whoever watches."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The parts, each checked."""

    source: Source
    wheels: Wheels
    llama: Llama
    needs: Needs
    model: BundledModel
    entry: Entry
    """Of the model in the catalogue."""


def gather(order: Order, place: Workplace, tell: Tell) -> Gathered:
    """Fetches, builds and checks.

    Raises:
        UsageError: a tool is not installed, or the catalogue does not know the model.
        BadInputError: a part would not run on the board.
        ResourceError: a download, the compiler or the disk failed.
    """
    place.make_tools()
    source = export(place, order.version)
    tell(f"Bedside {source.version} of commit {source.commit[:12]} for {order.board}.")
    if source.left_out:
        tell("NOTE: the checkout has changes that are not committed; they are not in the bundle.")
    model, entry = find_model(order.model, source.folder / "models" / "catalog.toml")
    tell("Fetching what the locks name.")
    boards = {
        python: tuple(fetch(place, board_lock(python), platform_options(python)))
        for python in PYTHONS
    }
    (pip,) = fetch(place, PIP, ["--only-binary=:all:"])
    (sdist,) = fetch(place, SOURCES, FROM_SOURCE)
    tell("Cross-building llama.cpp: some three minutes where the cache does not have it.")
    llama = cross_build(place, sdist)
    wheels = Wheels(own.build(place, source), llama.wheel, pip, boards)
    for python in PYTHONS:
        check_complete([_as_chosen(path) for path in wheels.of(python)], board_environment(python))
    needs = check_wheels(wheels.every())
    tell(
        f"Checked {needs.libraries} libraries: each is for aarch64, aligned to 64 KiB, and needs "
        f"at most GLIBC {dotted(needs.glibc)} and GLIBCXX {dotted(needs.glibcxx)}."
    )
    return Gathered(source, wheels, llama, needs, model, entry)


def _as_chosen(wheel: Path) -> Chosen:
    name = wheel_name(wheel)
    return Chosen(Pin(name.project, name.version, ""), requirements(wheel))


def dotted(version: tuple[int, ...]) -> str:
    """`2.34` for (2, 34)."""
    return ".".join(map(str, version))
