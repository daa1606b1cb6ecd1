"""The engine behind a budget: it is told its pace, and the line says how it is held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from app.engine.messages import Event, Message, Prefill, Sampling, Text
from app.monitor.governor import Governor
from app.monitor.pacing import PacedEngine
from app.monitor.reading import Reading
from app.monitor.watts import parse_watts
from tests.app.assistant.fakes import FINISHED, FakeEngine

QUESTION = [Message("user", "Why?")]


class _SlowEngine(FakeEngine):
    """Waits before each event, and notes its paces."""

    def __init__(self) -> None:
        super().__init__()
        self.paces: list[tuple[int, float]] = []
        self.steps = asyncio.Event()

    async def generate(
        self, messages: Sequence[Message], sampling: Sampling
    ) -> AsyncGenerator[Event, None]:
        yield Prefill(0, 10, 0)
        yield Prefill(10, 10, 0)
        for count in range(1, 41):
            yield Text("a", count)
        yield FINISHED

    async def set_pace(self, threads: int, duty: float = 1.0) -> None:
        self.paces.append((threads, duty))


def _reading(at: float, watts: float | None) -> Reading:
    missing = {} if watts is not None else {"power_w": "no sensor here"}
    source = None if watts is None else "pmic"
    return Reading(at, power_w=watts, power_source=source, unavailable=missing)


def test_the_engine_is_slowed_while_it_answers_and_told_so() -> None:
    async def run() -> None:
        engine = _SlowEngine()
        paced = PacedEngine(engine, Governor(5.0, 2))
        seen = []
        now = 0.0
        async for event in paced.generate(QUESTION, Sampling()):
            seen.append(event)
            for _ in range(2):
                now += 0.5
                watts = 3.0 + 4.0 * (engine.paces[-1][1] if engine.paces else 1.0)
                paced.on_reading(_reading(now, watts))
                await asyncio.sleep(0)
        assert len(seen) == 43 and seen[-1] == FINISHED
        threads, duty = engine.paces[-1]
        assert 3.0 + 4.0 * duty < 5.0 or threads < 2
        assert "of 5.00 W (pmic), " in paced.line

    asyncio.run(run())


def test_without_a_sensor_it_is_said_and_nothing_is_slowed() -> None:
    async def run() -> None:
        engine = _SlowEngine()
        paced = PacedEngine(engine, Governor(5.0, 2))
        now = 0.0
        async for _ in paced.generate(QUESTION, Sampling()):
            now += 1.0
            paced.on_reading(_reading(now, None))
            await asyncio.sleep(0)
        assert engine.paces[-1] == (2, 1.0)
        assert paced.line == "5.00 W: no control, because no sensor here"

    asyncio.run(run())


def test_before_a_loop_runs_nothing_is_sent() -> None:
    paced = PacedEngine(_SlowEngine(), Governor(5.0, 2))
    paced.on_reading(_reading(0.0, 4.0))
    assert paced.line == "4.00 of 5.00 W (pmic), 2 threads at 30 %"


@pytest.mark.parametrize(
    ("text", "watts"), [("6.3W", 6.3), ("6.3 w", 6.3), ("6300mW", 6.3), ("7", 7.0), (".5", 0.5)]
)
def test_watts_as_people_type_them(text: str, watts: float) -> None:
    assert parse_watts(text) == pytest.approx(watts)


@pytest.mark.parametrize("text", ["", "W", "-1", "0", "5000W", "6,3", "1e3", "nan", "٣", "6.3.1"])
def test_what_is_no_power_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_watts(text)
