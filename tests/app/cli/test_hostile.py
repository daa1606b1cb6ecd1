"""Text that means harm, written line by line: a terminal, a pipe and a log show it as text."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import root
from app.engine.messages import Failed, Text
from app.knowledge.passage import Passage
from tests.app.assistant.fakes import FINISHED, LOADED, FakeEngine
from tests.app.ui.test_hostile import HOSTILE

COMMANDS = {"ask": (["ask"], ""), "plain": (["chat", "--plain"], "\n/again\n")}


class HostileReference:
    """Every field of what it finds is the same text."""

    def __init__(self, text: str) -> None:
        self._passage = Passage(1, text, text, text, text, text, text, 1.0, text)

    def prepare(self) -> None:
        """Nothing."""

    def search(
        self, question: str, limit: int = 3, *, earlier: Sequence[str] = ()
    ) -> Sequence[Passage]:
        return [self._passage]


def said(way: str, question: str) -> str:
    """All that the command writes, on stdout and stderr."""
    command, rest = COMMANDS[way]
    if way == "ask":
        done = CliRunner().invoke(root, [*command, question])
    else:
        done = CliRunner().invoke(root, command, input=f"{' '.join(question.split())}{rest}")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.stdout + done.stderr


def unsafe(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs")} - {"\n", "\t"}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("way", COMMANDS)
@pytest.mark.parametrize("demonstration", [True, False])
def test_what_is_written_is_text(
    scripted: Callable[..., FakeEngine], kind: str, way: str, demonstration: bool
) -> None:
    hostile, shown = HOSTILE[kind]
    engine = scripted(demonstration, lambda: HostileReference(hostile))
    engine.loading = [replace(LOADED, name=hostile)]
    engine.answer = [*(Text(letter, n) for n, letter in enumerate(hostile, 1)), FINISHED]
    text = said(way, f"Why? {hostile}")
    assert not unsafe(text)
    assert " ".join(text.split()).count(shown.strip()) >= 2, "passage and answer"


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("way", COMMANDS)
@pytest.mark.parametrize("when", ["loading", "answering"])
def test_a_failure_that_quotes_a_file_is_text(
    scripted: Callable[..., FakeEngine], kind: str, way: str, when: str
) -> None:
    hostile, shown = HOSTILE[kind]
    engine = scripted()
    failed = Failed("internal", f"The model is called {hostile}.")
    if when == "loading":
        engine.loading = [failed]
    else:
        engine.answer = [failed]
    text = said(way, "Why?")
    assert not unsafe(text)
    assert shown in " ".join(text.split())


@pytest.mark.parametrize("kind", HOSTILE)
def test_an_index_that_somebody_wrote_into_is_text(home: Path, kind: str) -> None:
    hostile, shown = HOSTILE[kind]
    assert CliRunner().invoke(root, ["knowledge", "search", "gout"]).exit_code == 0
    with closing(sqlite3.connect(home / "data" / "bedside" / "reference.db")) as index:
        fields = ("title", "source", "url", "date", "text")
        index.execute(
            f"UPDATE passage SET {', '.join(f'{one} = ?1' for one in fields)}", (hostile,)
        )
        index.execute("UPDATE document SET title = ?1, source = ?1, licence = ?1", (hostile,))
        index.commit()
    for arguments in (["search", "gout"], ["list"]):
        text = CliRunner().invoke(root, ["knowledge", *arguments]).stdout
        assert not unsafe(text)
        assert shown in " ".join(text.split())
