"""What stands under an answer: its sources, what they do not hold, and the passages themselves."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from app.assistant.events import Support
from app.assistant.notices import DEMONSTRATION
from app.conversation.wording import MODELS_WORDS
from app.ui.screens.chat import ChatScreen
from app.ui.screens.sources import SourcesScreen, passage_head
from app.ui.screens.unsupported import UnsupportedScreen
from app.ui.widgets.sources import MODEL_ALONE, NO_SOURCE, support_line
from tests.app.ui.fakes import FakeAssistant, Script, passage
from tests.app.ui.helpers import answered, chat_app, in_loop, ready, screen_text, wait_until

SIZE = (100, 40)
TWO = (passage(1), passage(2))
SUPPORT = Support(5, ("The moon helps.", "Drink tea.", "Rest."), ("Take 500 mg of ibuprofen.",))
MODELS = "Glaucoma is a group of diseases"


def fake(script: Script, *, demonstration: bool = False, clinician: bool = False) -> FakeAssistant:
    return FakeAssistant(scripts=[script], demonstration=demonstration, clinician=clinician)


def words(pilot: Pilot[None]) -> str:
    return " ".join(screen_text(pilot).split())


@in_loop
async def test_an_answer_numbers_its_sources_below_it() -> None:
    async with chat_app(fake(Script(passages=TWO))).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        line = "1 Glaucoma 1 - symptoms (Institute 1) · 2 Glaucoma 2 - symptoms (Institute 2)"
        assert line in words(pilot)
        assert words(pilot).index(MODELS) < words(pilot).index(line)
        assert "speaks of halos" not in screen_text(pilot)


@pytest.mark.parametrize(("clinician", "sentence"), [(False, MODEL_ALONE), (True, NO_SOURCE)])
@in_loop
async def test_no_passage_is_said(clinician: bool, sentence: str) -> None:
    app = chat_app(fake(Script(passages=()), clinician=clinician, demonstration=True))
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        assert sentence in screen_text(pilot)
        assert "From the reference" not in screen_text(pilot)


@in_loop
async def test_where_no_reference_was_asked_nothing_is_said_of_one() -> None:
    async with chat_app(fake(Script())).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        assert MODEL_ALONE not in screen_text(pilot)
        assert "Sources" not in screen_text(pilot)


@pytest.mark.parametrize("mode", ["demonstration", "clinician"])
@in_loop
async def test_the_passage_comes_first_and_the_models_words_are_marked(mode: str) -> None:
    assistant = fake(Script(passages=TWO), **{mode: True})
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        order = [
            "From the reference: Glaucoma 1 - symptoms",
            "Passage 1 speaks of halos.",
            "Institute 1, 2024-05-01. Not reviewed by a clinician.",
            MODELS_WORDS,
            MODELS,
            "Sources",
        ]
        places = [screen_text(pilot).index(part) for part in order]
        assert places == sorted(places)
        assert (DEMONSTRATION in screen_text(pilot)) is (mode == "demonstration")


@in_loop
async def test_the_passage_is_there_while_the_model_is_still_silent() -> None:
    assistant = fake(Script(passages=TWO), demonstration=True)
    assistant.hold_prefill = asyncio.Event()
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press(*"Why", "enter")
        await wait_until(pilot, lambda: "speaks of halos" in screen_text(pilot))
        assert MODELS not in screen_text(pilot)


@in_loop
async def test_a_redrawn_answer_has_its_passage_and_sources_again() -> None:
    assistant = fake(Script(passages=TWO, prefill=(), support=SUPPORT), demonstration=True)
    async with chat_app(assistant).run_test(size=SIZE) as pilot:
        await ready(pilot)
        for number in range(22):
            await answered(pilot, f"q{number}")
        await pilot.press("ctrl+o")
        chat = pilot.app.screen_stack[0]
        assert isinstance(chat, ChatScreen)
        await wait_until(pilot, lambda: chat.state.earlier == 0)
        chat._transcript.scroll_home(animate=False)
        await wait_until(pilot, lambda: "From the reference" in screen_text(pilot))
        assert "3 of 5 sentences" in words(pilot)


@in_loop
async def test_a_key_opens_the_passages_and_digits_and_arrows_choose() -> None:
    app = chat_app(fake(Script(passages=TWO)))
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await pilot.press("ctrl+t")
        assert isinstance(app.screen, ChatScreen), "there is nothing to open yet"
        await answered(pilot)
        await pilot.press("ctrl+t")
        await wait_until(pilot, lambda: isinstance(app.screen, SourcesScreen))
        for line in (
            "Source 1 of 2",
            "Glaucoma 1 - symptoms",
            "Source: Institute 1",
            "https://example.org/1",
            "Date: 2024-05-01",
            "Licence: CC BY 4.0",
            "Not reviewed by a clinician.",
            "Passage 1 speaks of halos.",
        ):
            assert line in screen_text(pilot)
        for key, number in (("right", 2), ("right", 1), ("left", 2), ("1", 1), ("2", 2), ("9", 2)):
            await pilot.press(key)
            await pilot.pause()
            assert f"Source {number} of 2" in screen_text(pilot)
            assert f"Passage {number} speaks" in screen_text(pilot)
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, ChatScreen))


@in_loop
async def test_a_long_passage_is_read_by_scrolling() -> None:
    text = "\n\n".join(f"Line {number}." for number in range(60))
    app = chat_app(fake(Script(passages=(passage(1, text),))))
    async with app.run_test(size=(60, 20)) as pilot:
        await ready(pilot)
        await answered(pilot)
        await pilot.press("f12")
        await wait_until(pilot, lambda: "Line 0." in screen_text(pilot))
        for _ in range(12):
            await pilot.press("pagedown")
        await wait_until(pilot, lambda: "Line 59." in screen_text(pilot))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"reviewed_by": "none"}, "Not reviewed by a clinician."),
        ({"reviewed_by": "Dr A. Person"}, "Reviewed by Dr A. Person."),
        ({"date": ""}, "Date: not known"),
        ({"licence": ""}, "Licence: not known"),
        ({"source": ""}, "Source: not known"),
    ],
)
def test_what_is_not_known_is_said(fields: dict[str, str], line: str) -> None:
    assert line in passage_head(passage(1, **fields))


def test_what_does_not_apply_is_left_out() -> None:
    lines = passage_head(replace(passage(1), url="", reviewed_by=""))
    assert all(lines)
    assert not any("reviewed" in line.lower() for line in lines)


@pytest.mark.parametrize(
    ("support", "line"),
    [
        (Support(5, (), ()), ""),
        (Support(5, ("a", "b", "c"), ()), "3 of 5 sentences are not in the sources"),
        (Support(2, ("a",), ()), "1 of 2 sentences is not in the sources"),
        (Support(1, ("a",), ()), "1 of 1 sentence is not in the sources"),
    ],
)
def test_how_much_is_not_in_the_sources(support: Support, line: str) -> None:
    assert support_line(support).startswith(line)
    assert bool(support_line(support)) is bool(line)


@in_loop
async def test_a_key_shows_which_sentences_and_a_dose_asks_for_a_pharmacist() -> None:
    app = chat_app(fake(Script(passages=TWO, support=SUPPORT)))
    async with app.run_test(size=SIZE) as pilot:
        await ready(pilot)
        await answered(pilot)
        dose = "Check with a pharmacist: “Take 500 mg of ibuprofen.”"
        assert "3 of 5 sentences are not in the sources (Ctrl+L shows which)." in words(pilot)
        assert dose in screen_text(pilot)
        assert "The moon helps." not in screen_text(pilot)
        await pilot.press("ctrl+l")
        await wait_until(pilot, lambda: isinstance(app.screen, UnsupportedScreen))
        for sentence in SUPPORT.unsupported:
            assert f"• {sentence}" in screen_text(pilot)
        assert dose in screen_text(pilot)
        assert "It cannot tell whether a sentence is right" in words(pilot)
