"""What is fetched: by its hash, once, and nothing in its place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.errors import ResourceError
from deploy.bundle import download
from deploy.bundle.download import fetch
from deploy.bundle.pins import LOCKS, Pin
from deploy.bundle.workplace import Workplace

LOCKED = {"b-1.whl": b"second", "a-1.whl": b"first"}
OPTIONS = ("--only-binary=:all:", "--python-version=3.11")


@dataclass(frozen=True, slots=True)
class Index(Workplace):
    """A place whose pip gives what a test's index has, and whose calls can be read."""

    gives: Mapping[str, bytes] = field(default_factory=dict)
    calls: list[list[str]] = field(default_factory=list)

    def pip(self, *arguments: str | Path, log: Path | None = None, **more: str) -> str:
        self.calls.append(list(map(str, arguments)))
        (into,) = [one.partition("=")[2] for one in self.calls[-1] if "--dest=" in one]
        for name, content in self.gives.items():
            Path(into, name).write_bytes(content)
        return ""


@pytest.fixture(autouse=True)
def _lock(monkeypatch: pytest.MonkeyPatch) -> None:
    pins = [
        Pin(name[0], "1", hashlib.sha256(content).hexdigest()) for name, content in LOCKED.items()
    ]
    monkeypatch.setattr(download, "read_lock", lambda name: pins if name == "cp311.txt" else [])


def test_files_are_fetched_by_their_hashes_and_once(tmp_path: Path) -> None:
    place = Index(tmp_path, LOCKED)
    found = fetch(place, "cp311.txt", OPTIONS)
    assert [path.name for path in found] == ["a-1.whl", "b-1.whl"]
    (called,) = place.calls
    assert {"download", "--no-deps", "--require-hashes", *OPTIONS} <= set(called)
    assert called[-2:] == ["--requirement", str(LOCKS / "cp311.txt")]
    assert fetch(place, "cp311.txt", OPTIONS) == found
    assert len(place.calls) == 1


def test_what_changed_in_the_cache_is_fetched_anew(tmp_path: Path) -> None:
    place = Index(tmp_path, LOCKED)
    found = fetch(place, "cp311.txt", OPTIONS)
    found[0].write_bytes(b"changed")
    assert fetch(place, "cp311.txt", OPTIONS) == found
    assert (len(place.calls), found[0].read_bytes()) == (2, b"first")


def test_a_file_of_another_hash_is_never_taken_for_a_locked_one(tmp_path: Path) -> None:
    place = Index(tmp_path, {**LOCKED, "a-1.whl": b"foreign"})
    with pytest.raises(ResourceError, match=r"no file for a==1 of cp311\.txt"):
        fetch(place, "cp311.txt", OPTIONS)
