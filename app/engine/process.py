"""The engine's process as the app sees it: started, written to, read from, and why it ended."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from app.engine.memorykills import memory_kills
from app.engine.messages import Event, Quit, Request, decode_event, encode
from app.errors import EngineError

_LONGEST_LINE = 16 << 20
"""Bytes of one event; a Loaded with its census is the longest real one, a few thousand."""
_QUIT_SECONDS = 2.0


class Died(EngineError):
    """The process ended by itself; the sentence says why as far as can be known.

    Args:
        returncode: as the system has it, negative for a signal.
        starved: the kernel has ended a process for want of memory while this one ran.
    """

    def __init__(self, returncode: int, starved: bool = False) -> None:
        super().__init__(_why(returncode, starved))
        self.crashed = -returncode in _CRASHES


_CRASHES = (signal.SIGSEGV, signal.SIGILL, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE)


def engine_command(log_path: Path | None) -> list[str]:
    """How the engine is started: isolated, so that no folder it runs in can slip code into it."""
    command = [sys.executable, "-I", "-m", "app.engine", str(os.getpid())]
    return command if log_path is None else [*command, str(log_path)]


class EngineProcess:
    """A running engine. Made by `start`; every read or write may raise Died."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._closed = False
        self._kills_before = memory_kills()

    @classmethod
    async def start(cls, command: Sequence[str]) -> EngineProcess:
        """Start the process, in a session of its own: Ctrl-C and Ctrl-Z are for the screen.

        Raises EngineError where the system makes no process.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                limit=_LONGEST_LINE,
            )
        except OSError as error:
            raise EngineError(
                f"The engine cannot be started ({error.strerror}). Close other programs, or look "
                "at the installation with `bedside doctor`."
            ) from error
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked anything: it runs, and nobody has begun to close it."""
        return self._process.returncode is None and not self._closed

    async def send(self, request: Request) -> None:
        """Write a request. One that the process no longer takes is told by the next `receive`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(encode(request))
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return  # the end of its output says so too, with the reason

    async def receive(self) -> Event:
        """The next event. Raises Died, and EngineError where what came is none."""
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
        except ValueError as error:
            raise EngineError("The engine sent a line without end.") from error
        if not line.endswith(b"\n"):
            raise Died(await self._process.wait(), self._starved())
        return decode_event(line)

    async def close(self) -> None:
        """End the process, by force where it does not go by itself or nobody waits for it."""
        self._closed = True
        try:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._quit(), _QUIT_SECONDS)
        finally:
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def _quit(self) -> None:
        if self._process.returncode is None:
            await self.send(Quit())
        await self._process.wait()

    def _starved(self) -> bool:
        kills = memory_kills()
        return None not in (kills, self._kills_before) and kills != self._kills_before


def _why(returncode: int, starved: bool) -> str:
    if returncode == -signal.SIGKILL and starved:
        return (
            "Memory ran out, and the system ended the engine, not the screen. Try again; if it "
            "comes back, choose a smaller model or a shorter context."
        )
    if returncode == -signal.SIGKILL:
        return "The engine was killed from outside, most likely because memory ran out."
    if -returncode in _CRASHES:
        return f"The engine crashed inside llama.cpp ({signal.Signals(-returncode).name})."
    if returncode < 0:
        return f"The engine was ended by a signal ({signal.Signals(-returncode).name})."
    return f"The engine ended unexpectedly (exit code {returncode})."
