from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.catalog import Catalog
from app.catalog.catalog import CHECKOUT_FOLDER, shipped_folder
from app.config import Config
from app.errors import BadInputError, UsageError
from app.folders import Folders


def test_nothing_means_the_default(catalog: Catalog, shipped: Path) -> None:
    chosen = catalog.resolve()
    assert chosen.path == shipped / "shipped.gguf"
    assert chosen.demonstration
    assert chosen.entry is not None
    assert chosen.sha256 == chosen.entry.sha256


def test_a_start_reads_the_file_once(catalog: Catalog) -> None:
    steps: list[int] = []
    catalog.resolve("shipped", steps.append)
    assert sum(steps) > 0
    steps.clear()
    catalog.resolve("shipped", steps.append)
    assert steps == []


def test_a_replaced_file_is_refused(catalog: Catalog, shipped: Path) -> None:
    catalog.resolve("shipped")
    path = shipped / "shipped.gguf"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    with pytest.raises(BadInputError, match="damaged or was replaced"):
        catalog.resolve("shipped")


def test_a_model_that_is_not_here(catalog: Catalog, shipped: Path) -> None:
    with pytest.raises(BadInputError, match=r"someone/Big-3B .* `bedside models add FILE --name"):
        catalog.resolve("big-3b")
    (shipped / "shipped.gguf").unlink()
    with pytest.raises(BadInputError, match="“shipped” is missing"):
        catalog.resolve("")


def test_a_name_that_does_not_exist(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="Did you mean “big-3b”"):
        catalog.resolve("big-3")
    with pytest.raises(UsageError, match="Installed: shipped"):
        catalog.resolve("/nowhere/else.gguf")
    catalog.default = ""
    with pytest.raises(UsageError, match="no model or file"):
        catalog.resolve("")


def test_a_path(catalog: Catalog, model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = catalog.resolve(str(model_file))
    assert (chosen.path, chosen.entry, chosen.sha256) == (model_file, None, None)
    assert not chosen.demonstration
    monkeypatch.setenv("HOME", str(model_file.parent))
    assert catalog.resolve(f"~/{model_file.name}").path == model_file


def test_a_shipped_file_is_known_by_its_content(catalog: Catalog, shipped: Path) -> None:
    """A demonstration stays one, wherever it is copied to."""
    copy = shipped.parent / "renamed.gguf"
    copy.write_bytes((shipped / "shipped.gguf").read_bytes())
    assert catalog.resolve(str(copy)).demonstration
    content = bytearray(copy.read_bytes())
    content[-100] ^= 1
    copy.write_bytes(content)
    os.utime(copy, ns=(1, 1))
    assert not catalog.resolve(str(copy)).demonstration


def test_a_smaller_model(catalog: Catalog) -> None:
    def named(available: int) -> str | None:
        listed = catalog.smaller_choice(available)
        return listed.entry.name if listed else None

    assert named(5_000) == "big-3b"
    assert named(2_999) == "middle-1b"
    assert named(1_999) is None, "a demonstration is no choice"


def test_advice_when_memory_does_not_suffice(catalog: Catalog, model_file: Path) -> None:
    chosen = catalog.resolve(str(model_file))
    assert "“middle-1b” would fit; it is not installed" in chosen.advise_on_memory(2_500)
    assert "Close other programs" in chosen.advise_on_memory(10)
    entry = catalog.own.add(model_file, "middle-1b", catalog.shipped("middle-1b"))
    assert entry.memory > 10_000
    assert "--model middle-1b" in chosen.advise_on_memory(entry.memory)


def test_the_catalogue_that_the_settings_name(shipped: Path, folders: Folders) -> None:
    opened = Catalog.open(Config(models_folder=str(shipped)), folders)
    assert opened.default == "shipped"
    with pytest.raises(BadInputError, match=r"catalog\.toml cannot be read"):
        Catalog.open(Config(models_folder=str(shipped / "none")), folders)


def test_away_from_a_checkout_the_list_is_the_environments(tmp_path: Path) -> None:
    installed = tmp_path / "share" / "bedside" / "models"
    assert shipped_folder(tmp_path / "models", str(tmp_path)) == installed
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "catalog.toml").touch()
    assert shipped_folder(tmp_path / "models", str(tmp_path)) == tmp_path / "models"


def test_the_shipped_catalogue(folders: Folders) -> None:
    catalog = Catalog.open(Config(), folders)
    assert catalog.folder == CHECKOUT_FOLDER
    entries = [listed.entry for listed in catalog.models()]
    names = {entry.name for entry in entries}
    assert catalog.default in names
    own = {"medquad-29m", "medquad-29m-cut"}
    assert {entry.name for entry in entries if entry.demonstration} == own
    wanted = {"llama-3.2-1b", "llama-3.2-3b", "gemma-2-2b", "gemma-3-1b", "gemma-3-4b"}
    assert wanted | {"qwen2.5-1.5b", "qwen2.5-3b", "medgemma-4b"} <= names
    for entry in entries:
        assert entry.licence and entry.source and entry.good_for and entry.not_good_for
        assert entry.computed != entry.demonstration
    assert not folders.state.exists(), "looking writes nothing"
