"""Puts together what a bench needs: the model, the engine's client, the sampler, the run's log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from app.boards import detect, profile
from app.boards.detect import cores
from app.catalog import Catalog
from app.cli.options import Choices
from app.cli.waiting import while_hashing
from app.config import load_config
from app.engine.client import EngineClient
from app.engine.memory import trained_context
from app.engine.messages import Load
from app.engine.modelfile import Header, read_header
from app.errors import UsageError
from app.folders import Folders, private_folder
from app.monitor.bench import bandwidth, filecache
from app.monitor.bench.plan import Plan
from app.monitor.bench.row import Bench
from app.monitor.bench.runner import Runner
from app.monitor.bench.weights import bytes_per_token
from app.monitor.recorder import RunRecorder
from app.monitor.runheader import versions
from app.monitor.sampler import Sampler


@dataclass(frozen=True, slots=True)
class Bencher:
    """A bench, put together and not yet started."""

    board: str
    machine: str
    load: Load
    header: Header
    engine: EngineClient
    sampler: Sampler
    cold: bool
    runs: Path | None
    """Where run logs are kept; None writes none."""
    tell: Callable[[str], None]

    async def run(self, plan: Plan) -> Bench:
        """Measure everything. Raises what kept the engine from it."""
        trained = trained_context(self.header)
        for settings in plan.settings(self.load.settings):
            if trained is not None and settings.context > trained:
                raise UsageError(
                    f"This model was trained on {trained} tokens at once, and the longest prompt "
                    f"with its answer needs {settings.context}. Choose shorter ones."
                )
        self.tell("measuring the memory's read bandwidth")
        speed = bandwidth.measure(cores())
        if self.cold:
            filecache.drop(Path(self.load.path))
        cached = filecache.cached_share(Path(self.load.path))
        runner = Runner(
            engine=self.engine,
            load=self.load,
            sampler=self.sampler,
            bandwidth=speed,
            bytes_per_token=bytes_per_token(self.header),
            recorder=self._recorder,
            tell=self.tell,
        )
        started = datetime.now(timezone.utc)
        self.sampler.start()
        try:
            rows = tuple([row async for row in runner.rows(plan)])
        finally:
            self.sampler.stop()
            await self.engine.close()
        assert runner.loaded is not None
        return Bench(
            board=f"{self.machine} ({self.board})",
            model=runner.loaded,
            sha256=self.load.model_sha256,
            versions=versions(runner.loaded.llama_cpp),
            started=started.isoformat(timespec="seconds"),
            bandwidth=speed,
            bytes_per_token=runner.bytes_per_token,
            cached=cached,
            load_s=runner.load_s,
            power=_power_words(self.sampler),
            rows=rows,
        )

    def _recorder(self) -> RunRecorder | None:
        return None if self.runs is None else RunRecorder(self.runs, self.board, self.tell)


def prepare(
    choices: Choices,
    interval_s: float,
    cold: bool,
    environ: Mapping[str, str],
    tell: Callable[[str], None],
) -> Bencher:
    """Find the model and the board.

    Raises:
        UsageError, BadInputError: settings or model that cannot be used.
    """
    config = load_config(choices.config, environ, choices.settings())
    folders = Folders.standard()
    found = detect()
    board = config.board or found.id
    chosen = Catalog.open(config, folders).resolve(config.model, while_hashing())
    engine = EngineClient(
        log_path=private_folder(folders.state) / "engine.log",
        findings=folders.state,
        llama_cpp=version("llama-cpp-python"),
    )
    sampler = Sampler(interval_s=interval_s)
    sampler.engine_pid = lambda: engine.pid
    load = Load(
        path=str(chosen.path),
        settings=replace(profile(board).settings, context=0),
        model_sha256=chosen.sha256,
        ignore_memory=choices.ignore_memory,
    )
    return Bencher(
        board=board,
        machine=found.name,
        load=load,
        header=read_header(chosen.path),
        engine=engine,
        sampler=sampler,
        cold=cold,
        runs=folders.state / "runs" if config.monitor.log else None,
        tell=tell,
    )


def _power_words(sampler: Sampler) -> str:
    kind = sampler.power_kind
    if kind is None:
        reason = sampler.latest().unavailable.get("power_w", "it was not read")
        return f"unavailable, because {reason}"
    return f"{kind.title}, which covers {kind.coverage}"
