"""Bedside's own cards against the data that they cite, and the reader against what people write."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError
from app.knowledge.cards import NOT_REVIEWED, SECTIONS, SHIPPED, Card, load_cards, parse_card
from tests.shared import shared_path

SOUND = """\
+++
id = "warts"
title = "Warts"
also = ["verruca", "lumps on my fingers"]
written = 2026-11-20
reviewed_by = "none"

[[sources]]
title = "A page about warts"
url = "https://example.org/warts"

[[sources]]
title = "Another"
url = "http://example.org/more"
+++

## What it is

A small, rough lump.

## What you can do

- Wait.
- Do not pick
  at it.

## Get help now if

It bleeds and does not stop.

## See someone soon if

It hurts.
"""

_DOSE = re.compile(
    r"(\d[\d.,]*)\s*(mg|ml|mcg|micrograms?|milligrams?|millilit\w+|units?|IU)\b", re.I
)


@pytest.fixture(scope="module")
def shipped() -> tuple[Card, ...]:
    return load_cards(SHIPPED)


@pytest.fixture(scope="module")
def answers() -> Mapping[str, str]:
    """What MedQuAD says at each address, in training and held-out rows."""
    found: dict[str, str] = defaultdict(str)
    for name in ("medquad_train", "medquad_val"):
        with gzip.open(shared_path(f"data/{name}.jsonl.gz"), "rt", encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                found[row["url"]] += "\n" + row["answer"]
    return found


def _words(card: Card) -> list[str]:
    return re.findall(
        r"[\w’'°/.,-]*\w[\w’'°/.,-]*", " ".join([*card.sections, *card.sections.values()])
    )


def test_the_shipped_cards_are_many_and_each_has_its_own_name(shipped: tuple[Card, ...]) -> None:
    assert len(shipped) >= 64
    assert len({card.id for card in shipped}) == len(shipped)
    assert len({card.title.casefold() for card in shipped}) == len(shipped)


def test_nobody_has_reviewed_them_yet_and_each_says_so(shipped: tuple[Card, ...]) -> None:
    assert {card.reviewed_by for card in shipped} == {NOT_REVIEWED}


def test_each_is_short_enough_to_read_and_long_enough_to_help(shipped: tuple[Card, ...]) -> None:
    lengths = {card.id: len(_words(card)) for card in shipped}
    assert {id: count for id, count in lengths.items() if not 120 <= count <= 260} == {}


def test_sentences_are_short_enough_for_a_tired_reader(shipped: tuple[Card, ...]) -> None:
    """A reading age of about 12; long sentences lose readers before long words do."""
    for card in shipped:
        prose = " ".join(card.sections.values()).replace("\n- ", ". ")
        sentences = [part.split() for part in re.split(r"[.:;?!]\s", prose) if part.strip()]
        assert sum(map(len, sentences)) / len(sentences) <= 12, card.id
        assert max(map(len, sentences)) <= 32, card.id


def test_each_has_lay_names_to_be_found_by(shipped: tuple[Card, ...]) -> None:
    assert {card.id for card in shipped if len(card.also) < 6} == set()


def test_no_card_names_an_emergency_number(shipped: tuple[Card, ...]) -> None:
    """The number comes from the installation alone; one in a card would be wrong elsewhere."""
    for card in shipped:
        assert not re.search(r"\b(911|999|112|111|988|9-1-1)\b", " ".join(card.sections.values()))
        assert "local emergency number" in card.sections["Get help now if"]


def test_each_cited_address_stands_in_the_data(
    shipped: tuple[Card, ...], answers: Mapping[str, str]
) -> None:
    for card in shipped:
        assert 1 <= len(card.sources) <= 4, card.id
        assert {source.url for source in card.sources} <= answers.keys(), card.id


def test_no_amount_of_a_medicine_that_no_cited_row_names(
    shipped: tuple[Card, ...], answers: Mapping[str, str]
) -> None:
    for card in shipped:
        known = {_amount(match) for source in card.sources for match in _doses(answers[source.url])}
        named = {_amount(match) for text in card.sections.values() for match in _doses(text)}
        assert named <= known, card.id


def test_no_sentence_is_copied_from_the_data(
    shipped: tuple[Card, ...], answers: Mapping[str, str]
) -> None:
    """Nine words in a row are no accident; fewer may be the one way to say a thing."""
    for card in shipped:
        theirs = {run for source in card.sources for run in _runs(answers[source.url])}
        ours = {run for text in card.sections.values() for run in _runs(text)}
        assert ours & theirs == set(), card.id


def _doses(text: str) -> list[re.Match[str]]:
    return list(_DOSE.finditer(text))


def _amount(match: re.Match[str]) -> tuple[str, str]:
    return match[1], match[2].casefold()


def _runs(text: str, length: int = 9) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9']+", text.casefold())
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


def test_a_sound_card_is_read_whole() -> None:
    card = parse_card(SOUND, "warts")
    assert (card.id, card.title) == ("warts", "Warts")
    assert card.also == ("verruca", "lumps on my fingers")
    assert [source.url for source in card.sources] == [
        "https://example.org/warts",
        "http://example.org/more",
    ]
    assert card.written == date(2026, 11, 20)
    assert tuple(card.sections) == SECTIONS
    assert card.sections["What you can do"] == "- Wait.\n- Do not pick\n  at it."


def test_line_ends_of_other_systems_do_no_harm() -> None:
    assert parse_card(SOUND.replace("\n", "\r\n"), "warts") == parse_card(SOUND, "warts")


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        (
            SOUND[SOUND.index("[[sources]]") : SOUND.index("+++\n\n##")],
            "sources = []\n",
            "no source",
        ),
        (SOUND[SOUND.index("[[sources]]") : SOUND.index("+++\n\n##")], "", "lacks sources"),
        ('url = "https://example.org/warts"', "", "lacks url"),
        ("https://example.org/warts", "a friend", "no web address"),
        ('title = "Another"', 'title = "Another"\npage = 3', "no card has: page"),
        ("[[sources]]", "[sources]", "TOML"),
        ("2026-11-20", '"2026-11-20"', "no date"),
        ("2026-11-20", "2026-11-31", "TOML"),
        ("2026-11-20", "2026-11-20T10:00:00", "no date"),
        ("2026-11-20", "9" * 5000, "The card|TOML"),
        ('reviewed_by = "none"', "", "lacks reviewed_by"),
        ('reviewed_by = "none"', 'reviewed_by = ""', "reviewed_by"),
        ('title = "Warts"', 'title = "Warts"\ndose = "2 a day"', "no card has: dose"),
        ('id = "warts"', 'id = "wart"', "same name"),
        ('id = "warts"', 'id = "Warts"', "small letters"),
        ('["verruca", "lumps on my fingers"]', "[]", "no other names"),
        ('"lumps on my fingers"', '"Verruca"', "twice"),
        ('"lumps on my fingers"', "3", "also"),
        ("## Get help now if\n\nIt bleeds and does not stop.\n", "", "sections"),
        ("## See someone soon if", "## What it is", "sections"),
        ("It bleeds and does not stop.", "", "says nothing"),
        ("## What it is", "Hello.\n\n## What it is", "before its first section"),
        ("- Wait.", "# Wait", "is no section"),
        ("A small, rough lump.", "A \x1b[2Jlump.", "control characters"),
        ("A small, rough lump.", "A \u202elump.", "control characters"),
        ("+++\n\n## What", "\n\n## What", "no head"),
    ],
)
def test_what_a_card_may_not_be(before: str, after: str, complaint: str) -> None:
    assert before in SOUND
    with pytest.raises(BadInputError, match=complaint):
        parse_card(SOUND.replace(before, after, 1), "warts")


def test_a_folder_without_cards_is_refused_and_so_is_a_bad_card_in_one(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="holds no cards"):
        load_cards(tmp_path / "nowhere")
    (tmp_path / "warts.md").write_text(SOUND, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a card", encoding="utf-8")
    assert [card.id for card in load_cards(tmp_path)] == ["warts"]
    (tmp_path / "wart.md").write_text(SOUND, encoding="utf-8")
    with pytest.raises(BadInputError, match="The card wart has the id warts"):
        load_cards(tmp_path)


_pieces = st.sampled_from(
    ["+++\n", "## ", "# ", "\n", '"', "[", "]", "[[sources]]\n", "= 3\n", "é"]
)


@given(st.one_of(st.text(), st.lists(_pieces | st.text(max_size=4)).map("".join)), st.text())
def test_any_text_is_a_card_or_bad_input(text: str, name: str) -> None:
    with pytest.raises(BadInputError):
        parse_card(text, name)


@given(st.data())
def test_a_card_with_a_damaged_place_is_refused_or_whole(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(SOUND)))
    end = data.draw(st.integers(start, min(len(SOUND), start + 40)))
    damaged = SOUND[:start] + data.draw(_pieces | st.text(max_size=8)) + SOUND[end:]
    try:
        card = parse_card(damaged, "warts")
    except BadInputError:
        return
    assert tuple(card.sections) == SECTIONS
    assert all(card.sections.values())
    assert card.sources
