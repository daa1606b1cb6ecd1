"""`bedside history`: nothing before the passphrase, and nothing but what was asked for after it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import root
from app.conversation.turns import Answer, Turn
from app.conversation.vault import DELETED, FOLDER, UNFINISHED, About, Passphrase, Vault
from app.conversation.wording import ENDINGS
from app.knowledge.passage import Passage
from tests.app.conversation.vault.files import CHEAP, WORDS, Oracle, plain_turn
from tests.app.ui.terminal import Terminal, run_in_terminal

EYES = Turn("What is glaucoma?", (Answer("A disease of the eye.", "stop"),))
AGAIN = Turn("And then?", (Answer("Drops.", "cancelled"),))
LEAFLET = Passage(1, "Glaucoma - care", "Ward 3", "", "2025-01-31", "", "Use drops.", 1.0)


@pytest.fixture
def folder(home: Path) -> Path:
    return home / "state" / "bedside" / FOLDER


@pytest.fixture
def kept(folder: Path) -> Path:
    """A conversation of two turns."""
    about = About(model="tiny", demonstration="Do not rely on this.")
    with Vault.create(folder, Passphrase(WORDS), about, CHEAP) as vault:
        vault.keep([EYES, AGAIN])
    os.utime(vault.path, (1e9, 1e9))
    return vault.path


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often a process was sealed; here none is, it would hold for every later test."""
    seals: list[str] = []
    monkeypatch.setattr("app.cli.sealing.seal", lambda: seals.append("sealed"))
    return seals


@pytest.fixture
def history(sealed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runner's input stand for a terminal."""
    monkeypatch.setattr("app.cli.history._at_terminal", lambda: True)


def invoke(*arguments: str, typed: str = WORDS) -> Result:
    return CliRunner().invoke(root, ["history", *arguments], input=f"{typed}\n")


@pytest.mark.usefixtures("history")
def test_titles_come_after_the_passphrase(kept: Path, sealed: list[str]) -> None:
    done = invoke("list")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.strip() == f"{kept.stem}  2001-09-09    2 turns  What is glaucoma?"
    assert "Passphrase" in done.stderr and WORDS not in done.output
    wrong = invoke("list", typed="another passphrase")
    assert (wrong.exit_code, wrong.stdout.strip()) == (2, "")
    assert "opens none" in wrong.stderr and "another passphrase" not in wrong.output
    assert sealed == ["sealed"] * 2


@pytest.mark.usefixtures("history")
def test_the_list_says_what_it_could_not_open(folder: Path, kept: Path) -> None:
    with Vault.create(folder, Passphrase("another passphrase"), cost=CHEAP) as vault:
        vault.rename("Theirs")
    (folder / "00000000.vault").write_bytes(b"")
    with kept.open("ab") as file:
        file.write(b"torn")
    said = invoke("list").stdout
    assert "glaucoma? (its last turn was not finished)\n" in said
    assert "1 more has another passphrase.\n" in said
    assert "00000000  This file is no kept conversation" in said
    assert "Theirs" not in said


@pytest.mark.usefixtures("history")
def test_nothing_kept_needs_no_passphrase(home: Path) -> None:
    done = invoke("list", typed="")
    assert (done.exit_code, done.output) == (0, "No conversation is kept.\n")
    assert list(home.rglob("*")) == []


@pytest.mark.usefixtures("history")
def test_show_and_export_say_the_same(kept: Path, tmp_path: Path) -> None:
    shown = invoke("show", kept.stem)
    assert shown.exit_code == 0, shown.stderr
    file = tmp_path / "talk.md"
    done = invoke("export", kept.stem, str(file))
    assert done.exit_code == 0 and "no longer encrypted" in " ".join(done.stdout.split())
    assert shown.stdout.endswith(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    stopped = f"*({ENDINGS['cancelled']})*"
    for words in ("> What is glaucoma?", "A disease of the eye.", "> And then?", stopped):
        assert words in file.read_text()
    assert "Model: tiny\n\nInformation, not a diagnosis." in file.read_text()
    assert "Do not rely on this." in file.read_text()
    again = invoke("export", kept.stem, str(file))
    assert again.exit_code == 3 and "there already" in again.stderr


@pytest.mark.usefixtures("history")
def test_sources_and_red_flags_are_kept_with_their_turn(folder: Path) -> None:
    answer = (Answer("Drops [1].", "stop"),)
    held = Turn("My eye!", alerts=("Eye: Call 112 now.",))
    with Vault.create(folder, Passphrase(WORDS), cost=CHEAP) as vault:
        vault.keep([held, Turn("And care?", answer, (LEAFLET,), "sent", ("Eye: Call 112 now.",))])
    shown = invoke("show", vault.path.stem).stdout
    assert shown.endswith(
        "> My eye!\n\n**! Eye: Call 112 now.**\n\n*(no answer of the model)*\n\n## Question\n\n"
        "> And care?\n\n**! Eye: Call 112 now.**\n\nDrops [1].\n\nSources:\n\n"
        "1. Glaucoma - care, Ward 3, 2025-01-31\n"
    )


@pytest.mark.usefixtures("history")
def test_a_file_from_before_sources_were_kept_still_reads(folder: Path) -> None:
    folder.mkdir(parents=True)
    old = plain_turn(0, "What is glaucoma?", ("A disease of the eye.", "stop"))
    (folder / "11111111.vault").write_bytes(Oracle().file(b'{"about": {}}', old))
    shown = invoke("show", "11111111")
    assert shown.exit_code == 0, shown.stderr
    assert "A disease of the eye.\n\nSources: none" in shown.stdout


@pytest.mark.usefixtures("history")
def test_a_torn_end_is_said(kept: Path) -> None:
    with kept.open("ab") as file:
        file.write(b"torn")
    done = invoke("show", kept.stem)
    assert done.exit_code == 0 and "Drops." in done.stdout
    assert UNFINISHED in done.stderr


@pytest.mark.usefixtures("history")
def test_damage_is_refused_and_what_is_before_it_can_be_had(kept: Path) -> None:
    raw = bytearray(kept.read_bytes())
    raw[-1] ^= 1
    kept.write_bytes(raw)
    done = invoke("show", kept.stem)
    assert done.exit_code == 3 and "--damaged" in done.stderr and "glaucoma" not in done.output
    saved = invoke("show", "--damaged", kept.stem)
    assert saved.exit_code == 0 and "What is glaucoma?" in saved.stdout
    assert "Drops" not in saved.stdout and "file is damaged" in saved.stderr


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("name", ["../../config", "", "*", "/etc/passwd", "0" * 300])
def test_names_lead_nowhere_else(kept: Path, name: str) -> None:
    for command in ("show", "delete"):
        done = invoke(command, "--", name)
        assert done.exit_code == 2 and "no kept conversation of that name" in done.stderr
    assert kept.exists()


@pytest.mark.usefixtures("history")
def test_delete_asks_and_says_what_it_cannot(kept: Path) -> None:
    assert "Nothing was deleted." in invoke("delete", kept.stem, typed="n").stdout
    assert kept.exists()
    done = invoke("delete", kept.stem, typed="y")
    assert done.exit_code == 0 and DELETED in done.stdout
    assert not kept.exists()


def test_a_pipe_is_no_place_for_a_passphrase(kept: Path, sealed: list[str]) -> None:
    done = invoke("list")
    assert done.exit_code == 2 and "at a terminal only" in done.stderr
    assert sealed == ["sealed"]


def test_at_a_terminal_the_passphrase_is_not_echoed(kept: Path) -> None:
    with run_in_terminal("app", "history", "list") as terminal:
        terminal.read_until(b"Passphrase: ")
        terminal.send(WORDS.encode() + b"\n")
        terminal.read_until(b"glaucoma")
        assert exit_code(terminal) == 0
        assert WORDS.encode() not in terminal.output
        assert kept.stem.encode() in terminal.output


def exit_code(terminal: Terminal) -> int:
    return os.waitstatus_to_exitcode(terminal.wait())
