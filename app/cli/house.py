"""Puts the rooms together for the commands that answer questions."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from app.assistant.assistant import Assistant
from app.assistant.notices import information_notice
from app.assistant.triage import Triage
from app.boards import detect, profile
from app.catalog import Catalog
from app.cli.options import Choices
from app.cli.waiting import while_hashing
from app.config import Config, UiConfig, load_config
from app.engine.client import EngineClient
from app.engine.messages import Finished, Load, Loaded
from app.folders import Folders, private_folder
from app.monitor.governor import Governor
from app.monitor.pacing import READ_EVERY_S, PacedEngine
from app.monitor.recorder import RunRecorder
from app.monitor.sampler import Sampler
from app.safety import Mode

if TYPE_CHECKING:  # loaded in a thread, once the screen is painted
    from app.knowledge.reference import Reference
    from app.safety import RedFlags


class Watch:
    """Hands the counts and times of the turns to the monitor and to the run's log."""

    def __init__(self, sampler: Sampler, recorder: RunRecorder | None, load: Load) -> None:
        self._sampler, self._recorder, self._load = sampler, recorder, load

    def model_loaded(self, model: Loaded) -> None:
        """The engine runs, and the run's log can begin."""
        if self._recorder is not None:
            settings, sha256 = self._load.settings, self._load.model_sha256
            threads = settings.decode_threads, settings.prefill_threads
            self._recorder.start(model, sha256, threads[0], self._sampler, threads[1])

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
    budget_line: Callable[[], str] | None = None
    """Tells the power budget, how it is held and what it costs; None where there is none."""

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
    chosen = Catalog.open(config, folders).resolve(config.model, while_hashing())
    load = Load(
        path=str(chosen.path),
        settings=settings,
        state_folder=str(folders.cache / "prompts"),
        model_sha256=chosen.sha256,
        ignore_memory=choices.ignore_memory,
    )
    engine = _engine(folders)
    sampler = Sampler(interval_s=READ_EVERY_S if choices.power_budget else 1.0)
    sampler.engine_pid = lambda: engine.pid
    paced = _paced(engine, choices.power_budget, settings.decode_threads, sampler)
    runs = folders.state / "runs"
    recorder = RunRecorder(runs, board, on_problem) if config.monitor.log else None
    assistant = Assistant(
        paced or engine,
        load,
        sampling=config.sampling,
        demonstration=chosen.demonstration,
        listener=Watch(sampler, recorder, load),
        advise_on_memory=chosen.advise_on_memory,
        triage=_triage(config.ui),
        reference=partial(_reference, folders, on_problem),
    )
    notice = information_notice(config.ui.emergency_number)
    budget_line = (lambda: paced.line) if paced else None
    return House(config, assistant, sampler, recorder, notice, budget_line)


def _engine(folders: Folders) -> EngineClient:
    """The engine's client; its process is started when a model is to be loaded."""
    return EngineClient(
        log_path=private_folder(folders.state) / "engine.log",
        findings=folders.state,
        llama_cpp=version("llama-cpp-python"),
    )


def _triage(ui: UiConfig) -> Triage:
    """The red flags, for whoever reads the screen, with the settings' numbers."""
    mode: Mode = "clinician" if ui.mode == "clinician" else "patient"
    return Triage(_red_flags, mode, ui.emergency_number, ui.crisis_line)


def _red_flags() -> RedFlags:
    from app.assistant.rulebook import red_flags

    return red_flags()


def _reference(folders: Folders, tell: Callable[[str], None]) -> Reference:
    from app.knowledge.reference import Reference

    return Reference(folders.data, tell=tell)


def _paced(
    engine: EngineClient, budget_w: float | None, threads: int, sampler: Sampler
) -> PacedEngine | None:
    """The engine behind its power budget; None where there is no budget."""
    if budget_w is None:
        return None
    paced = PacedEngine(engine, Governor(budget_w, threads))
    sampler.listen(paced.on_reading)
    sampler.history.budget_line = lambda: paced.line
    return paced
