"""The cache: nothing is made twice, and nothing that is not whole is believed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import BadInputError, ResourceError
from converter.cache import Cache


def writer(content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(content)

    return make


def never(path: Path) -> None:
    raise AssertionError(f"{path} was made again")


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    first = cache.get("cut", ".gguf", {"source": "a", "seed": 1}, writer(b"made"))
    assert first.read_bytes() == b"made"
    assert cache.get("cut", ".gguf", {"seed": 1, "source": "a"}, never) == first
    assert (cache.made, cache.found) == (["cut"], ["cut"])
    again = Cache(tmp_path / "cache")
    assert again.get("cut", ".gguf", {"source": "a", "seed": 1}, never) == first
    assert (again.made, again.found) == ([], ["cut"])


@pytest.mark.parametrize("inputs", [{"source": "b"}, {"source": "a", "seed": 2}, {}])
def test_other_inputs_or_stages_are_other_entries(
    inputs: dict[str, object], tmp_path: Path
) -> None:
    cache = Cache(tmp_path)
    first = cache.get("cut", ".gguf", {"source": "a"}, writer(b"one"))
    assert cache.get("cut", ".gguf", inputs, writer(b"two")) != first
    assert cache.get("plan", ".gguf", {"source": "a"}, writer(b"three")) != first
    assert cache.made == ["cut", "cut", "plan"]


def _cut_short(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:-1])


def _rot(entry: Path) -> None:
    entry.write_bytes(b"m\x00de")


def _unseal(entry: Path) -> None:
    entry.with_name(f"{entry.name}.sha256").unlink()


def _break_the_seal(entry: Path) -> None:
    entry.with_name(f"{entry.name}.sha256").write_bytes(b"\xff\x00")


@pytest.mark.parametrize("damage", [_cut_short, _rot, _unseal, _break_the_seal, Path.unlink])
def test_an_entry_that_is_not_whole_is_made_again(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    cache = Cache(tmp_path)
    entry = cache.get("saliency", ".gguf", {}, writer(b"made"))
    damage(entry)
    assert cache.get("saliency", ".gguf", {}, writer(b"made")).read_bytes() == b"made"
    assert cache.made == ["saliency", "saliency"]
    assert cache.get("saliency", ".gguf", {}, never) == entry


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BadInputError("NaN."), OSError(28, "full")])
def test_a_stage_that_is_stopped_leaves_nothing(error: BaseException, tmp_path: Path) -> None:
    def stopped(path: Path) -> None:
        path.write_bytes(b"half")
        raise error

    cache = Cache(tmp_path)
    with pytest.raises(type(error)):
        cache.get("cut", ".gguf", {}, stopped)
    assert list(tmp_path.iterdir()) == []
    assert cache.made == []


KILLED = """
import os, pathlib, signal, sys
from converter.cache import Cache
from converter.files import whole_file
def killed(part):
    with whole_file(part) as file:
        file.write(b"half")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
Cache(pathlib.Path(sys.argv[1])).get("cut", ".gguf", {}, killed)
"""


def test_what_a_killed_run_had_begun_is_removed_with_the_next_stage(tmp_path: Path) -> None:
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)]).returncode == -9
    (left,) = tmp_path.iterdir()
    assert left.read_bytes() == b"half"
    entry = Cache(tmp_path).get("plan", ".json", {}, writer(b"made"))
    assert {path.name for path in tmp_path.iterdir()} == {entry.name, f"{entry.name}.sha256"}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ResourceError, match="--cache"):
        Cache(tmp_path / "file" / "cache").get("cut", ".gguf", {}, writer(b"made"))
