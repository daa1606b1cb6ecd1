from __future__ import annotations

import errno
import hashlib
import os
import shutil
import threading
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.catalog import Catalog, Entry
from app.catalog.hashes import Progress, sha256_of
from app.catalog.own import OwnModels
from app.errors import BadInputError, CheckError, ResourceError, UsageError
from app.folders import Folders


def everything_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_model_is_added(catalog: Catalog, model_file: Path, shipped: Path) -> None:
    before = everything_under(shipped)
    steps: list[int] = []
    entry = catalog.own.add(model_file, "own", None, steps.append)
    content = model_file.read_bytes()
    assert entry.sha256 == hashlib.sha256(content).hexdigest()
    assert (entry.bytes, entry.context, entry.licence) == (len(content), 1024, "CC0-1.0")
    assert entry.memory > len(content)
    assert sum(steps) == len(content)
    chosen = catalog.resolve("own")
    assert chosen.path.samefile(model_file), "a link, where the disk allows it"
    assert chosen.sha256 == entry.sha256
    assert not chosen.demonstration
    assert everything_under(shipped) == before, "nothing is written beside the shipped models"


def test_a_listed_model_is_added(catalog: Catalog, model_file: Path) -> None:
    catalog.own.add(model_file, "big-3b", catalog.shipped("big-3b"))
    listed = catalog.find("big-3b")
    assert listed is not None
    assert listed.own and listed.installed
    assert listed.entry.licence == "Big Licence"
    assert not listed.entry.computed
    assert [one.entry.name for one in catalog.models()] == ["shipped", "big-3b", "middle-1b"]


def test_another_file_under_a_shipped_name(
    catalog: Catalog, model_file: Path, folders: Folders
) -> None:
    with pytest.raises(CheckError, match="is not the “shipped” of the catalogue"):
        catalog.own.add(model_file, "shipped", catalog.shipped("shipped"))
    assert everything_under(folders.data) == {"models"}
    assert catalog.resolve("shipped").entry == catalog.shipped("shipped")


@pytest.mark.parametrize("name", ["", "Own", "../own", "a/b", "-x", "x" * 65, "a b", "ö"])
def test_names_that_cannot_be(catalog: Catalog, model_file: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a model's name"):
        catalog.own.add(model_file, name, None)


def test_a_name_that_is_taken(catalog: Catalog, model_file: Path) -> None:
    catalog.own.add(model_file, "own", None)
    with pytest.raises(UsageError, match="“own” already"):
        catalog.own.add(model_file, "own", None)


@pytest.mark.parametrize("names", [("one", "two"), ("same", "same")])
def test_two_that_are_added_at_once(
    folders: Folders, model_file: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, str]
) -> None:
    together = threading.Barrier(2)

    def slow(path: Path, progress: Progress) -> str:
        together.wait(10)
        return sha256_of(path, progress)

    def add(name: str) -> Entry | UsageError:
        try:
            return OwnModels(folders).add(model_file, name, None)
        except UsageError as error:
            return error

    monkeypatch.setattr("app.catalog.own.sha256_of", slow)
    with ThreadPoolExecutor(2) as pool:
        added = list(pool.map(add, names))
    listed = OwnModels(folders).entries()
    assert {one.name for one in listed} == set(names)
    assert len(listed) == len(set(names))
    refused = [str(one) for one in added if isinstance(one, UsageError)]
    assert all("already" in sentence for sentence in refused)
    assert len(refused) == 2 - len(listed)
    assert everything_under(folders.data) == {"models", *(f"models/{one.file}" for one in listed)}


def test_no_model_is_not_added(catalog: Catalog, tmp_path: Path, folders: Folders) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"<html>")
    with pytest.raises(BadInputError, match="is a web page"):
        catalog.own.add(bad, "bad", None)
    assert not folders.data.exists()


def test_a_copy_where_no_link_is_possible(
    catalog: Catalog, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", other_disk)
    catalog.own.add(model_file, "own", None)
    chosen = catalog.resolve("own")
    assert not chosen.path.samefile(model_file)
    assert chosen.path.read_bytes() == model_file.read_bytes()


def test_a_full_disk(
    catalog: Catalog, model_file: Path, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(ResourceError, match="is full"):
        catalog.own.add(model_file, "own", None)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 90, 10))
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EXDEV, "x")))
    with pytest.raises(ResourceError, match="A copy of the model needs"):
        catalog.own.add(model_file, "own", None)
    assert everything_under(folders.data) == {"models"}
    assert catalog.own.entries() == ()


def test_verify(catalog: Catalog, model_file: Path) -> None:
    catalog.own.add(model_file, "own", None)
    listed = catalog.installed("own")
    assert catalog.verify(listed)
    stamp = listed.path.stat()
    content = bytearray(listed.path.read_bytes())
    content[-200] ^= 1
    listed.path.write_bytes(content)
    os.utime(listed.path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert catalog.resolve("own").sha256 == listed.entry.sha256, "rot does not change the time"
    assert not catalog.verify(listed), "the whole file is read"
    with pytest.raises(BadInputError, match="damaged or was replaced"):
        catalog.resolve("own")


def test_a_damaged_list(catalog: Catalog, folders: Folders) -> None:
    folders.state.mkdir(parents=True)
    for damage in ("{", "[]", '{"model": [{"name": "x"}]}', "[" * 100_000):
        (folders.state / "models.json").write_text(damage)
        with pytest.raises(BadInputError, match=r"models\.json"):
            catalog.own.entries()
