"""Puts the rooms together for the commands that answer questions."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version

from app.assistant.assistant import Assistant
from app.assistant.notices import information_notice
from app.boards import detect, profile
from app.catalog import Catalog
from app.cli.options import Choices
from app.config import Config, load_config
from app.engine.client import EngineClient
from app.engine.messages import Finished, Load, Loaded
from app.folders import Folders, private_folder
from app.monitor.recorder import RunRecorder
from app.monitor.sampler import Sampler


class Watch:
    """Hands the counts and times of the turns to the monitor and to the run's log."""

    def __init__(self, sampler: Sampler, recorder: RunRecorder | None, load: Load) -> None:
        self._sampler, self._recorder, self._load = sampler, recorder, load

    def model_loaded(self, model: Loaded) -> None:
        """The engine runs, and the run's log can begin."""
        if self._recorder is not None:
            threads = self._load.settings.decode_threads
            self._recorder.start(model, self._load.model_sha256, threads, self._sampler)

    def turn_finished(
        self, finished: Finished, asked_at: float, first_text_at: float | None, ended_at: float
    ) -> None:
        """A turn ended."""
        if self._recorder is not None:
            self._recorder.turn_finished(finished, asked_at, first_text_at, ended_at)


@dataclass(frozen=True, slots=True)
class House:
    """Everything a chat needs, put together and not yet started."""

    config: Config
    assistant: Assistant
    sampler: Sampler
    recorder: RunRecorder | None
    notice: str

    def open(self) -> None:
        """Begin to measure. The assistant is started by whoever reads its events."""
        self.sampler.start()

    def close(self, reason: str) -> None:
        """End the measuring and the log of the run."""
        self.sampler.stop()
        if self.recorder is not None:
            self.recorder.end(reason)


def build(choices: Choices, on_problem: Callable[[str], None]) -> House:
    """Read the settings, find the model and the board, and put the rooms together.

    Args:
        choices: of the command line.
        on_problem: gets a sentence when the run's log cannot be written any more.

    Raises:
        UsageError, BadInputError: settings or model that cannot be used.
    """
    config = load_config(choices.config, os.environ, choices.settings())
    folders = Folders.standard()
    board = config.board or detect().id
    settings = profile(board).settings
    if config.context:
        settings = replace(settings, context=config.context)
    chosen = Catalog.open(config, folders).resolve(config.model)
    engine = EngineClient(
        log_path=private_folder(folders.state) / "engine.log",
        findings=folders.state,
        llama_cpp=version("llama-cpp-python"),
    )
    load = Load(
        path=str(chosen.path),
        settings=settings,
        state_folder=str(folders.cache / "prompts"),
        model_sha256=chosen.sha256,
        ignore_memory=choices.ignore_memory,
    )
    sampler = Sampler()
    sampler.engine_pid = lambda: engine.pid
    recorder = (
        RunRecorder(folders.state / "runs", board, on_problem) if config.monitor.log else None
    )
    assistant = Assistant(
        engine,
        load,
        sampling=config.sampling,
        demonstration=chosen.demonstration,
        listener=Watch(sampler, recorder, load),
        advise_on_memory=chosen.advise_on_memory,
    )
    return House(
        config, assistant, sampler, recorder, information_notice(config.ui.emergency_number)
    )
