from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from app.catalog import hashes
from app.catalog.hashes import CheckedFiles, sha256_of
from app.errors import BadInputError


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file whose hash is taken."""
    taken: list[Path] = []
    real = hashes.sha256_of

    def count(path: Path, progress: hashes.Progress = lambda _read: None) -> str:
        taken.append(path)
        return real(path, progress)

    monkeypatch.setattr(hashes, "sha256_of", count)
    return taken


def test_the_hash_is_sha256(tmp_path: Path) -> None:
    content = os.urandom(5_000_000)
    path = tmp_path / "f"
    path.write_bytes(content)
    steps: list[int] = []
    assert sha256_of(path, steps.append) == hashlib.sha256(content).hexdigest()
    assert sum(steps) == len(content)
    with pytest.raises(BadInputError, match="cannot be read"):
        sha256_of(tmp_path / "missing")


def test_an_unchanged_file_is_read_once(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    first = CheckedFiles(tmp_path / "state").hash(path)
    again = CheckedFiles(tmp_path / "state").hash(path)
    assert first == again == hashlib.sha256(b"abc").hexdigest()
    assert reads == [path]


def test_any_change_is_noticed(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    checked = CheckedFiles(tmp_path / "state")
    checked.hash(path)
    stamp = path.stat()
    path.write_bytes(b"abcd")
    assert checked.hash(path) == hashlib.sha256(b"abcd").hexdigest(), "another size"
    path.write_bytes(b"abce")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 7))
    assert checked.hash(path) == hashlib.sha256(b"abce").hexdigest(), "another time"
    other = tmp_path / "other"
    other.write_bytes(b"abcf")
    os.utime(other, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 7))
    other.replace(path)
    assert checked.hash(path) == hashlib.sha256(b"abcf").hexdigest(), "another inode"
    assert len(reads) == 4


def test_a_damaged_record_costs_a_reading_only(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    checked = CheckedFiles(tmp_path)
    for damage in (b"", b"{", b"[1]", b'{"x": 1}', b"\xff", b"[" * 100_000):
        (tmp_path / "checked-models.json").write_bytes(damage)
        assert checked.hash(path) == hashlib.sha256(b"abc").hexdigest()
    assert len(reads) == 6


def test_the_record_stays_small(tmp_path: Path) -> None:
    checked = CheckedFiles(tmp_path / "state")
    for place in range(120):
        path = tmp_path / f"f{place}"
        path.write_bytes(b"x")
        checked.hash(path)
    assert checked.known(tmp_path / "f119") is not None
    assert checked.known(tmp_path / "f0") is None
