"""The hash of a file: that of its bytes, in however many pieces it was read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from converter import hashes
from converter.hashes import file_sha256


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 1000])
def test_it_is_the_hash_of_all_bytes(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "_CHUNK", 8)
    data = bytes(number % 251 for number in range(size))
    (tmp_path / "file").write_bytes(data)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(data).hexdigest()
