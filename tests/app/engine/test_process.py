"""The real engine process: what it gives up, what it survives, and that it does not outlive us."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
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
    Message,
    Prefill,
    Sampling,
    Text,
    Warmed,
)
from app.engine.process import engine_command
from app.errors import EngineError
from tests.app.engine.helpers import GREEDY, SETTINGS, SYSTEM, said

ASK = (SYSTEM, Message("user", "What is glaucoma?"))
LONG = Sampling(max_tokens=100_000, temperature=2.0, guard_repetition=False)
STOP_SECONDS = 0.5
BUSY = EngineSettings(
    context=4096, decode_threads=1, prefill_threads=1, micro_batch=2048, extra_buffers=False
)


@asynccontextmanager
async def engine(model: Path, **fields: Any) -> AsyncIterator[EngineClient]:
    """The engine with a model."""
    log = fields.pop("log_path", None)
    client = EngineClient(log_path=log)
    try:
        load = Load(str(model), **{"settings": SETTINGS, **fields})
        *_, last = [event async for event in client.load(load)]
        assert isinstance(last, Loaded), last
        yield client
    finally:
        await client.close()


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 60))


async def answer(client: EngineClient, messages: Any, sampling: Sampling) -> list[Event]:
    return [event async for event in client.generate(messages, sampling)]


def _wait_until(true: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.02)
    return true()


def _alive(pid: int) -> bool:
    """Whether the process runs; one that ended and was not waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _is_idle(pid: int) -> bool:
    """Whether it soon uses next to no processor for a fifth of a second.

    OpenMP's threads spin a little after their work, longer where the machine is busy; an answer
    that went on would keep it busy for the whole second.
    """
    for _attempt in range(5):
        before = _cpu_ticks(pid)
        time.sleep(0.2)
        if _cpu_ticks(pid) - before <= 2:  # hundredths of a second
            return True
    return False


def test_killed_in_an_answer_it_comes_back_with_the_conversation(heavy_model: Path) -> None:
    async def scene() -> None:
        async with engine(heavy_model) as client:
            first = await answer(client, ASK, GREEDY)
            talk = (*ASK, Message("assistant", said(first)), Message("user", "And its signs?"))
            events: list[Event] = []
            async for event in client.generate(talk, replace(LONG, max_tokens=300)):
                if isinstance(event, Text) and len(events) == 5:
                    assert client.pid is not None
                    os.kill(client.pid, signal.SIGKILL)
                events.append(event)
            assert isinstance(events[-1], Failed) and events[-1].code == "died"
            assert sum(isinstance(event, Failed | Finished) for event in events) == 1
            last = (await answer(client, talk, GREEDY))[-1]
            assert isinstance(last, Finished) and last.reason in ("stop", "length")
            assert last.evaluated == last.prompt_tokens, "the new process reads all of it"

    run(scene())


def test_killed_while_loading_it_is_told_and_can_load_again(heavy_model: Path) -> None:
    async def scene() -> None:
        client = EngineClient()
        load = Load(str(heavy_model), replace(SETTINGS, mmap=False))
        events: list[Event] = []
        async for event in client.load(load):
            if not events:
                assert client.pid is not None
                os.kill(client.pid, signal.SIGKILL)
            events.append(event)
        assert isinstance(events[-1], Failed) and events[-1].code == "died"
        *_, last = [event async for event in client.load(load)]
        assert isinstance(last, Loaded)
        await client.close()

    run(scene())


async def _stop(client: EngineClient, when: Callable[[Event], bool], words: int) -> float:
    """Cancel an answer at an event; the seconds until its stream ended."""
    talk = (Message("user", "The doctor asked how many tablets. " * words),)
    asked = False
    stopped = 0.0
    last: Event | None = None
    async for last in client.generate(talk, LONG):
        if not asked and when(last):
            asked = True
            await asyncio.sleep(0.1)  # well into the next micro-batch
            stopped = time.monotonic()
            await client.cancel()
    assert isinstance(last, Finished) and last.reason == "cancelled", last
    return time.monotonic() - stopped


def test_a_stop_is_answered_at_once_and_the_engine_is_idle(heavy_model: Path) -> None:
    """The prompt is one micro-batch, a matter of seconds: only an abort within it is in time."""

    async def scene() -> None:
        async with engine(heavy_model, settings=BUSY) as client:
            prefill = await _stop(client, lambda event: isinstance(event, Prefill), 50)
            assert client.pid is not None and _is_idle(client.pid)
            decode = await _stop(client, lambda event: isinstance(event, Text), 2)
            assert _is_idle(client.pid)
            assert prefill < STOP_SECONDS and decode < STOP_SECONDS, (prefill, decode)
            last = (await answer(client, ASK, GREEDY))[-1]
            assert isinstance(last, Finished) and last.generated > 0

    run(scene())


def test_the_prompt_that_was_stopped_would_have_taken_seconds(heavy_model: Path) -> None:
    """Without this the test above could pass by being quick."""

    async def scene() -> None:
        async with engine(heavy_model, settings=BUSY) as client:
            talk = (Message("user", "The doctor asked how many tablets. " * 50),)
            last = (await answer(client, talk, replace(GREEDY, max_tokens=1)))[-1]
            assert isinstance(last, Finished)
            assert last.prefill_s > 2 * STOP_SECONDS

    run(scene())


def test_a_stream_that_is_left_leaves_an_idle_engine(tiny_model: Path) -> None:
    async def scene() -> None:
        async with engine(tiny_model) as client:
            stream = client.generate(ASK, LONG)
            async for event in stream:
                if isinstance(event, Text):
                    break
            await stream.aclose()
            assert client.pid is not None and _is_idle(client.pid)
            assert isinstance((await answer(client, ASK, GREEDY))[-1], Finished)

    run(scene())


PARENT = """
import asyncio, sys
from app.engine.client import EngineClient
from app.engine.messages import Load, Message, Sampling, Text
from tests.app.engine.helpers import SETTINGS

async def main():
    client = EngineClient()
    async for event in client.load(Load(sys.argv[1], SETTINGS)):
        pass
    print(client.pid, flush=True)
    if sys.argv[2] == "busy":
        sampling = Sampling(max_tokens=10**6, temperature=2.0, guard_repetition=False)
        async for event in client.generate((Message("user", "Hello"),), sampling):
            pass
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_it_dies_with_its_parent(state: str, tiny_model: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tiny_model), state], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert _alive(pid)
        parent.kill()
        assert _wait_until(lambda: not _alive(pid))


def test_ctrl_c_of_the_terminal_does_not_reach_it(tiny_model: Path) -> None:
    """A terminal signals the group in front; the engine is in a session of its own."""

    async def scene() -> None:
        async with engine(tiny_model) as client:
            assert client.pid is not None
            assert os.getsid(client.pid) == client.pid != os.getsid(0)
            assert os.getpgid(client.pid) != os.getpgid(0)

    run(scene())


def test_it_gives_up_what_it_does_not_need(tiny_model: Path) -> None:
    async def scene() -> None:
        async with engine(tiny_model) as client:
            status = Path(f"/proc/{client.pid}/status").read_text()
            assert "NoNewPrivs:\t1" in status
            limits = Path(f"/proc/{client.pid}/limits").read_text()
            (core,) = (line for line in limits.splitlines() if line.startswith("Max core"))
            assert core.split()[4:6] == ["0", "0"]

    run(scene())


def _engine(script: str, log: Path) -> subprocess.Popen[bytes]:
    """The engine, started by a script that changes it."""
    command = [sys.executable, "-c", script, str(os.getpid()), str(log)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_what_libraries_print_goes_to_the_log_and_not_into_the_protocol(tmp_path: Path) -> None:
    """Written to descriptors 1 and 2 by C code before, between and after events."""
    script = (
        "import ctypes, os, sys; from app.engine import __main__ as engine\n"
        "libc = ctypes.CDLL(None)\n"
        "from app.engine import service\n"
        "handle = service.Service.handle\n"
        "def noisy(self, request):\n"
        "    os.write(1, b'from one\\n'); os.write(2, b'from two\\n')\n"
        "    libc.puts(b'from puts'); libc.fflush(None)\n"
        "    handle(self, request)\n"
        "service.Service.handle = noisy\n"
        "engine.main()\n"
    )
    log = tmp_path / "engine.log"
    with _engine(script, log) as process:
        assert process.stdin is not None and process.stdout is not None
        for _ in range(2):
            process.stdin.write(b'{"type":"Count","messages":[]}\n')
            process.stdin.flush()
            assert b"No model is loaded" in process.stdout.readline()
        process.stdin.close()
        assert process.stdout.read() == b""
    assert log.read_bytes().startswith(b"from one\nfrom two\n")
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_parent_that_is_gone_already_is_not_waited_for() -> None:
    done = subprocess.run([*engine_command(None)[:-1], "1"], capture_output=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, b"")


def test_it_ends_with_its_input() -> None:
    done = subprocess.run(engine_command(None), input=b"", capture_output=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_line_it_does_not_understand_ends_it(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    done = subprocess.run(
        engine_command(log), input=b"hello Zyxomma\n", capture_output=True, timeout=30
    )
    assert done.returncode == 1
    assert "EngineError" in log.read_text() and "Zyxomma" not in log.read_text()


@pytest.mark.parametrize("stand", ["link", "folder", "pipe"])
def test_a_log_that_cannot_be_opened_is_done_without(tmp_path: Path, stand: str) -> None:
    log, aim = tmp_path / "engine.log", tmp_path / "precious"
    aim.write_text("as it was")
    match stand:
        case "link":
            log.symlink_to(aim)
        case "folder":
            log.mkdir()
        case "pipe":
            os.mkfifo(log)

    async def scene() -> None:
        client = EngineClient(log_path=log)
        try:
            with pytest.raises(EngineError, match="No model is loaded"):
                await client.count(ASK)
        finally:
            await client.close()

    run(scene())
    assert aim.read_text() == "as it was"


def test_a_defect_is_an_event_and_its_log_holds_no_words(tmp_path: Path) -> None:
    script = (
        "from app.engine import __main__ as engine, service\n"
        "def defect(self, request): raise KeyError(request.messages[0].content)\n"
        "service.Service.handle = defect\n"
        "engine.main()\n"
    )
    log = tmp_path / "engine.log"
    request = b'{"type":"Count","messages":[{"role":"user","content":"Zyxomma"}]}\n'
    with _engine(script, log) as process:
        assert process.stdin is not None and process.stdout is not None
        for _ in range(2):  # it lives on
            process.stdin.write(request)
            process.stdin.flush()
            assert b"defect (KeyError)" in process.stdout.readline()
        process.stdin.close()
    assert "KeyError" in log.read_text() and "Zyxomma" not in log.read_text()


def test_a_session_with_a_user_leaves_no_word_in_the_log(tiny_model: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        log = tmp_path / "engine.log"
        async with engine(
            tiny_model, log_path=log, state_folder=str(tmp_path / "p"), model_sha256="ab"
        ) as client:
            assert isinstance(await client.warm([SYSTEM]), Warmed)
            await answer(client, (SYSTEM, Message("user", "Zyxomma?" * 4)), GREEDY)
            await answer(client, (SYSTEM, Message("user", "Zyxomma?" * 4000)), GREEDY)
        for path in tmp_path.rglob("*"):
            assert path.is_dir() or b"Zyxomma" not in path.read_bytes()

    run(scene())
