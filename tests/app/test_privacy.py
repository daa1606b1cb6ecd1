"""A word that is typed in a session with default settings is afterwards nowhere on the disk.

All folders of the session lie in a home of its own, and every file that was changed there, in the
working folder or in shared memory is read. The word is made anew each time, so that no other file
can hold it. Nor can any of the processes reach another machine meanwhile, or leave a core file.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.seccomp import socket_filter
from tests.app.engine import tiny
from tests.app.ui.terminal import run_in_terminal
from tests.shared import ROOT

BEDSIDE = [sys.executable, "-m", "app"]
_ELSEWHERE = {".git", ".venv", ".mypy_cache", ".ruff_cache", ".hypothesis"}


class Home:
    """A home for one session: its environment, its word, and what it left on the disk."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.folder, self.model = folder, str(model)
        self.word = "qz" + "".join(secrets.choice("bdfgklmnprstvx") for _ in range(10))
        self.question = f"Why does my {self.word} hurt in the morning?"
        kinds = ("CONFIG", "STATE", "CACHE", "DATA", "RUNTIME")
        places = {f"XDG_{kind}_HOME": folder / kind.lower() for kind in kinds}
        places |= {"HOME": folder, "TMPDIR": folder / "tmp"}
        places["XDG_RUNTIME_DIR"] = places.pop("XDG_RUNTIME_HOME")
        for place in places.values():
            place.mkdir(exist_ok=True)
        settings = {"BEDSIDE_SAMPLING__MAX_TOKENS": "24", "PYTHONPATH": str(ROOT)}
        self.environ = {**os.environ, **settings, **{k: str(v) for k, v in places.items()}}
        self._begun = time.time() - 2.0

    def run(self, *arguments: str, said: str = "") -> None:
        """Run a command to its end."""
        done = subprocess.run(
            [*BEDSIDE, "--model", self.model, *arguments],
            input=said.encode(),
            capture_output=True,
            timeout=60,
            cwd=self.folder,
            env=self.environ,
        )
        assert done.returncode == 0, done.stderr

    def turns(self) -> int:
        """How many turns the run logs hold."""
        logs = (self.folder / "state").rglob("*.jsonl")
        lines = [line for log in logs for line in log.read_text().split("\n")[:-1]]
        return sum(json.loads(line)["type"] == "turn" for line in lines)

    def wait_for_turns(self, count: int) -> None:
        """Until so many are answered."""
        end = time.monotonic() + 40
        while self.turns() < count:
            assert time.monotonic() < end, "the answer did not come"
            time.sleep(0.05)

    def changed(self) -> Iterator[Path]:
        """Every file that the session can have written."""
        for top in (self.folder, ROOT, Path("/dev/shm")):
            for folder, below, names in os.walk(top):
                below[:] = [name for name in below if name not in _ELSEWHERE]
                for path in (Path(folder, name) for name in names):
                    if _changed_since(path, self._begun):
                        yield path

    def traces(self) -> list[Path]:
        """The files with the word in them or in their names."""
        small = self.word.encode()
        forms = (small, self.word.encode("utf-16-le"), self.word.encode("utf-32-le"))
        found = []
        for path in self.changed():
            raw = _content(path).lower()
            if self.word in str(path).lower() or any(form in raw for form in forms):
                found.append(path)
        return found

    def states(self) -> dict[str, bytes]:
        """The kept prompt states, which hold numbers made of what was read, and no clear words."""
        folder = self.folder / "cache"
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _changed_since(path: Path, moment: float) -> bool:
    try:
        return path.is_file() and not path.is_symlink() and path.stat().st_mtime >= moment
    except OSError:  # it has gone meanwhile
        return False


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # another program's, and gone
        return b""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("models") / "nonsense.gguf", tiny.Tiny(context=4096))


@pytest.fixture
def home(tmp_path: Path, model: Path) -> Home:
    return Home(tmp_path, model)


@pytest.mark.parametrize("name", ["a.log", "state/deep/b.bin", "tmp/{word}.txt"])
def test_the_search_finds_what_is_there(home: Home, name: str) -> None:
    path = home.folder / name.format(word=home.word)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(home.word.upper().encode("utf-16-le" if "deep" in name else "utf-8"))
    assert home.traces() == [path]


def test_ask_leaves_no_word(home: Home) -> None:
    home.run("models", "add", home.model, "--name", "nonsense")
    home.model = "nonsense"  # only a listed model's state is kept
    home.run("ask", "What is glaucoma?")
    before = home.states()
    assert before, "the fixed prompt's state is kept"
    home.run("ask", home.question)
    home.run("ask", "-", said=home.question)
    assert home.turns() == 3, "a log was written"
    assert home.states() == before, "and no state with other words"
    assert home.traces() == []


def test_the_plain_chat_leaves_no_word(home: Home) -> None:
    lines = [home.question, "/again", f"And {home.word}?", "/new", home.question, f"/{home.word}"]
    home.run("chat", "--plain", said="\n".join(lines) + "\n")
    assert home.turns() == 4
    assert home.traces() == []


@pytest.mark.parametrize("ending", ["quit", "killed"])
def test_the_screen_leaves_no_word(home: Home, ending: str) -> None:
    with run_in_terminal("app", "--model", home.model, environ=home.environ) as terminal:
        terminal.read_until(b"ready", seconds=40)
        terminal.send(home.question.encode() + b"\r")
        for _ in range(400):
            terminal.settle_for(0.1)
            if home.turns():
                break
        assert home.turns() == 1
        assert home.word.encode() in terminal.output, "it was typed and drawn"
        if ending == "quit":
            terminal.send(b"\x11")
            assert os.waitstatus_to_exitcode(terminal.wait()) == 0
        else:
            os.kill(terminal.pid, signal.SIGKILL)
            terminal.wait()
    assert home.traces() == []


def test_an_engine_that_is_killed_leaves_no_word(home: Home) -> None:
    with _plain(home) as process:
        _say(process, home.question)
        home.wait_for_turns(1)
        (engine,) = _children(process.pid)
        os.kill(engine, signal.SIGKILL)
        _say(process, home.question)
        home.wait_for_turns(2)
        _close(process)
    assert home.traces() == []


@pytest.mark.skipif(socket_filter() is None, reason="no filter is known for this machine")
def test_both_processes_are_walled_in_while_they_run(home: Home) -> None:
    with _plain(home) as process:
        _say(process, home.question)
        home.wait_for_turns(1)
        engines = _children(process.pid)
        assert len(engines) == 1
        for pid in (process.pid, *engines):
            limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
            (core,) = [line.split()[4:6] for line in limits if line.startswith("Max core file")]
            assert core == ["0", "0"]
            for status in Path(f"/proc/{pid}/task").glob("*/status"):
                fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
                assert fields["NoNewPrivs"] == "1", status
                assert fields["Seccomp"] == "2", status  # a filter, in every thread
        assert not _sockets_to_elsewhere(process.pid, *engines)
        _close(process)


def _plain(home: Home) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*BEDSIDE, "--model", home.model, "chat", "--plain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=home.folder,
        env=home.environ,
    )


def _say(process: subprocess.Popen[bytes], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line.encode() + b"\n")
    process.stdin.flush()


def _close(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 0


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _sockets_to_elsewhere(*pids: int) -> list[str]:
    """Open sockets of the internet's families, as far as their owner may see them."""
    inodes = {
        line.split()[9]
        for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")
        for line in _lines(Path(f"/proc/net/{kind}"))[1:]
    }
    found = []
    for pid in pids:
        try:
            held = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
        except PermissionError:  # it has made itself undumpable, and this is not root
            continue
        found += [one for one in held if one[8:-1] in inodes and one.startswith("socket:")]
    return found


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
