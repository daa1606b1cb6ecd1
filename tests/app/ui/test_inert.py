"""Foreign Markdown is shown and nothing else: it opens, fetches, hides and overflows nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.inert import DEEPEST, InertParser


def words_of(text: str) -> str:
    """All the text that the tokens hold."""
    tokens = InertParser().parse(text)
    return "\n".join(token.content for token in tokens if token.content)


@pytest.mark.parametrize(
    "text",
    [
        "[link](http://example.org)",
        "![picture](http://example.org/x.png)",
        "<http://example.org>",
        "http://example.org",
        "<script>alert(1)</script>",
        "<div>\nblock\n</div>",
        "[a]: http://example.org",
        "&#8238;reversed &#27;[2J",
        "[/] [b]bold[/b] [link=http://example.org]x[/link] [@click=app.quit]y[/]",
    ],
)
def test_foreign_text_stays_text(text: str) -> None:
    tokens = InertParser().parse(text)
    assert {token.type for token in tokens} == {"paragraph_open", "inline", "paragraph_close"}
    children = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in children} <= {"text", "softbreak"}
    assert "".join(child.content or "\n" for child in children) == text


@pytest.mark.parametrize("mark", [">", "> ", "- ", "1. ", "- > ", "\t- ", "1) * "])
@pytest.mark.parametrize("count", [1, 7, DEEPEST - 1, DEEPEST, DEEPEST + 1, 400])
def test_no_depth_hides_a_word(mark: str, count: int) -> None:
    said = words_of(mark * count + "deep\n\nafter")
    assert said.endswith("after")
    assert "deep" in said


def test_lists_nested_line_by_line_hide_no_word() -> None:
    lines = [f"{'  ' * depth}- word{depth}" for depth in range(200)]
    said = words_of("\n".join(lines))
    assert all(f"word{depth}" in said for depth in range(200))


@given(st.lists(st.sampled_from([">", "- ", "  ", "\t", "1. ", "* ", "word ", "\n", "```", "|"])))
def test_no_text_is_lost_or_fails(parts: list[str]) -> None:
    text = "".join(f"w{n} " if part == "word " else part for n, part in enumerate(parts))
    said = words_of(text) + "".join(token.info for token in InertParser().parse(text))
    assert all(word in said for word in text.split() if word.startswith("w"))
