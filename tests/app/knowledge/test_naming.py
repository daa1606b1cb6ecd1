from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from app.knowledge.concepts import Understanding
from app.knowledge.index import build
from app.knowledge.naming import Names, Naming, aside
from app.knowledge.passage import Document, Entry
from app.knowledge.schema import connect
from app.knowledge.thesaurus import shipped_thesaurus

ENTRIES = (
    Entry("Gout", "information", "what it is", "A sore toe after beer and rich meals."),
    Entry("Back pain", "information", "what it is", "It hurts to bend.", also=("bad back",)),
    Entry("Neck pain", "information", "what it is", "A stiff neck in the morning."),
    Entry("Animal bites", "treatment", "what to do", "Wash it.", also=("bitten by a dog", "cat")),
    Entry("Stroke and mini-stroke (TIA)", "information", "what it is", "A clot in the brain."),
    Entry("Medicines for children", "treatment", "what to do", "Ask a pharmacist."),
)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Names, Understanding]]:
    path = tmp_path_factory.mktemp("names") / "reference.db"
    build(path, [(Document("d", "D", "", "", "", len(ENTRIES)), ENTRIES)], {})
    with closing(connect(path)) as connection:
        understanding = Understanding(connection, shipped_thesaurus(), len(ENTRIES))
        yield Names(connection, understanding), understanding


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("what is gout?", Naming.ENTRY),
        ("I have back pain", Naming.ENTRY),
        ("a dog has bitten me", Naming.ENTRY),
        ("will I have a stroke?", Naming.ENTRY),
        ("what is a TIA?", Naming.ENTRY),
        ("can I have a dog?", Naming.PART),
        ("will I be back?", Naming.PART),
        ("is beer bad?", Naming.NOTHING),
        ("is it so for children?", Naming.NOTHING),
        ("how long?", Naming.NOTHING),
        ("is it?", Naming.NOTHING),
        ("how do I knit a scarf?", Naming.FOREIGN),
    ],
)
def test_what_a_question_names(
    names: tuple[Names, Understanding], question: str, expected: Naming
) -> None:
    index, understanding = names
    assert index.named(understanding.concepts(question), aside(question)) is expected


def test_no_word_is_read_as_an_operator(names: tuple[Names, Understanding]) -> None:
    index, understanding = names
    question = 'NOT "gout" OR {topic} NEAR(dog) *'
    assert index.named(understanding.concepts(question), aside(question)) is Naming.ENTRY


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("how long does gout last?", {"long"}),
        ("which foods should my daughter avoid?", {"food", "daughter", "avoid"}),
        ("does gout have side effects?", {"side", "effect"}),
        ("are sleeping pills bad?", {"pill"}),
        ("my toe hurts", set()),
    ],
)
def test_what_is_asked_of_every_topic(question: str, expected: set[str]) -> None:
    assert aside(question) == expected
