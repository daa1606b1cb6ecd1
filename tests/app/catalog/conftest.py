"""A catalogue of two models, a user's folders, and small sound model files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from app.catalog import Catalog
from app.folders import Folders
from tests.app.engine.gguf_files import small_model

CATALOGUE = """
default = "shipped"

[[model]]
name = "shipped"
file = "shipped.gguf"
sha256 = "{sha256}"
bytes = {bytes}
licence = "CC BY 4.0"
source = "this project"
context = 1024
good_for = "trying"
not_good_for = "anything else"
demonstration = true
boards = ["pi5-4gb"]
memory = 1000

[[model]]
name = "big-3b"
file = "Big-3B.gguf"
sha256 = ""
bytes = 2_000_000_000
parameters = 3_000
memory = 3_000
licence = "Big Licence"
source = "someone/Big-3B"
context = 4096
good_for = "long answers"
not_good_for = "small boards"
computed = true

[[model]]
name = "middle-1b"
file = "Middle-1B.gguf"
sha256 = ""
bytes = 800_000_000
parameters = 1_000
memory = 2_000
licence = "Middle Licence"
source = "someone/Middle-1B"
context = 4096
good_for = "short answers"
not_good_for = "long ones"
computed = true
"""


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """A user's folders, none of them made yet."""
    home = tmp_path / "home"
    return Folders(home / "config", home / "state", home / "cache", home / "data")


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """The folder of the shipped models, with one in it."""
    folder = tmp_path / "models"
    folder.mkdir()
    content = small_model().pack()
    (folder / "shipped.gguf").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    text = CATALOGUE.format(sha256=digest, bytes=len(content))
    (folder / "catalog.toml").write_text(text)
    return folder


@pytest.fixture
def catalog(shipped: Path, folders: Folders) -> Catalog:
    """The catalogue over both."""
    return Catalog(shipped, folders)


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """A user's own model, other than the shipped one."""
    path = tmp_path / "Own Model.gguf"
    path.write_bytes(small_model(layers=3).pack())
    return path
