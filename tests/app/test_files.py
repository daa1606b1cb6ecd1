from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.errors import ResourceError
from app.files import alone, arriving, exchanged, write_whole


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_arrives_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "new/file.json"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert names(path.parent) == ["file.json"]


def test_what_fails_halfway_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="halfway"), arriving(path) as place:
        place.write_bytes(b"half")
        raise ValueError("halfway")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EROFS, "read-only disk"),
        (errno.EIO, "could not be written"),
    ],
)
def test_what_a_disk_can_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, sentence: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ResourceError, match=sentence):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


KILLED = """
import os, pathlib, signal, sys
from app.files import arriving
with arriving(pathlib.Path(sys.argv[1])) as place:
    place.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_kill_left_is_gone_after_the_next_write(tmp_path: Path) -> None:
    path, other = tmp_path / "model.gguf", tmp_path / "other"
    path.write_bytes(b"old")
    for one in (path, other):
        assert subprocess.run([sys.executable, "-c", KILLED, str(one)]).returncode == -9
    assert path.read_bytes() == b"old"
    assert len(names(tmp_path)) == 3
    (tmp_path / ".model.gguf.mine.partial").touch()
    write_whole(path, b"new")
    (left,) = set(names(tmp_path)) - {"model.gguf", ".model.gguf.mine.partial"}
    assert left.startswith(".other."), "whoever writes that name next removes it"


def test_what_is_still_being_written_is_not_swept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with exchanged(path) as place:
        place.write_bytes(b"slow")
        write_whole(path, b"quick")
        assert place.read_bytes() == b"slow"
    assert path.read_bytes() == b"slow"
    assert names(tmp_path) == ["file"]


def test_two_changes_of_a_file_come_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "new" / "count"
    together = threading.Barrier(2)

    def add() -> None:
        together.wait()
        for _ in range(50):
            with alone(path):
                count = int(path.read_bytes()) if path.exists() else 0
                write_whole(path, str(count + 1).encode())

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() == b"100"
