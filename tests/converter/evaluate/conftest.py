"""A small random model that can be asked, with and without a chat template."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from converter.checkpoint import open_checkpoint
from converter.export import lay_out, write
from converter.filetype import FileType
from tests.converter.checkpoints import Recipe, build

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
RECIPE = Recipe(
    width=64,
    neurons=96,
    heads=4,
    kv_heads=2,
    head_dim=16,
    dtype="F32",
    config={"max_position_embeddings": 512},
)


@dataclass(frozen=True)
class Small:
    """A checkpoint and its F32 file; nearly every character is a token of its own."""

    folder: Path
    file: Path


def small_model(root: Path, template: str | None = TEMPLATE, recipe: Recipe = RECIPE) -> Small:
    """Build the checkpoint under `root`, and the file."""
    folder, file = build(root / "model", recipe), root / "small.gguf"
    settings = folder / "tokenizer_config.json"
    told = json.loads(settings.read_text())
    del told["chat_template"]
    settings.write_text(json.dumps(told | ({"chat_template": template} if template else {})))
    write(lay_out(open_checkpoint(folder), FileType.F32), file, threads=1)
    return Small(folder, file)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """One that has a template."""
    return small_model(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def untemplated(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """One that has none."""
    return small_model(tmp_path_factory.mktemp("untemplated"), None)
