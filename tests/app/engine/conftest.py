"""Models that the engine's tests share, written once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.engine import tiny


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of some hundred kilobytes that answers in nonsense, with ChatML."""
    return tiny.write(tmp_path_factory.mktemp("tiny") / "tiny.gguf", tiny.Tiny())


@pytest.fixture(scope="session")
def heavy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some tens of megabytes, so that a prefill of its context is a matter of seconds."""
    model = tiny.Tiny(layers=12, width=512, neurons=2048, heads=8, context=4096)
    return tiny.write(tmp_path_factory.mktemp("heavy") / "heavy.gguf", model)
