"""Checkpoints that several tests of the converter read; each is built once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.converter.checkpoints import RECIPES, build


@pytest.fixture(scope="session")
def recipe_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a named recipe; its name is the recipe's, as the stock hashes expect."""
    root = tmp_path_factory.mktemp("recipes")

    def folder(name: str) -> Path:
        made = root / name
        return made if made.exists() else build(made, RECIPES[name])

    return folder
