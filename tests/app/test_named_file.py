"""What a person may name in place of a file: each is told, and none is waited for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from app.engine.modelfile import read_header
from app.errors import BadInputError
from app.knowledge.readers.text import read_text
from app.monitor.power.meter import read_meter
from app.named_file import NotAFile, open_regular, stat_of, typed_path
from app.toml_file import read_toml

READERS: dict[str, Callable[[Path], object]] = {
    "own.toml": read_toml,
    "note.txt": read_text,
    "note.txt.gz": read_text,
    "meter.csv": read_meter,
    "model.gguf": read_header,
}


def pipe(path: Path) -> Path:
    """A pipe with somebody who writes into it as soon as it is read: a reader that waits gets
    something, and the test fails in place of hanging."""

    def write() -> None:
        with suppress(BrokenPipeError):
            path.write_text("time = 1\n")

    os.mkfifo(path)
    threading.Thread(target=write, daemon=True).start()
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(b"content")
    (tmp_path / "link").symlink_to("own")
    for name in ("own", "link"):
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"content"


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(NotAFile):
        open_regular(Path(os.devnull))


@pytest.mark.parametrize("name", READERS)
def test_no_reader_waits_for_a_pipe(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError, match="is a pipe or a device"):
        READERS[name](pipe(tmp_path / name))


@pytest.mark.parametrize("name", READERS)
def test_no_reader_stumbles_over_a_folder_or_a_long_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    for path in (tmp_path / name, tmp_path / ("x" * 300 + name)):
        with pytest.raises(BadInputError):
            READERS[name](path)


def test_a_home_is_meant_by_its_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert typed_path("~/own.gguf") == Path("/somewhere/own.gguf")
    assert typed_path("a~") == Path("a~")
    with pytest.raises(BadInputError, match=r"~nosuch.* is no user here"):
        typed_path("~nosuch\x1b[2J/own.gguf")


def test_what_cannot_stand_anywhere_does_not(tmp_path: Path) -> None:
    assert stat_of(tmp_path / ("x" * 300)) is None
    assert stat_of(tmp_path / "nul\0") is None
    found = stat_of(tmp_path)
    assert found is not None and os.path.samestat(found, tmp_path.stat())
