"""A check that lasts is told once, and a short one not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from app.cli import waiting
from app.cli.house import build
from app.cli.options import Choices
from tests.app.catalog.conftest import CATALOGUE
from tests.app.engine.gguf_files import small_model


def test_only_what_lasts_is_told_and_only_once(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter((0.0, 0.1, 0.9, 1.1, 1.2, 9.0))
    progress = waiting.while_hashing(lambda: next(times))
    for _ in range(2):
        progress(1)
    assert capsys.readouterr().err == ""
    for _ in range(3):
        progress(1)
    said = capsys.readouterr()
    assert said.err == "Checking the model's file, once for each file.\n" and said.out == ""


@pytest.mark.parametrize("as_path", [False, True], ids=["by its name", "by its path"])
def test_the_chat_says_why_its_first_start_takes_long(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    as_path: bool,
) -> None:
    content = small_model().pack()
    (home / "shipped.gguf").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (home / "catalog.toml").write_text(CATALOGUE.format(sha256=digest, bytes=len(content)))
    monkeypatch.setenv("BEDSIDE_MODELS_FOLDER", str(home))
    monkeypatch.setattr(waiting, "_PATIENCE_S", 0.0)
    choices = Choices(model=str(home / "shipped.gguf") if as_path else "shipped")
    for said in ("Checking the model's file, once for each file.\n", ""):
        build(choices, print)
        assert capsys.readouterr().err == said
