"""The client over processes that die, talk nonsense or take their time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.engine.client import EngineClient
from app.engine.messages import (
    EngineSettings,
    Event,
    Failed,
    Finished,
    Load,
    Loaded,
    Loading,
    Message,
    Prefill,
    Sampling,
    Text,
    Warmed,
)
from app.engine.process import EngineProcess
from app.errors import EngineError

SCRIPT = Path(__file__).with_name("fake_engine.py")
ASK = [Message("user", "What is glaucoma?")]
LOAD = Load("model.gguf", EngineSettings(extra_buffers=False))
WITH_BUFFERS = Load("model.gguf", EngineSettings(extra_buffers=True))

Script = list[dict[str, str]]


class Fake:
    """A folder with a script, and what was asked of the processes that follow it."""

    def __init__(self, folder: Path, script: Script) -> None:
        self.folder = folder
        (folder / "script.json").write_text(json.dumps(script))
        self.pids: list[int] = []

    async def start(self) -> EngineProcess:
        process = await EngineProcess.start([sys.executable, "-ISE", str(SCRIPT), str(self.folder)])
        self.pids.append(process.pid)
        return process

    def requests(self, start: int) -> list[dict[str, Any]]:
        """What the nth process was asked."""
        lines = (self.folder / "requests.jsonl").read_text().splitlines()
        return [one for one in map(json.loads, lines) if one.pop("start") == start]

    def kinds(self, start: int) -> list[str]:
        return [str(one["type"]) for one in self.requests(start)]

    def client(self, **fields: Any) -> EngineClient:
        return EngineClient(start=self.start, **fields)


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., Fake]:
    return lambda *script: Fake(tmp_path, list(script))


@asynccontextmanager
async def loaded(fake: Fake, load: Load = LOAD) -> AsyncIterator[EngineClient]:
    """A client with a model and a fixed prompt; closed in the end, with nothing left alive."""
    client = fake.client()
    try:
        assert isinstance((await collect(client.load(load)))[-1], Loaded)
        assert isinstance(await client.warm([Message("system", "Be careful.")]), Warmed)
        yield client
    finally:
        await client.close()
        assert not any(alive(pid) for pid in fake.pids)


async def collect(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 20))


async def ask(client: EngineClient) -> list[Event]:
    return await collect(client.generate(ASK, Sampling()))


def answered(events: list[Event]) -> bool:
    ends = [event for event in events if isinstance(event, Finished | Failed)]
    return ends == events[-1:] and isinstance(events[-1], Finished)


def test_a_load_and_an_answer(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        one = fake({})
        async with loaded(one) as client:
            assert client.pid == one.pids[0]
            events = await ask(client)
            assert [type(event) for event in events] == [Prefill, Text, Finished]
            assert await client.count(ASK) == 9
            await client.reset()
        assert one.kinds(0) == ["Load", "Warm", "Generate", "Count", "Reset", "Warm", "Quit"]

    run(scene())


@pytest.mark.parametrize(
    ("death", "words"),
    [
        ("text kill", "memory ran out"),
        ("text segv", "crashed inside llama.cpp (SIGSEGV)"),
        ("text term", "ended by a signal (SIGTERM)"),
        ("text exit", "exit code 3"),
        ("kill", "memory ran out"),
    ],
)
def test_a_death_in_an_answer_is_one_event_and_the_next_answer_comes(
    death: str, words: str, fake: Callable[..., Fake]
) -> None:
    async def scene() -> None:
        one = fake({"Generate": death}, {})
        async with loaded(one) as client:
            *before, last = await ask(client)
            assert not any(isinstance(event, Finished | Failed) for event in before)
            assert isinstance(last, Failed) and last.code == "died"
            assert words in last.sentence
            assert answered(await ask(client))
            assert client.pid == one.pids[1]
        assert one.kinds(1)[:3] == ["Load", "Warm", "Generate"]
        assert one.requests(1)[:2] == one.requests(0)[:2], "the same model and fixed prompt"

    run(scene())


def test_the_next_process_is_made_ready_before_anybody_asks(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        one = fake({"Generate": "kill"}, {})
        async with loaded(one) as client:
            await ask(client)
            for _ in range(200):
                if client.pid == one.pids[-1] != one.pids[0]:
                    break
                await asyncio.sleep(0.02)
            assert one.kinds(1) == ["Load", "Warm"]

    run(scene())


def test_a_death_while_nothing_runs_is_not_noticed_by_the_next_question(
    fake: Callable[..., Fake],
) -> None:
    async def scene() -> None:
        one = fake({})
        async with loaded(one) as client:
            os.kill(one.pids[0], signal.SIGKILL)
            assert await client.count(ASK) == 9
            assert answered(await ask(client))

    run(scene())


@pytest.mark.parametrize("notice", [EngineClient.reset, ask], ids=["reset", "ask"])
def test_a_new_process_goes_at_the_pace_that_was_asked_of_the_old_one(
    notice: Callable[[EngineClient], Coroutine[Any, Any, object]], fake: Callable[..., Fake]
) -> None:
    async def scene() -> None:
        one = fake({})
        async with loaded(one) as client:
            await client.set_pace(2, 0.3)
            os.kill(one.pids[0], signal.SIGKILL)
            while client.pid is not None:
                await asyncio.sleep(0.02)
            await notice(client)
        assert one.kinds(1)[:3] == ["Load", "Warm", "SetPace"]
        assert one.requests(1)[2] == {"type": "SetPace", "threads": 2, "duty": 0.3}

    run(scene())


def test_a_pace_that_is_asked_while_no_process_runs_reaches_the_next(
    fake: Callable[..., Fake],
) -> None:
    async def scene() -> None:
        one = fake({"Generate": "kill"}, {})
        async with loaded(one) as client:
            await ask(client)
            await client.set_pace(1, 0.5)
            await ask(client)
        assert one.requests(1)[2] == {"type": "SetPace", "threads": 1, "duty": 0.5}

    run(scene())


def test_deaths_without_end_are_told_each_time(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        one = fake({"Generate": "kill"})
        async with loaded(one) as client:
            for _ in range(3):
                last = (await ask(client))[-1]
                assert isinstance(last, Failed) and last.code == "died"

    run(scene())


def test_a_restart_that_fails_is_told_and_tried_again(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        one = fake({"Generate": "kill"}, {"Load": "fail"}, {"Load": "fail"}, {})
        async with loaded(one) as client:
            await ask(client)
            last = (await ask(client))[-1]
            assert isinstance(last, Failed) and last.sentence == "Too little memory."
            assert client.pid is None, "no process without a model is kept"
            assert answered(await ask(client))

    run(scene())


def test_a_death_while_loading_is_told_and_the_next_load_works(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        one = fake({"Load": "text kill"}, {})
        client = one.client()
        events = await collect(client.load(LOAD))
        assert [type(event) for event in events] == [Loading, Failed]
        assert isinstance(events[-1], Failed) and events[-1].code == "died"
        assert len(one.pids) == 1, "what kills at the load would kill again"
        assert isinstance((await collect(client.load(LOAD)))[-1], Loaded)
        await client.close()

    run(scene())


def test_a_crash_of_the_extra_buffers_is_survived_and_remembered(
    fake: Callable[..., Fake], tmp_path: Path
) -> None:
    async def scene() -> None:
        one = fake({"Load": "text segv"}, {})
        client = one.client(findings=tmp_path / "state", llama_cpp="0.3.36")
        events = await collect(client.load(WITH_BUFFERS))
        assert [type(event) for event in events] == [Loading, Loading, Loaded]
        await client.close()
        again = one.client(findings=tmp_path / "state", llama_cpp="0.3.36")
        await collect(again.load(WITH_BUFFERS))
        await again.close()
        other = one.client(findings=tmp_path / "state", llama_cpp="0.3.37")
        await collect(other.load(WITH_BUFFERS))
        await other.close()
        asked = [one.requests(start)[0]["settings"]["extra_buffers"] for start in range(4)]
        assert asked == [True, False, False, True], "another version is tried anew"

    run(scene())


def test_a_model_that_crashes_without_them_too_is_no_finding(
    fake: Callable[..., Fake], tmp_path: Path
) -> None:
    async def scene() -> None:
        one = fake({"Load": "segv"}, {"Load": "segv"}, {})
        client = one.client(findings=tmp_path / "state", llama_cpp="0.3.36")
        events = await collect(client.load(WITH_BUFFERS))
        assert len(events) == 1 and isinstance(events[0], Failed)
        await collect(client.load(WITH_BUFFERS))
        await client.close()
        assert one.requests(2)[0]["settings"]["extra_buffers"] is True

    run(scene())


def test_a_kill_from_outside_is_no_finding_either(
    fake: Callable[..., Fake], tmp_path: Path
) -> None:
    async def scene() -> None:
        one = fake({"Load": "kill"}, {})
        client = one.client(findings=tmp_path / "state")
        assert isinstance((await collect(client.load(WITH_BUFFERS)))[-1], Failed)
        await client.close()
        assert not (tmp_path / "state").exists() and len(one.pids) == 1

    run(scene())


def test_leaving_the_stream_early_cancels_and_frees_the_line(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        one = fake({"Generate": "wait"})
        async with loaded(one) as client:
            async with aclosing(client.generate(ASK, Sampling())) as events:
                async for _event in events:
                    break
            assert one.kinds(0)[-1] == "Cancel"
            assert await client.count(ASK) == 9

    run(scene())


def test_a_reader_that_is_cancelled_frees_the_line(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        one = fake({"Generate": "wait"})
        async with loaded(one) as client:
            reader = asyncio.create_task(ask(client))
            await asyncio.sleep(0.2)
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            assert await client.count(ASK) == 9

    run(scene())


def test_an_answer_cancelled_twice_leaves_nothing_for_the_next_request(
    fake: Callable[..., Fake],
) -> None:
    async def scene() -> None:
        one = fake({"Generate": "dawdle"}, {})
        async with loaded(one) as client:
            reader = asyncio.create_task(ask(client))
            while one.kinds(0)[-1] != "Generate":
                await asyncio.sleep(0.02)
            reader.cancel()
            while one.kinds(0)[-1] != "Cancel":
                await asyncio.sleep(0.02)
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            assert await client.count(ASK) == 9
            assert not alive(one.pids[0])

    run(scene())


def test_cancel_ends_the_stream_with_its_last_event(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        one = fake({"Generate": "wait"})
        async with loaded(one) as client:
            events = []
            async for event in client.generate(ASK, Sampling()):
                events.append(event)
                if isinstance(event, Text) and len(events) == 2:
                    await client.cancel()
            assert isinstance(events[-1], Finished) and events[-1].reason == "cancelled"

    run(scene())


def test_cancel_leaves_the_loading_of_a_new_process_alone(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        one = fake({"Generate": "kill"}, {"Load": "wait"}, {})
        async with loaded(one) as client:
            await ask(client)
            asked = asyncio.create_task(ask(client))
            while len(one.pids) < 2:
                await asyncio.sleep(0.02)
            await client.cancel()
            await asyncio.sleep(0.2)
            assert "Cancel" not in one.kinds(1)
            os.kill(one.pids[1], signal.SIGKILL)
            assert answered(await asked)

    run(scene())


def test_requests_take_their_turn(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        async with loaded(fake({})) as client:
            answers = await asyncio.gather(*(ask(client) for _ in range(5)))
            assert all(answered(events) for events in answers)

    run(scene())


@pytest.mark.parametrize("nonsense", ["garbage", "endless"])
def test_a_process_that_talks_nonsense_is_replaced(
    nonsense: str, fake: Callable[..., Fake]
) -> None:
    """Else an event that is left over would answer the next question."""

    async def scene() -> None:
        one = fake({"Generate": nonsense}, {})
        async with loaded(one) as client:
            events = await ask(client)
            assert isinstance(events[-1], Failed) and events[-1].code == "internal"
            assert not alive(one.pids[0])
            assert answered(await ask(client))

    run(scene())


def test_a_system_without_processes_is_told(tmp_path: Path) -> None:
    async def scene() -> None:
        client = EngineClient(start=lambda: EngineProcess.start([str(tmp_path / "none")]))
        (failed,) = await collect(client.load(LOAD))
        assert isinstance(failed, Failed) and "cannot be started" in failed.sentence
        await client.close()

    run(scene())


def test_count_and_reset_raise_what_the_engine_says(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        async with loaded(fake({"Count": "fail", "Reset": "fail"})) as client:
            with pytest.raises(EngineError, match="Too little memory"):
                await client.count(ASK)
            with pytest.raises(EngineError, match="Too little memory"):
                await client.reset()

    run(scene())


def test_closing_while_the_next_process_is_made_ready_leaves_none(
    fake: Callable[..., Fake],
) -> None:
    async def scene() -> None:
        one = fake({"Generate": "kill"}, {"Load": "wait"})
        async with loaded(one) as client:
            await ask(client)
            while len(one.pids) < 2:
                await asyncio.sleep(0.02)

    run(scene())


def test_a_load_that_is_left_early_leaves_no_model_to_restore(fake: Callable[..., Fake]) -> None:
    async def scene() -> None:
        one = fake({})
        async with loaded(one) as client:
            async with aclosing(client.load(LOAD)) as events:
                async for _event in events:
                    break
            os.kill(one.pids[0], signal.SIGKILL)
            await client.reset()
        assert "Load" not in one.kinds(1)

    run(scene())
