"""A user with a home of their own and a model that answers in nonsense."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.assistant.assistant import Assistant
from app.assistant.grounding import Reference
from app.assistant.triage import Triage
from app.cli import house
from app.config import Config
from app.engine.messages import EngineSettings, Load
from app.monitor.sampler import Sampler
from tests.app.assistant.fakes import FakeEngine
from tests.app.engine import tiny


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, state, caches and models of nobody else."""
    for kind in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    return tmp_path


@pytest.fixture(scope="session")
def nonsense_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random model."""
    return tiny.write(tmp_path_factory.mktemp("models") / "nonsense.gguf", tiny.Tiny())


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeEngine]:
    """Let the commands answer over a scripted engine."""

    def put_in(
        demonstration: bool = False,
        reference: Callable[[], Reference] | None = None,
        triage: Triage | None = None,
    ) -> FakeEngine:
        engine = FakeEngine()

        def build(*_args: object) -> house.House:
            load = Load("model.gguf", EngineSettings(context=512))
            assistant = Assistant(
                engine, load, demonstration=demonstration, reference=reference, triage=triage
            )
            return house.House(Config(), assistant, Sampler(), None, "The notice.")

        monkeypatch.setattr(house, "build", build)
        monkeypatch.setattr("app.cli.plain.build", build)
        return engine

    return put_in


@pytest.fixture
def ctrl_c() -> Callable[[Callable[[], object]], None]:
    """Press Ctrl-C once something holds; at a fixed time a busy machine may not be so far."""

    def press(holds: Callable[[], object]) -> None:
        def wait() -> None:
            while not holds():
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=wait, daemon=True).start()

    return press
