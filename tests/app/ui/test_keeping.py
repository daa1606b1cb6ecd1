"""Keeping a conversation: asked for, said plainly, and never in the way of the chat."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from app.conversation.turns import Answer, Turn
from app.conversation.vault import Passphrase, Vault, kept_files, read_vault
from app.errors import ResourceError
from app.ui.app import BedsideApp, run_chat
from app.ui.keeping import Keeping
from app.ui.ports import ChatSettings, KioskSettings
from app.ui.screens.chat import ChatScreen
from app.ui.screens.passphrase import PassphraseScreen
from tests.app.ui.fakes import FakeAssistant, Script
from tests.app.ui.helpers import (
    NOTICE,
    answered,
    ask,
    chat_app,
    in_loop,
    ready,
    screen_text,
    wait_until,
)

SIZE = (100, 40)
WORDS = "four unrelated words here"


class Keeper:
    """Remembers what it was given; fails while it is told to, and takes the time it is given."""

    def __init__(self) -> None:
        self.passphrases: list[str] = []
        self.turns: tuple[Turn, ...] = ()
        self.failures = 0
        self.full = self.closed = False
        self.opening, self.writing = threading.Event(), threading.Event()
        self.opening.set()
        self.writing.set()
        self._one_at_a_time = threading.Lock()

    def __call__(self, passphrase: str) -> Keeper:
        self.passphrases.append(passphrase)
        assert self.opening.wait(10)
        return self

    def keep(self, turns: Sequence[Turn]) -> None:
        assert self._one_at_a_time.acquire(blocking=False), "two threads write one file"
        assert not self.closed
        try:
            assert self.writing.wait(10)
            if self.full:
                self.failures += 1
                raise ResourceError("The last turn is not kept (the disk is full).")
            self.turns = tuple(turns)
        finally:
            self._one_at_a_time.release()

    def close(self) -> None:
        assert not self._one_at_a_time.locked()
        self.closed = True

    @property
    def questions(self) -> list[str]:
        return [turn.question for turn in self.turns]


class Desk:
    """A conversation that is kept, without a screen."""

    def __init__(self, open_keeper: Callable[[str], Keeper]) -> None:
        self.assistant = FakeAssistant()
        self.told: list[str] = []
        self.keeping = Keeping(self.assistant, open_keeper, lambda told, _: self.told.append(told))

    def say(self, question: str) -> None:
        self.assistant.conversation.ask(question)
        self.assistant.conversation.add_answer(Answer("Yes.", "stop"))


async def started(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """As far as it comes before it waits for a thread."""
    task = asyncio.create_task(work)
    await asyncio.sleep(0.01)
    return task


async def abandoned(work: Coroutine[Any, Any, None]) -> None:
    """As a screen that closes leaves its workers."""
    task = await started(work)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def words(pilot: Pilot[None]) -> str:
    return " ".join(screen_text(pilot).replace("│", "").split())


async def keep(pilot: Pilot[None], first: str = WORDS, second: str = WORDS) -> None:
    await pilot.press("ctrl+k")
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, PassphraseScreen))
    await fill(pilot, first, second)


async def fill(pilot: Pilot[None], first: str, second: str) -> None:
    pilot.app.screen.query_one("#first", Input).value = first
    await pilot.press("enter")
    pilot.app.screen.query_one("#second", Input).value = second
    await pilot.press("enter")
    await pilot.pause()


def in_chat(pilot: Pilot[None]) -> Callable[[], bool]:
    return lambda: isinstance(pilot.app.screen, ChatScreen)


@in_loop
async def test_it_asks_twice_hides_what_is_typed_and_says_what_cannot_be_undone() -> None:
    keeper = Keeper()
    async with chat_app(FakeAssistant(), keep=keeper).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+k")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, PassphraseScreen))
        assert "A lost passphrase cannot be recovered" in words(pilot)
        await pilot.press(*"secret")
        assert "secret" not in screen_text(pilot)
        for first, second, complaint in (
            (WORDS, "other words", "The two are not the same."),
            ("short", "short", "The passphrase is too short"),
        ):
            await fill(pilot, first, second)
            assert complaint in words(pilot)
            assert keeper.passphrases == []
        await fill(pilot, WORDS, WORDS)
        await wait_until(pilot, in_chat(pilot))
        await wait_until(pilot, lambda: "This conversation is kept, encrypted" in words(pilot))
        assert keeper.passphrases == [WORDS]


@in_loop
async def test_esc_keeps_nothing() -> None:
    keeper = Keeper()
    async with chat_app(FakeAssistant(), keep=keeper).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+k")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, PassphraseScreen))
        await pilot.press("escape")
        await wait_until(pilot, in_chat(pilot))
        await answered(pilot)
        assert keeper.passphrases == []


@in_loop
async def test_it_is_kept_from_the_first_question_on_turn_by_turn() -> None:
    keeper = Keeper()
    async with chat_app(FakeAssistant(), keep=keeper).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot, "One?")
        await keep(pilot)
        await wait_until(pilot, lambda: len(keeper.turns) == 1)
        await answered(pilot, "Two?")
        await wait_until(
            pilot, lambda: [turn.question for turn in keeper.turns] == ["One?", "Two?"]
        )
        await pilot.press("ctrl+k")
        assert isinstance(pilot.app.screen, ChatScreen), "it is kept already"
        await pilot.press("ctrl+n", "ctrl+n")
        await wait_until(pilot, lambda: keeper.closed)
        await wait_until(pilot, lambda: pilot.app.screen_stack[0].state.turns == 0)  # type: ignore[attr-defined]
        await answered(pilot, "Another person's")
        assert [turn.question for turn in keeper.turns] == ["One?", "Two?"]


@in_loop
async def test_a_full_disk_is_said_once_and_the_chat_goes_on() -> None:
    keeper = Keeper()
    async with chat_app(FakeAssistant(), keep=keeper).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await keep(pilot)
        await wait_until(pilot, lambda: "is kept, encrypted" in words(pilot))
        keeper.full = True
        await answered(pilot, "One?")
        await wait_until(pilot, lambda: "the disk is full" in words(pilot))
        pilot.app.query_one("HintLine").clear()  # type: ignore[attr-defined]
        await answered(pilot, "Two?")
        await wait_until(pilot, lambda: keeper.failures == 2)
        assert "the disk is full" not in words(pilot)
        keeper.full = False
        await answered(pilot, "Three?")
        await wait_until(pilot, lambda: "could be kept again, whole" in words(pilot))
        assert len(keeper.turns) == 3


@in_loop
async def test_a_stopped_answer_is_kept_when_a_new_conversation_begins() -> None:
    keeper = Keeper()
    assistant = FakeAssistant(hold_text=asyncio.Event())
    async with chat_app(assistant, keep=keeper).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await keep(pilot)
        await wait_until(pilot, lambda: "is kept, encrypted" in words(pilot))
        await ask(pilot, "One?")
        await wait_until(pilot, lambda: "See a doctor" in screen_text(pilot))
        await pilot.press("ctrl+n", "ctrl+n")
        await wait_until(pilot, lambda: keeper.closed)
        assert [turn.question for turn in keeper.turns] == ["One?"]


@pytest.mark.parametrize("full", [False, True])
def test_what_ended_last_is_kept_when_the_chat_ends(
    full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the screen is gone before the file was written; a failure is an error then."""
    keeper = Keeper()

    async def steps(pilot: Pilot[Any]) -> None:
        await ready(pilot)
        await keep(pilot)
        await wait_until(pilot, lambda: "is kept, encrypted" in words(pilot))
        monkeypatch.setattr(Keeping, "update", no_update)
        await answered(pilot, "Last?")
        keeper.full = full
        pilot.app.exit()

    async def no_update(_keeping: Keeping) -> None:
        """The screen was quicker."""

    headless = partial(BedsideApp.run_async, headless=True, size=SIZE, auto_pilot=steps)
    monkeypatch.setattr(BedsideApp, "run_async", lambda app: headless(app))
    assistant = FakeAssistant()
    settings = ChatSettings(NOTICE, keep=keeper)
    if full:
        with pytest.raises(ResourceError, match="disk is full"):
            run_chat(assistant, settings)
    else:
        run_chat(assistant, settings)
        assert [turn.question for turn in keeper.turns] == ["Last?"]
    assert keeper.closed
    assert assistant.closed


@in_loop
async def test_a_chat_that_ends_while_the_key_is_made_is_kept() -> None:
    keeper = Keeper()
    desk = Desk(keeper)
    desk.say("One?")
    keeper.opening.clear()
    await abandoned(desk.keeping.begin(WORDS))
    finishing = await started(desk.keeping.finish())
    keeper.opening.set()
    await finishing
    assert (keeper.questions, keeper.closed) == (["One?"], True)


@in_loop
async def test_a_file_that_cannot_be_made_is_said_although_the_chat_ended_meanwhile() -> None:
    go_on = threading.Event()

    def refuse(_passphrase: str) -> Keeper:
        assert go_on.wait(10)
        raise ResourceError("The folder cannot be made.")

    desk = Desk(refuse)
    await abandoned(desk.keeping.begin(WORDS))
    go_on.set()
    with pytest.raises(ResourceError, match="cannot be made"):
        await desk.keeping.finish()


@in_loop
async def test_a_new_conversation_while_the_key_is_made_is_not_kept() -> None:
    keeper = Keeper()
    desk = Desk(keeper)
    desk.say("One?")
    keeper.opening.clear()
    beginning = await started(desk.keeping.begin(WORDS))
    assert not desk.keeping.possible
    finishing = await started(desk.keeping.finish())
    keeper.opening.set()
    await finishing
    await beginning
    desk.assistant.conversation.clear()
    desk.say("Another person's?")
    await desk.keeping.update()
    await desk.keeping.finish()
    assert (keeper.questions, keeper.closed) == (["One?"], True)
    assert desk.keeping.possible, "and may ask for it"


@in_loop
async def test_a_chat_that_ends_while_a_turn_is_written_waits_for_it() -> None:
    keeper = Keeper()
    desk = Desk(keeper)
    await desk.keeping.begin(WORDS)
    desk.say("One?")
    keeper.writing.clear()
    await abandoned(desk.keeping.update())
    desk.say("Two?")
    finishing = await started(desk.keeping.finish())
    assert not finishing.done() and not keeper.closed
    await abandoned(desk.keeping.update())
    keeper.writing.set()
    await finishing
    assert (keeper.questions, keeper.closed) == (["One?", "Two?"], True)


@in_loop
async def test_what_failed_for_nobody_is_said_at_the_end() -> None:
    """Whoever would have told it has gone with the screen."""
    keeper = Keeper()
    desk = Desk(keeper)
    await desk.keeping.begin(WORDS)
    desk.say("One?")
    keeper.full = True
    keeper.writing.clear()
    await abandoned(desk.keeping.update())
    keeper.writing.set()
    with pytest.raises(ResourceError, match="disk is full"):
        await desk.keeping.finish()
    assert keeper.closed


@in_loop
async def test_a_folder_that_cannot_be_written_is_said() -> None:
    def refuse(_passphrase: str) -> Keeper:
        raise ResourceError("The folder cannot be made. Check the disk.")

    async with chat_app(FakeAssistant(), keep=refuse).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await keep(pilot)
        await wait_until(pilot, lambda: "The folder cannot be made." in words(pilot))
        await answered(pilot)


@pytest.mark.parametrize("kiosk", [KioskSettings(), None])
@in_loop
async def test_where_nothing_can_be_kept_nothing_is_asked(kiosk: KioskSettings | None) -> None:
    app = chat_app(FakeAssistant(), kiosk=kiosk, keep=Keeper() if kiosk else None)
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+k")
        await pilot.pause()
        assert isinstance(app.screen, ChatScreen)


@in_loop
async def test_the_real_vault_holds_the_conversation_and_no_word_in_clear(tmp_path: Path) -> None:
    def begin(passphrase: str) -> Vault:
        return Vault.create(tmp_path, Passphrase(passphrase))

    assistant = FakeAssistant(scripts=[Script(pieces=["Marzipan."])])
    async with chat_app(assistant, keep=begin).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot, "Quokka?")
        await keep(pilot)
        await wait_until(pilot, lambda: "is kept, encrypted" in words(pilot), seconds=20)
        await answered(pilot, "Wombat?")
        [path] = kept_files(tmp_path)
        before = path.stat().st_size
        await wait_until(pilot, lambda: len(turns(path)) == 2, seconds=20)
        assert path.stat().st_size >= before
    assert [turn.question for turn in turns(path)] == ["Quokka?", "Wombat?"]
    assert [turn.answers[0].text for turn in turns(path)] == ["Marzipan."] * 2
    raw = path.read_bytes()
    assert not any(word in raw for word in (b"Quokka", b"Wombat", b"Marzipan", WORDS.encode()))


def turns(path: Path) -> tuple[Turn, ...]:
    return read_vault(path, Passphrase(WORDS)).turns
