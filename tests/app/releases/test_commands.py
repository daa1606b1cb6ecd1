"""Programs of the system, and the environment that pip makes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from app.errors import BadInputError, BedsideError, ResourceError
from app.releases.commands import MISSING, OVERDUE, Outcome, run
from app.releases.environment import make_environment, running_python
from tests.app.releases import bundles

MANIFEST = bundles.manifest("1.0.0", bundles.contents("1.0.0"))


def test_a_program_is_told_nothing_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://elsewhere.example")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    outcome = run(["env"], environment={"HOME": "/made"})
    names = dict(line.split("=", 1) for line in outcome.output.splitlines())
    assert names.keys() - {"PWD", "SHLVL", "_"} == {"PATH", "LC_ALL", "HOME", "PIP_CONFIG_FILE"}
    assert names["HOME"] == "/made"


def test_every_end_has_a_status() -> None:
    assert run(["cat"], stdin=b"words").output == "words"
    assert run(["sh", "-c", "echo first; echo last >&2; exit 9"]) == Outcome(9, "first\n", "last\n")
    assert run(["/nowhere/at/all"]).status == MISSING
    assert run([sys.executable, "-c", "import time; time.sleep(9)"], seconds=0.2).status == OVERDUE
    assert Outcome(9, "said", "").reason == "said"
    assert Outcome(9).reason == "it ended with 9"


def test_the_environment_is_made_of_the_copy_alone(tmp_path: Path) -> None:
    calls: list[Sequence[str]] = []

    def note(command: Sequence[str], **_: object) -> Outcome:
        calls.append(command)
        return Outcome(0)

    make_environment(note, tmp_path, MANIFEST, Path("/place"))
    made, installed = (list(call) for call in calls)
    assert made[1:] == ["-I", "-m", "venv", "--without-pip", "/place"]
    assert installed[0] == "/place/bin/python"
    assert installed[2] == str(tmp_path / "wheels/pip-26.1-py3-none-any.whl/pip")
    assert {"--no-index", "--require-hashes", "--no-deps"} <= set(installed)
    lock = tmp_path / f"locks/cp{running_python().replace('.', '')}.txt"
    assert installed[-1] == str(lock)


@pytest.mark.parametrize(
    ("outcome", "kind", "sentence"),
    [
        (Outcome(1, errors="[Errno 28] No space left on device"), ResourceError, "no room"),
        (Outcome(MISSING, errors="python: No such file"), ResourceError, "Reinstall Python"),
        (Outcome(1, errors="ERROR: hashes do not match"), BadInputError, "hashes do not match"),
    ],
)
@pytest.mark.parametrize("step", [0, 1])
def test_what_pip_may_answer(
    tmp_path: Path, outcome: Outcome, kind: type[BedsideError], sentence: str, step: int
) -> None:
    answers = [Outcome(0)] * step + [outcome]

    def answer(
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        seconds: float = 60,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        return answers.pop(0)

    with pytest.raises(kind, match=sentence):
        make_environment(answer, tmp_path, MANIFEST, tmp_path / "place")
