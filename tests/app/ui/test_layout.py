"""Markdown laid out as lines: the right ones, none too wide, and no word left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App
from textual.content import Content

from app.ui.inert import InertParser
from app.ui.layout import lay_out, share_out
from app.ui.widgets.markdown import AnswerMarkdown, MarkdownVisual


def lines_of(text: str, width: int = 40) -> list[str]:
    return [line.plain.rstrip() for line in lay_out(InertParser().parse(text), width)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("one\ntwo", ["one two"]),
        ("one  \ntwo", ["one", "two"]),
        ("one\n\ntwo", ["one", "", "two"]),
        ("# Head\ntext", ["Head", "", "text"]),
        ("- a\n- b", ["• a", "• b"]),
        ("- a\n\n- b", ["• a", "• b"]),
        ("- a\n  - b\n    - c\n- d", ["• a", "  – b", "    • c", "• d"]),
        ("- a\n\n  more\n- b", ["• a", "", "  more", "• b"]),
        ("-\n- b", ["•", "• b"]),
        ("3. a\n4. b", ["3. a", "4. b"]),
        ("9. a\n10. b\n    - c", ["9. a", "10. b", "    – c"]),
        ("> a\n>\n> b", ["│ a", "│", "│ b"]),
        ("> - a\n>   b", ["│ • a b"]),
        ("```x\na  b\n\nc\n```", ["a  b", "", "c"]),
        ("- a\n  ```\n  code\n  ```", ["• a", "", "  code"]),
        ("text\n\n---", ["text", "", "─" * 40]),
        ("| a | bb |\n|---|---|\n| 1 | 2 |", ["a │ bb", "──┼───", "1 │ 2"]),
        ("~~a~~ **b** *c* `d`", ["a b c d"]),
    ],
)
def test_blocks(text: str, lines: list[str]) -> None:
    assert lines_of(text) == lines


def test_long_lines_hang_below_their_text() -> None:
    assert lines_of("- one two three four\n\n> one two three", 12) == [
        "• one two",
        "  three four",
        "",
        "│ one two",
        "│ three",
    ]


def test_a_table_that_is_too_wide_wraps_in_its_cells() -> None:
    text = "| name | effect |\n|---|---|\n| one two three four | five six seven eight nine |"
    lines = lines_of(text, 30)
    assert max(map(len, lines)) <= 30
    assert len(lines) > 3
    assert " ".join(" ".join(lines).replace("│", " ").split()).count("one two") == 1


@pytest.mark.parametrize(
    ("wanted", "room", "widths"),
    [([3, 4], 10, [3, 4]), ([0, 4], 10, [1, 4]), ([30, 10], 20, [15, 8]), ([9] * 9, 5, [8] * 9)],
)
def test_columns_share_the_room(wanted: list[int], room: int, widths: list[int]) -> None:
    assert share_out(wanted, room) == widths


def test_styles_are_kept() -> None:
    [line] = lay_out(InertParser().parse("a **b *c*** `d`"), 40)
    styles = {line.plain[span.start : span.end]: str(span.style) for span in line.spans}
    assert styles == {"b ": "bold", "c": "bold italic", "d": "bold"}
    [head] = lay_out(InertParser().parse("# A *b*"), 40)
    assert [str(span.style) for span in head.spans] == ["bold $primary", "bold $primary italic"]


BLOCKS = st.sampled_from(
    [
        "{}\n",
        "- {}\n",
        "  - {}\n",
        "> {}\n",
        "# {}\n",
        "1. {}\n",
        "| {} | x |\n|---|---|\n",
        "```\n",
        "    {}\n",
        "\n",
        "---\n",
        "**{}** ",
        "`{}` ",
    ]
)


@given(st.lists(BLOCKS, max_size=12), st.integers(30, 90))
def test_every_word_is_there_in_its_order_and_no_line_too_wide(
    blocks: list[str], width: int
) -> None:
    words = [f"word{n:02}" for n in range(len(blocks))]
    text = "".join(block.format(word) for block, word in zip(blocks, words, strict=True))
    lines = lines_of(text, width)
    assert all(Content(line).cell_length <= width for line in lines)
    shown = "\n".join(lines)
    places = [shown.index(word) for word in words if word in text and f"```{word}" not in text]
    assert places == sorted(places)


@given(st.integers(1, 60), st.integers(1, 90))
def test_a_table_of_empty_cells_is_drawn(columns: int, width: int) -> None:
    """A model writes one sooner or later; none may end the screen."""
    head, rule = lines_of("|" + " |" * columns + "\n|" + "-|" * columns, width)
    assert set(head) <= set(" │") and set(rule) <= set("─┼")


def test_the_visual_is_laid_out_once_for_a_width() -> None:
    visual = MarkdownVisual("one two three")
    assert visual.at(20) is visual.at(20)
    assert visual.at(7).plain == "one two\nthree"


def shown(markdown: AnswerMarkdown) -> str:
    return markdown._markdown.at(40).plain


@pytest.mark.parametrize(
    ("pieces", "seen"),
    [
        (["Signs:\n", "-", " a"], ["Signs:", "Signs:", "Signs:\n\n• a"]),
        (["- a\n*", "*b**"], ["• a", "• a b"]),
        (["1", ". a"], ["", "1. a"]),
        (["a\n", "=" * 3], ["a", "a"]),
        (["." * 41], ["." * 40 + "\n."]),
    ],
)
def test_a_line_shows_once_it_says_what_it_is(
    pieces: list[str], seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AnswerMarkdown, "app", App())  # which says what can be drawn
    markdown = AnswerMarkdown()
    got = []
    for piece in pieces:
        markdown.write(piece)
        got.append(shown(markdown))
    assert got == seen
    markdown.finish()
    assert shown(markdown) == shown(AnswerMarkdown("".join(pieces)))
