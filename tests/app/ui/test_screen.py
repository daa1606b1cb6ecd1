"""How the chat looks and behaves: every size, the glyphs of the console, scrolling, pasting."""

from __future__ import annotations

import asyncio
import re

import pytest
from textual import events
from textual.pilot import Pilot

from app.assistant.events import Asked, Failed, Support
from app.safety import Level
from app.ui.state import Phase
from app.ui.theme import few_colours
from app.ui.widgets.prompt import LONGEST, Prompt
from app.ui.widgets.transcript import Transcript
from tests.app.ui.fakes import (
    QUESTIONS,
    FakeAssistant,
    FakeMonitor,
    Script,
    alert,
    passage,
    pieces,
)
from tests.app.ui.helpers import (
    NOTICE,
    answered,
    ask,
    chat_app,
    in_loop,
    phase,
    ready,
    screen_text,
    wait_until,
)

CONSOLE = (
    set(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100), *range(0x2500, 0x2580)]))
    | set("•…–—“”‘’°µ×≤≥≈±●■▲▼◀▶←↑→↓█░▒✗")
    | {"\n"}
)
"""What the usual large console font has (Terminus 16x32; notes/textual.md 4.6)."""

LONG = "\n\n".join(f"Paragraph {n} of a long answer." for n in range(40))
EVERYTHING = """# One
## Two
### Three
Text with **bold**, *other*, `code` and ~~struck~~.

- first
  - second
    - third
      - fourth

1. one
2. two

> quoted

| a | b |
|---|---|
| 1 | 2 |

```python
code = 1
```

---
The end."""


def transcript(pilot: Pilot[None]) -> Transcript:
    return pilot.app.query_one(Transcript)


def at_end(pilot: Pilot[None]) -> bool:
    widget = transcript(pilot)
    return widget.scroll_y >= widget.max_scroll_y


@pytest.mark.parametrize("console", [True, False])
@in_loop
async def test_every_glyph_is_in_the_console_font(console: bool) -> None:
    support = Support(3, ("One.",), ("Take 5 mg of it.",))
    asked = Asked("chest", QUESTIONS)
    scripts = [
        Script(pieces=pieces(EVERYTHING), notice="A note.", alert=alert(Level.TODAY)),
        Script(reason="length", passages=(passage(), passage(2)), support=support, asked=asked),
        Script(failed=Failed("died", "The engine stopped."), alert=alert(), passages=()),
    ]
    assistant = FakeAssistant(scripts=scripts, demonstration=True)
    app = chat_app(assistant, monitor=FakeMonitor(), console=console)
    seen: set[str] = set()
    async with app.run_test(size=(80, 24)) as pilot:
        seen |= set(screen_text(pilot))
        await ready(pilot)
        for question in ("One?", "Two?", "Three?"):
            await answered(pilot, question)
            seen |= set(screen_text(pilot))
            for key in ("ctrl+t", "right", "escape", "ctrl+l", "escape", "ctrl+g"):
                await pilot.press(key)
                await pilot.pause()
                seen |= set(screen_text(pilot))
        transcript(pilot).scroll_home(animate=False)
        await pilot.pause()
        seen |= set(screen_text(pilot))
        await pilot.resize_terminal(80, 90)
        await pilot.pause()
        assert "• first" in screen_text(pilot)
        seen |= set(screen_text(pilot))
        await pilot.resize_terminal(80, 24)
        keys = ("f3", "ctrl+n", "up", "f1", "escape", "f2", "down", "escape", "f8", "escape")
        for key in (*keys, "ctrl+s"):
            await pilot.press(key)
            await pilot.pause()
            seen |= set(screen_text(pilot))
    assert seen <= CONSOLE, sorted(seen - CONSOLE)


@in_loop
async def test_the_scroll_bar_is_made_of_whole_cells() -> None:
    app = chat_app(FakeAssistant(scripts=[Script(pieces=pieces(LONG))]))
    async with app.run_test(size=(60, 20)) as pilot:
        await ready(pilot)
        await answered(pilot)
        for y in range(0, int(transcript(pilot).max_scroll_y), 3):
            transcript(pilot).scroll_to(y=y, animate=False)
            await pilot.pause()
            assert {line[-1:] for line in screen_text(pilot).splitlines()} <= {"", *CONSOLE}


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 12), (200, 60)])
@in_loop
async def test_the_notice_and_the_prompt_are_there_at_every_size(size: tuple[int, int]) -> None:
    app = chat_app(FakeAssistant(), monitor=FakeMonitor())
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        await answered(pilot)
        shown = " ".join(screen_text(pilot).split())
        assert NOTICE in shown
        assert "Type your question here" in shown
        assert "tokens" in shown


@in_loop
async def test_it_survives_a_window_of_one_cell() -> None:
    app = chat_app(FakeAssistant(scripts=[Script(pieces=pieces(EVERYTHING))]))
    async with app.run_test(size=(1, 1)) as pilot:
        await ready(pilot)
        await answered(pilot)
        for key in ("f3", "f1", "escape", "f2", "escape", "pageup", "f7"):
            await pilot.press(key)
            await pilot.pause()
        await pilot.resize_terminal(80, 24)
        await wait_until(pilot, lambda: "The end." in screen_text(pilot))
        await pilot.resize_terminal(1, 1)
        await pilot.resize_terminal(3, 40)
        await pilot.resize_terminal(80, 24)
        await wait_until(pilot, lambda: NOTICE in screen_text(pilot))


@in_loop
async def test_it_follows_the_end_until_the_reader_scrolls_up() -> None:
    gate = asyncio.Event()
    text = [*pieces(LONG), " The last words."]
    assistant = FakeAssistant(scripts=[Script(pieces=text)], hold_text=gate)
    async with chat_app(assistant).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await ask(pilot, "Why?")
        await wait_until(pilot, lambda: "Paragraph 39" in screen_text(pilot))
        await pilot.press("pageup")
        await pilot.pause()
        before = transcript(pilot).scroll_y
        assert not transcript(pilot).following
        assert "Latest" in screen_text(pilot)
        gate.set()
        await ready(pilot)
        assert transcript(pilot).scroll_y == before
        assert "The last words." not in screen_text(pilot)
        await pilot.press("f7")
        await wait_until(pilot, lambda: "The last words." in screen_text(pilot))
        assert transcript(pilot).following


@pytest.mark.parametrize("way", ["pagedown", "wheel"])
@in_loop
async def test_it_follows_again_when_the_reader_comes_back_while_text_streams(way: str) -> None:
    """Textual re-engages only at the very last row, which moves away (textual#6677)."""
    words = [f"Line {n} of many.\n\n" for n in range(400)]
    assistant = FakeAssistant(scripts=[Script(pieces=words)], pace=0.05)
    async with chat_app(assistant).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await ask(pilot, "Why?")
        await wait_until(pilot, lambda: transcript(pilot).max_scroll_y > 30)
        await pilot.press("pageup")
        await pilot.pause()
        assert not transcript(pilot).following
        for _ in range(60):
            if way == "wheel":
                transcript(pilot).post_message(wheel_down(pilot))
            else:
                await pilot.press("pagedown")
            await pilot.pause(0.02)
            if transcript(pilot).following:
                break
        assert phase(pilot) is Phase.ANSWERING
        assert transcript(pilot).following
        await pilot.pause(0.4)
        assert at_end(pilot)


def wheel_down(pilot: Pilot[None]) -> events.MouseScrollDown:
    """One notch of the wheel over the transcript."""
    return events.MouseScrollDown(
        transcript(pilot), 5, 5, 0, 0, 0, False, False, False, screen_x=5, screen_y=5
    )


@in_loop
async def test_a_paste_of_a_megabyte_is_cut_with_a_sentence() -> None:
    async with chat_app(FakeAssistant()).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        started = asyncio.get_running_loop().time()
        pilot.app.post_message(events.Paste("word " * 200_000))
        await wait_until(pilot, lambda: f"{LONGEST} characters" in screen_text(pilot))
        prompt = pilot.app.query_one(Prompt)
        assert len(prompt.text) == LONGEST
        await pilot.press("x")
        assert len(prompt.text) == LONGEST
        assert asyncio.get_running_loop().time() - started < 2.0


@in_loop
async def test_a_paste_is_cleaned_and_sends_nothing() -> None:
    assistant = FakeAssistant()
    async with chat_app(assistant).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        pilot.app.post_message(events.Paste("one\x1b[2J\x00\x07\n\u202etwo\ud800[/]\n"))
        prompt = pilot.app.query_one(Prompt)
        await wait_until(pilot, lambda: "two" in prompt.text)
        assert prompt.text == "one\ntwo\ufffd[/]\n"
        assert assistant.asked == []
        await pilot.press("enter")
        await wait_until(pilot, lambda: assistant.asked == ["ask one\ntwo\ufffd[/]"])


@in_loop
async def test_ctrl_j_begins_a_line_and_blank_questions_are_not_sent() -> None:
    assistant = FakeAssistant()
    async with chat_app(assistant).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("space", "ctrl+j", "enter")
        assert assistant.asked == []
        await pilot.press("a", "ctrl+j", "b", "enter")
        await wait_until(pilot, lambda: assistant.asked == ["ask a\nb"])


@in_loop
async def test_the_prompt_keeps_the_focus() -> None:
    async with chat_app(FakeAssistant()).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await answered(pilot)
        await pilot.click(Transcript)
        await pilot.press("tab", "x")
        assert pilot.app.query_one(Prompt).text == "x"


@in_loop
async def test_no_color_leaves_the_terminals_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = chat_app(FakeAssistant(), console=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert app.theme == "bedside-console"
        strips = app.screen._compositor.render_strips()
        sequences = "".join(strip.render(app.console) for strip in strips)
        assert "ype your question" in sequences
        assert not re.search(r"\x1b\[[0-9;]*\b(3[0-8]|4[0-8]|9[0-7]|10[0-7])\b", sequences)


@pytest.mark.parametrize(
    ("environ", "few"),
    [
        ({"TERM": "linux"}, True),
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "screen", "COLORTERM": "truecolor"}, False),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, True),
        ({}, True),
    ],
)
def test_colours_follow_the_terminal(environ: dict[str, str], few: bool) -> None:
    assert few_colours(environ) is few
