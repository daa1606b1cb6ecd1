"""One byte flipped in any one file of a bundle: a board's own check refuses it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.errors import BadInputError
from app.releases import bundle
from deploy.bundle.build import build
from deploy.bundle.workplace import Workplace
from deploy.prove.damage import accepted, flipped
from tests.deploy.bundle.toys import make_model, make_order, make_source, needs_keygen


@needs_keygen
def test_whichever_file_it_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(tmp_path)
    order = make_order(tmp_path, model, make_source(tmp_path / "source", model), monkeypatch)
    folder = build(order, Workplace(tmp_path / "build"), lambda _: None).folder
    pinned = tmp_path / "allowed_signers"
    pinned.write_bytes((folder / bundle.SIGNERS).read_bytes())
    assert accepted(folder, pinned) == []
    (folder / "foreign").touch()
    with pytest.raises(BadInputError, match="foreign"):
        accepted(folder, pinned)


def test_flipped_and_back(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"abc")
    os.link(path, link)
    with flipped(path):
        assert path.read_bytes() == b"acc"
        assert link.read_bytes() == b"abc", "the other name is another file's"
        assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "link"]
    assert path.read_bytes() == b"abc"


def test_back_after_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with pytest.raises(KeyboardInterrupt), flipped(path):
        raise KeyboardInterrupt
    assert path.read_bytes() == b"abc"
