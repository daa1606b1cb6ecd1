"""Locks: what they say is what pip is told, and nothing in them goes unpinned."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app.errors import BadInputError
from app.releases.manifest import PYTHONS
from app.toml_file import read_toml
from deploy.bundle.lock import EXTRAS, LLAMA
from deploy.bundle.pins import BUILD, PIP, SOURCES, TOOLS, Pin, board_lock, read_lock, write_lock
from deploy.bundle.resolve import board_environment
from tests.shared import ROOT

ONE = Pin("toy", "1.0", "ab" * 32)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    pins = [Pin("other-toy", "2.0", "cd" * 32), ONE]
    write_lock("toys.txt", reversed(pins), "Toys.", tmp_path)
    assert read_lock("toys.txt", tmp_path) == pins
    assert (tmp_path / "toys.txt").read_text().startswith("# Toys.\n")


@pytest.mark.parametrize(
    "line", ["toy==1.0", "toy --hash=sha256:" + "ab" * 32, f"{ONE.line()} ; x", "-r more.txt"]
)
def test_a_line_that_pins_nothing(tmp_path: Path, line: str) -> None:
    (tmp_path / "toys.txt").write_text(f"{ONE.line()}\n{line}\n")
    with pytest.raises(BadInputError, match=r"toys\.txt has a line that pins nothing"):
        read_lock("toys.txt", tmp_path)


def test_no_lock(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"deploy\.bundle lock"):
        read_lock("toys.txt", tmp_path)


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_what_the_project_asks_for(python: str) -> None:
    """Renewing was not forgotten when pyproject.toml changed."""
    project = read_toml(ROOT / "pyproject.toml")["project"]
    assert isinstance(project, dict)
    extras = [one for extra in EXTRAS for one in project["optional-dependencies"][extra]]
    pins = {pin.project: pin.version for pin in read_lock(board_lock(python))}
    pins |= {pin.project: pin.version for pin in read_lock(SOURCES)}
    for text in [*project["dependencies"], *extras]:
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate(board_environment(python)):
            found = pins.get(canonicalize_name(wanted.name), "none")
            assert wanted.specifier.contains(found), f"{text}: the lock has {found}"


def test_what_stays_on_the_workstation() -> None:
    """Packages that are there to reach a network, and the converter's, travel in no bundle."""
    online = {"requests", "urllib3", "certifi", "idna", "charset-normalizer", "gguf", "torch"}
    for python in PYTHONS:
        assert not online & {pin.project for pin in read_lock(board_lock(python))}


def test_the_other_locks() -> None:
    assert [pin.project for pin in read_lock(SOURCES)] == [LLAMA]
    assert [pin.project for pin in read_lock(PIP)] == ["pip"]
    wanted = {"scikit-build-core", "cmake", "ninja", "packaging", "pathspec"}
    assert wanted | {"hatchling", "pip"} <= {pin.project for pin in read_lock(TOOLS)}
    on_310 = {"tomli", "exceptiongroup", "typing-extensions"}
    assert wanted | on_310 == {pin.project for pin in read_lock(BUILD)}
