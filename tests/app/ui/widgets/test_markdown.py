"""Markdown that grows piece by piece ends as if it had come whole, and never obeys its text."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static
from textual.widgets._markdown import MarkdownBullet

from app.ui.inert import InertParser
from app.ui.widgets.markdown import AnswerMarkdown

LINES = [
    "A paragraph of **bold** and *other* words",
    "# A heading",
    "- first",
    "- second `code`",
    "  - nested",
    "    more of it",
    "3. third",
    "4. fourth",
    "10. tenth",
    "| a | b |",
    "|---|---|",
    "| 1 | 2 |",
    "| 3 |",
    "> a quotation",
    "```",
    "---",
    "-",
    "--",
    "*",
    "**",
    "",
    "   ",
    "<b>not markup</b>",
    "[/] [b]x[/b] [link](http://example.org) ![x](http://example.org/x.png)",
]


class Host(App[None]):
    """A place for Markdown widgets."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"quiet": "ansi_default"}

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield AnswerMarkdown()


def shown(widget: Widget) -> list[object]:
    """What a Markdown widget shows: its leaves' texts, nested as its widgets are."""
    if isinstance(widget, MarkdownBullet):
        return [widget.symbol]
    own = [str(widget.visual)] if isinstance(widget, Static) and not widget.children else []
    name = type(widget).__name__
    return [name, *own, *(shown(child) for child in widget.children)]


async def _grown_and_whole(app: Host, pieces: list[str]) -> tuple[list[object], list[object]]:
    both = []
    for parts in (pieces, ["".join(pieces)]):
        markdown = AnswerMarkdown()
        await app.query_one(VerticalScroll).mount(markdown)
        for part in parts:
            await markdown.write(part)
        await markdown.finish()
        both.append(shown(markdown))
        await markdown.remove()
    return both[0], both[1]


def _check(documents: list[list[str]]) -> None:
    async def run() -> None:
        app = Host()
        async with app.run_test(size=(60, 40)):
            for pieces in documents:
                grown, whole = await _grown_and_whole(app, pieces)
                assert grown == whole, pieces

    asyncio.run(run())


@given(
    st.lists(
        st.lists(st.sampled_from(LINES), min_size=1, max_size=9).flatmap(
            lambda lines: st.lists(st.integers(0, len("\n".join(lines))), max_size=8).map(
                lambda cuts: _cut("\n".join(lines), cuts)
            )
        ),
        min_size=8,
        max_size=8,
    )
)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_growing_ends_as_the_whole(documents: list[list[str]]) -> None:
    _check(documents)


def _cut(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize(
    "pieces",
    [
        ["- a\n-", "-x\n- b"],
        ["| a | b |\n|---|---|\n| 1 | 2 |\n", "-", " item"],
        ["| a | b |\n|---|---|\n", "| 1 | 2 |\n| 3 |", " 4 |\n"],
        [*(f"{n}. item\n" for n in range(1, 13))],
        ["- a\n  - b\n", "    - c\n", "  - d\n", "- e"],
        ["```\ncode", "\nmore\n", "```\nafter"],
        ["> " * 400 + "deep"],
        ["- " * 400 + "deep"],
    ],
)
def test_known_traps(pieces: list[str]) -> None:
    _check([pieces])


def test_every_cut_of_a_medical_answer() -> None:
    text = (
        "## Signs\n\n1. one **b**\n2. two\n   - three\n\nText\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    _check([[text[:n], text[n:]] for n in range(1, len(text), 3)])
    _check([list(text)])


@pytest.mark.parametrize("mark", [">", "> ", "- ", "1. ", "- > ", "\t- ", "1) * "])
@pytest.mark.parametrize("count", [1, 7, 19, 20, 21, 400])
def test_no_depth_hides_a_word(mark: str, count: int) -> None:
    tokens = InertParser().parse(mark * count + "deep\n\nafter")
    said = [token.content for token in tokens if token.content]
    assert said[-1].strip() == "after"
    assert "deep" in "".join(said)


def test_lists_nested_line_by_line_hide_no_word() -> None:
    lines = [f"{'  ' * depth}- word{depth}" for depth in range(200)]
    said = "".join(token.content for token in InertParser().parse("\n".join(lines)))
    assert all(f"word{depth}" in said for depth in range(200))


@pytest.mark.parametrize(
    "text",
    [
        "[link](http://example.org)",
        "![picture](http://example.org/x.png)",
        "<http://example.org>",
        "http://example.org",
        "<script>alert(1)</script>",
        "<div>\nblock\n</div>",
        "&#8238;reversed &#27;[2J",
        "[/] [b]bold[/b] [link=http://example.org]x[/link] [@click=app.quit]y[/]",
    ],
)
def test_foreign_text_stays_text(text: str) -> None:
    tokens = InertParser().parse(text)
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "softbreak"}
    said = "".join(child.content for token in tokens for child in token.children or ())
    assert said.replace("\n", "") == text.replace("\n", "")
