"""A bench over a scripted engine and a fake board, and over a real engine and a small model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from app.engine.client import EngineClient
from app.engine.messages import (
    EngineSettings,
    Event,
    Failed,
    Finished,
    Load,
    Loaded,
    Message,
    Prefill,
    Sampling,
    Text,
)
from app.engine.modelfile import read_header
from app.errors import BadInputError, EngineError
from app.monitor.bench import filecache
from app.monitor.bench.bandwidth import Bandwidth
from app.monitor.bench.plan import Plan
from app.monitor.bench.row import Row
from app.monitor.bench.runner import Runner
from app.monitor.bench.weights import bytes_per_token
from app.monitor.logreader import read_log
from app.monitor.recorder import RunRecorder
from app.monitor.sampler import Sampler
from tests.app.assistant.fakes import LOADED, FakeEngine
from tests.app.engine import tiny
from tests.app.monitor.boards import PMIC_WATTS, bare, pi5

DECODE_S = 0.4
"""Many readings long, so that a busy machine still takes two."""
MEMORY = Bandwidth(1e9, 1, ((1, 1e9),))


class _Engine(FakeEngine):
    """Answers as long as it is asked to; its decoding takes `DECODE_S`."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[Load] = []
        self.resets = 0

    async def load(self, load: Load) -> AsyncGenerator[Event, None]:
        self.loads.append(load)
        yield LOADED

    async def generate(
        self, messages: Sequence[Message], sampling: Sampling
    ) -> AsyncGenerator[Event, None]:
        self.asked.append((list(messages), sampling))
        prompt = await self.count(messages)
        yield Prefill(prompt, prompt, 0)
        await asyncio.sleep(0.05)
        yield Text("a", 1)
        await asyncio.sleep(DECODE_S)
        yield Finished("length", prompt, 0, prompt, sampling.max_tokens, 0.05, DECODE_S, 1)

    async def count(self, messages: Sequence[Message]) -> int:
        return 10 + sum(len(message.content.split()) for message in messages)

    async def reset(self) -> None:
        self.resets += 1

    async def set_pace(self, threads: int, duty: float = 1.0) -> None:
        pass


def _bench(
    engine: _Engine | EngineClient, sampler: Sampler, load: Load, plan: Plan, runs: Path
) -> list[Row]:
    runner = Runner(
        engine=engine,
        load=load,
        sampler=sampler,
        bandwidth=MEMORY,
        bytes_per_token=1000,
        recorder=lambda: RunRecorder(runs, "generic", print),
        tell=lambda _: None,
        idle_s=0.2,
        settle_s=0.0,
    )

    async def run() -> list[Row]:
        try:
            return [row async for row in runner.rows(plan)]
        finally:
            await engine.close()

    sampler.start()
    try:
        return asyncio.run(run())
    finally:
        sampler.stop()


def test_each_row_is_warmed_up_repeated_and_logged(tmp_path: Path) -> None:
    engine, sampler = _Engine(), Sampler(pi5(tmp_path / "board"), interval_s=0.01)
    load = Load("model.gguf", EngineSettings(context=400))
    plan = Plan((20, 40), (8,), (1, 2), (), 1)
    rows = _bench(engine, sampler, load, plan, tmp_path / "runs")
    assert [row.prompt_tokens for row in rows] == [20, 40, 20, 40]
    assert [row.settings.decode_threads for row in rows] == [1, 1, 2, 2]
    assert len(engine.asked) == engine.resets == 4 * 2, "a warm-up and a repeat a row"
    sampling = engine.asked[0][1]
    assert (sampling.max_tokens, sampling.guard_repetition, sampling.stop_at_end) == (
        8,
        False,
        False,
    )
    for row in rows:
        assert row.idle_w == pytest.approx(PMIC_WATTS)
        assert row.mean_w == pytest.approx(PMIC_WATTS, rel=0.01)
        assert row.decode_j == pytest.approx(PMIC_WATTS * DECODE_S / 7, rel=0.01)
        assert (row.throttled_before, row.throttled_after, row.void) == (0, 0, ())
    logs = [read_log(path) for path in sorted((tmp_path / "runs").iterdir())]
    assert sorted(log.header.threads for log in logs) == [1, 2]
    assert all(len(log.turns) == 2 and log.end is not None for log in logs)
    assert all(log.header.idle_w == pytest.approx(PMIC_WATTS, abs=1e-3) for log in logs)


def test_a_prompt_shorter_than_the_template_is_refused(tmp_path: Path) -> None:
    sampler = Sampler(bare(tmp_path), interval_s=0.01)
    with pytest.raises(BadInputError, match="template alone"):
        _bench(_Engine(), sampler, Load("m"), Plan((5,), (8,)), tmp_path / "runs")


def test_an_engine_that_fails_ends_the_bench(tmp_path: Path) -> None:
    class Broken(_Engine):
        async def generate(
            self, messages: Sequence[Message], sampling: Sampling
        ) -> AsyncGenerator[Event, None]:
            yield Failed("died", "The engine was killed.")

    sampler = Sampler(bare(tmp_path), interval_s=0.01)
    with pytest.raises(EngineError, match="killed"):
        _bench(Broken(), sampler, Load("m"), Plan((20,), (8,)), tmp_path / "runs")


def test_a_real_engine_is_measured(tmp_path: Path) -> None:
    model = tiny.write(tmp_path / "tiny.gguf", tiny.Tiny())
    settings = EngineSettings(decode_threads=1, prefill_threads=1, extra_buffers=False)
    sampler = Sampler(bare(tmp_path), interval_s=0.05)
    load = Load(str(model), settings)
    (row,) = _bench(EngineClient(), sampler, load, Plan((60,), (12,), (), (), 2), tmp_path / "runs")
    assert 55 <= row.prompt_tokens <= 60 and row.generated == 12
    assert row.decode is not None and row.decode.median > 0
    assert (row.decode_j, row.void) == (None, ())


def test_the_bytes_a_token_reads_leave_out_a_table_that_is_only_looked_up(tmp_path: Path) -> None:
    header = read_header(tiny.write(tmp_path / "untied.gguf", tiny.Tiny()))
    table = header.tensor("token_embd.weight")
    assert table is not None and header.tensor("output.weight") is not None
    total = sum(tensor.bytes for tensor in header.tensors)
    assert bytes_per_token(header) == total - table.bytes


def test_a_file_that_was_just_written_is_in_the_cache_or_it_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(1 << 20))
    filecache.drop(path)  # dirty pages stay, which is the kernel's affair
    share = filecache.cached_share(path)
    assert share is None or 0 <= share <= 1


def test_what_is_loaded_must_hold_the_plan(tmp_path: Path) -> None:
    assert isinstance(LOADED, Loaded)
    sampler = Sampler(bare(tmp_path), interval_s=0.01)
    with pytest.raises(Exception, match="tokens of context"):
        _bench(_Engine(), sampler, Load("m"), Plan((600,), (8,)), tmp_path / "runs")
