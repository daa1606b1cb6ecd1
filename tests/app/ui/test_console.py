"""The kiosk's console: everything that is drawn there is in its font, whoever drew it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from app import glyphs
from app.assistant.events import Asked, Failed, Support
from app.safety import Level
from app.ui.console import FontFilter
from app.ui.ports import KioskSettings
from tests.app.ui.fakes import QUESTIONS, FakeAssistant, FakeMonitor, Script, alert, passage, pieces
from tests.app.ui.helpers import answered, chat_app, in_loop, ready, screen_text
from tests.shared import ROOT

_UI = ROOT / "app/ui"
BLACK = Color(0, 0, 0)

EVERY_FORM = """
# A heading

- one
  - two

1. first

> quoted

| a | b |
|---|---|
| c | d |

---

    code
""" + "\n\n".join(f"Paragraph {number}." for number in range(40))


class Recorder(FontFilter):
    """Notes every character that somebody wanted to draw, and draws it as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: set[str] = set()

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        for segment in segments:
            self.drawn.update(segment.text)
        return segments


async def draw(script: Script, keys: Sequence[str], *, kiosk: bool = False) -> set[str]:
    """All characters of a session: an answer, then each key with what it opens."""
    settings = KioskSettings() if kiosk else None
    scripts = [script, Script()]
    assistant = FakeAssistant(scripts=scripts, demonstration=True)
    app = chat_app(assistant, monitor=FakeMonitor(), kiosk=settings)
    recorder = Recorder()
    app._font = (recorder,)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await answered(pilot)
        for key in keys:
            await pilot.press(*key.split())
            await pilot.pause()
    return recorder.drawn


SUPPORT = Support(5, ("The moon helps.",), ("Take 500 mg of ibuprofen.",))
SCENES = (
    (Script(pieces=pieces(EVERY_FORM)), ("pageup", "f3", "f3"), False),
    (
        Script(passages=(passage(1), passage(2)), support=SUPPORT),
        ("ctrl+t", "escape ctrl+l"),
        False,
    ),
    (
        Script(alert=alert(Level.TODAY), asked=Asked("chest", QUESTIONS)),
        ("f8", "escape ctrl+g"),
        True,
    ),
    (Script(alert=alert(patient=False)), ("f1", "escape f2", "escape ctrl+e"), False),
    (Script(failed=Failed("died", "It stopped. “Again.”")), ("f11",), True),
)


def literals() -> set[str]:
    """The characters of every text in the rooms that write on the screen."""
    files = [*_UI.rglob("*.py"), *(ROOT / "app/assistant").rglob("*.py")]
    files += [ROOT / "app/monitor/panel.py", ROOT / "app/monitor/history.py"]
    found: set[str] = set()
    for file in set(files) - {_UI / "console.py"}:
        tree = ast.parse(file.read_text())
        comments = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in comments:
                found.update(str(node.value))
    return {one for one in found if not one.isascii()}


@in_loop
async def test_what_the_screens_draw_is_the_list_and_the_font_has_it() -> None:
    drawn: set[str] = set()
    for script, keys, kiosk in SCENES:
        drawn |= await draw(script, keys, kiosk=kiosk)
    own = {one for one in drawn if not one.isascii()} | literals()
    assert own == set(glyphs.OWN)
    assert own <= glyphs.characters()


@pytest.mark.parametrize("folder", ["app/knowledge/cards", "app/safety"])
def test_cards_and_rules_need_no_stand_in(folder: str) -> None:
    files = [path for path in (ROOT / folder).iterdir() if path.suffix in (".md", ".toml")]
    assert files
    for path in files:
        if path.name != "HAZARDS.md":
            assert set(path.read_text()) - {"\n"} <= glyphs.characters(), path.name


@in_loop
async def test_an_answer_with_rare_signs_is_legible_and_in_the_font() -> None:
    text = "Take 1⅓ of ✓ at 10⁹/L, SpO₂ 漢 👍🏽 👨\u200d👩 end.\n\n- ❌ x\u0327"
    app = chat_app(FakeAssistant(scripts=[Script(pieces=pieces(text))]))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await answered(pilot)
        shown = screen_text(pilot)
    assert set(shown) - {"\n"} <= glyphs.characters()
    assert "Take 1 1/3 of √ at 10^9/L, SpO2 \ufffd  \ufffd  \ufffd  end." in shown
    assert "• ✗" in shown


@in_loop
async def test_elsewhere_every_sign_stays() -> None:
    assistant = FakeAssistant(scripts=[Script(pieces=pieces("1⅓ ✓ 10⁹"))])
    async with chat_app(assistant, console=False).run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await answered(pilot)
        assert "1⅓ ✓ 10⁹" in screen_text(pilot)


@given(st.text(max_size=40).filter(lambda text: "\x1b" not in text))
def test_a_line_keeps_its_width_and_only_the_fonts_characters(text: str) -> None:
    line = "".join(one for one in text if one.isprintable())
    (segment,) = FontFilter().apply([Segment(line)], BLACK)
    assert cell_len(segment.text) == cell_len(line)
    assert set(segment.text) <= glyphs.characters()
