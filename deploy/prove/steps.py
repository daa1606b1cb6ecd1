"""What is done to an emulated board, and what must come of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from deploy.prove.machine import Board, Done
from deploy.prove.telling import Telling

STICK: Final = "/media/stick"
PROFILE: Final = ("--board", "pi5-8gb")
QUESTIONS: Final = ("What is asthma?", "What causes gout?", "What is anaemia?")
TOLERANCE: Final = 0.25
"""By which a logit may differ. The two machines round a product of 4-bit weights differently; so do
two kernels of one machine: with and without repacked weights, x86-64's were 0.12 apart."""
_ENVIRONMENT: Final = "/opt/bedside/current/venv"
_PYTHON: Final = f"{_ENVIRONMENT}/bin/python"
_CONNECT: Final = """
import socket
try:
    socket.create_connection(("192.0.2.1", 9), 5)
except OSError as error:
    print(error.strerror)
"""
_SYSTEM_INFO: Final = "import llama_cpp; print(llama_cpp.llama_print_system_info().decode())"
_REFUSED: Final = (2, 3)
"""Exit codes of a use or an input that is refused in words; a crash ends in others."""


def ask(question: str) -> list[str]:
    """What `bedside` is told for a greedy answer."""
    greedy = ["--temperature", "0", "--max-tokens", "48", "--no-log"]
    return [*PROFILE, "ask", *greedy, question]


def probe() -> str:
    """The program that both machines run to be compared, as text."""
    return Path(__file__).with_name("probe.py").read_text()


def install(board: Board, bundle: str, fingerprint: str) -> Done:
    """Runs the bundle's installer from the stick."""
    script = f"{STICK}/{bundle}/install.sh"
    named = ("--board", "pi5", "--fingerprint", fingerprint)
    return board.run("sh", script, "--no-systemd", *named)


def bare(board: Board, telling: Telling) -> None:
    """The board before anything is done on it."""
    telling.say("The board, before anything is installed:")
    telling.holds("its processor is 64-bit ARM", board.must("uname", "-m").strip() == "aarch64")
    telling.holds("its Python has no pip", board.run("python3", "-c", "import pip").status == 1)
    network = board.must("python3", "-c", _CONNECT).strip()
    telling.holds("it has no network", network == "Network is unreachable", network)
    written = board.run("touch", f"{STICK}/mark")
    telling.holds("the stick cannot be written", written.status != 0)


def installed(board: Board, bundle: str, version: str, fingerprint: str, telling: Telling) -> None:
    """The first installation."""
    telling.say(f"`sh install.sh` of {version}:")
    began = time.monotonic()
    done = install(board, bundle, fingerprint)
    minutes = (time.monotonic() - began) / 60
    telling.holds("it ends well", done.status == 0, done.words)
    telling.holds(f"`current` is {version}", running(board) == version)
    telling.say(f"        It took {minutes:.0f} minutes under emulation beside other work, which")
    telling.say("        says nothing about a board.")
    again = install(board, bundle, fingerprint)
    last = again.words.splitlines()[-1]
    telling.holds("a second time changes nothing", again.status in _REFUSED, last)


def doctored(board: Board, telling: Telling) -> None:
    """What `bedside doctor` finds on it."""
    telling.say("`bedside doctor --json`:")
    done = board.run("bedside", *PROFILE, "doctor", "--json")
    checks: list[dict[str, Any]] = json.loads(done.output)["checks"] if done.output else []
    for check in checks:
        telling.say(f"        {check['state']:<12} {check['id']}: {check['found']}")
    telling.holds("nothing essential is amiss", done.status == 0 and bool(checks), done.errors)
    info = board.must(_PYTHON, "-I", "-c", _SYSTEM_INFO).strip()
    features = ("DOTPROD = 1", "FP16_VA = 1", "OPENMP = 1")
    telling.holds(
        "llama.cpp multiplies with the dot product", all(one in info for one in features), info
    )


def answers(board: Board, expected: Mapping[str, str], telling: Telling) -> None:
    """Greedy answers, beside those of this machine.

    The first must be the same, word for word. Of the others it is told whether they are: where two
    tokens are all but equally likely, the two machines' rounding may choose either, and how far
    their rounding is apart is what `tokens` shows.
    """
    for place, (question, wanted) in enumerate(expected.items()):
        done = board.run("bedside", *ask(question))
        found = done.output.strip()
        same = found == wanted
        if place == 0:
            told = f"“{question}” is answered as on x86-64, word for word"
            telling.holds(told, same, found if same else done.words)
        else:
            telling.say(f"        “{question}” is answered {'the same' if same else 'otherwise'}.")
        for name, mine, other in (("board", found, wanted), ("x86-64", wanted, found)):
            for line in mine.splitlines():
                if line not in other.splitlines():
                    telling.say(f"          {name:7} {line}")


def tokens(board: Board, here: str, model: str, telling: Telling) -> None:
    """The bare model's next tokens, beside those of this machine, and the logits of the first.

    Args:
        board: with a release.
        here: what the probe printed on this machine.
        model: the file's name.
        telling: gets the outcome.
    """
    path = f"{_ENVIRONMENT}/share/bedside/{model}"
    found, wanted = json.loads(board.must(_PYTHON, "-I", "-c", probe(), path)), json.loads(here)
    pairs = zip(found["ids"], wanted["ids"], strict=True)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    logits = wanted["logits"]
    apart = [abs(found["logits"].get(one, 0.0) - logits[one]) for one in logits]
    telling.say(f"        Of {len(wanted['ids'])} likeliest tokens the first {same} are the same.")
    told = f"the ten likeliest logits of the first step are within {TOLERANCE} of x86-64's"
    near = all(one <= TOLERANCE for one in apart)
    telling.holds(told, near, f"furthest apart: {max(apart):.4f}")


def updated(board: Board, bundle: str, version: str, telling: Telling) -> None:
    """An update by the installed program."""
    telling.say(f"`bedside update` to {version}:")
    done = board.run("bedside", "update", f"{STICK}/{bundle}")
    telling.holds("it ends well", done.status == 0, done.words)
    telling.holds(f"`current` is {version}", running(board) == version)


def broken_and_back(board: Board, version: str, earlier: str, telling: Telling) -> None:
    """The new release is broken, as a failing card would, and the one before comes back."""
    telling.say(f"A library of {version} is cut short, then `bedside rollback`:")
    libraries = f"/opt/bedside/releases/{version}/venv/lib/python3.11/site-packages/llama_cpp/lib"
    board.must("truncate", "--size=1000", f"{libraries}/libllama.so")
    done = board.run("bedside", *ask(QUESTIONS[0]))
    silent = done.status not in (0, 1) and not done.output.strip()
    telling.holds("it says so and gives no answer", silent, done.words)
    done = board.run("bedside", "rollback")
    telling.holds("the rollback ends well", done.status == 0, done.words)
    telling.holds(f"`current` is {earlier}", running(board) == earlier)


def refuses_another_processor(
    board: Board, bundle: str, fingerprint: str, telling: Telling
) -> None:
    """The same bundle on a processor without the dot product."""
    telling.say("The same bundle on a Cortex-A72, as a Raspberry Pi 4 has:")
    done = install(board, bundle, fingerprint)
    refused = done.status in _REFUSED and "asimddp" in done.words
    telling.holds("it is refused in words", refused, done.words)
    telling.holds("nothing was changed", nothing_installed(board))


def refuses_damage(
    board: Board, bundle: str, path: str, fingerprint: str, telling: Telling
) -> None:
    """The installer before a bundle of which one file is damaged."""
    done = install(board, bundle, fingerprint)
    last = done.words.splitlines()[-1]
    telling.holds(f"a byte flipped in {path}", done.status in _REFUSED, last)


def nothing_installed(board: Board) -> bool:
    """Whether the board is as it was."""
    places = ("/opt/bedside", "/etc/bedside", "/usr/local/bin/bedside", "/var/lib/bedside")
    return all(board.run("test", "-e", place).status == 1 for place in places)


def running(board: Board) -> str:
    """The version that `current` leads to."""
    return Path(board.must("readlink", "/opt/bedside/current").strip()).name
