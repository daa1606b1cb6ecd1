from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import BadInputError, ResourceError, UsageError
from app.knowledge import index
from app.knowledge.readers.labels import Labels
from app.knowledge.reference import Reference
from tests.app.knowledge.conftest import CARD

NAMED = """<Document source="S"><Focus>Quuxitis</Focus><Synonym>Zorbulose</Synonym>
<Question qtype="treatment"/><Answer>Rest.</Answer><Question qtype="heading"/><Answer>Rest.</Answer>
</Document>"""


def titles(reference: Reference, question: str) -> list[str]:
    return [passage.title for passage in reference.search(question)]


def note(folder: Path, name: str = "note.md", text: str = "") -> Path:
    path = folder / name
    path.write_text(text or "# Tennis elbow\n\n## Treatment\n\nRest the elbow and use a brace.\n")
    return path


def test_a_passage_comes_with_its_source(reference: Reference) -> None:
    (found, *_) = reference.search("What can I do about gout?")
    assert found.title == "Gout - what you can do"
    assert found.text == "Rest the joint, cool it, and drink water."
    assert found.source == "Bedside card after Test source"
    assert (found.url, found.date) == ("https://example.org/gout", "2026-11-20")
    assert (found.licence, found.reviewed_by) == ("Apache-2.0", "none")


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What is gout?", "Gout - what it is"),
        ("when do I need an ambulance with gout", "Gout - get help now if"),
        ("it burns when I pee", "Urinary infection - what it is"),
        ("wot is glocoma?", "Glaucoma - what it is"),
        ("is soriasis curable, what can I do", "Psoriasis - what you can do"),
        ("What is crystal arthritis?", "Gout - what it is"),
    ],
)
def test_lay_words_and_slips_find_the_card(reference: Reference, question: str, first: str) -> None:
    assert titles(reference, question)[0] == first


@pytest.mark.parametrize("question", ["", "?", "what is it", "the capital of France", "xqzv wkrp"])
def test_no_good_passage_is_an_answer(reference: Reference, question: str) -> None:
    assert reference.search(question) == []


def test_the_limit_holds(reference: Reference) -> None:
    assert len(reference.search("gout", 1)) == 1
    assert len(reference.search("gout", 4)) == 4
    assert reference.search("gout", 0) == []


SYNTAX = ['gout"', "gout OR glaucoma", "topic:gout", "NEAR(gout eye)", "gout*", "^gout", "-gout",
          "{topic body}: gout", "'; DROP TABLE passage; --", "gout\0gout", "(((("]  # fmt: skip


@pytest.mark.parametrize("question", SYNTAX)
def test_no_question_is_a_query(reference: Reference, question: str) -> None:
    found = reference.search(question)
    assert not found or "Gout" in {passage.title.split(" - ")[0] for passage in found}
    assert titles(reference, "What is gout?")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=300))
def test_any_text_can_be_asked(reference: Reference, question: str) -> None:
    assert len(reference.search(question)) <= 3


def test_a_question_of_a_million_letters(reference: Reference) -> None:
    assert titles(reference, "gout " * 200_000)[0] == "Gout - what it is"


def test_add_find_list_remove(reference: Reference, tmp_path: Path) -> None:
    labels = Labels(source="Ward 3", licence="in-house", url="https://x.org", date="2025-01-31")
    added = reference.add(note(tmp_path), labels)
    assert (added.id, added.title, added.entries) == ("tennis-elbow", "Tennis elbow", 1)
    (found,) = reference.search("How is tennis elbow treated?", 1)
    assert (found.title, found.source) == ("Tennis elbow - Treatment", "Ward 3")
    assert (found.licence, found.url, found.date) == ("in-house", "https://x.org", "2025-01-31")
    assert found.reviewed_by == ""
    assert [one.id for one in reference.documents()] == ["bedside-cards", "tennis-elbow"]
    reference.remove("tennis-elbow")
    assert [one.id for one in reference.documents()] == ["bedside-cards"]
    assert reference.search("How is tennis elbow treated?") == []


def test_what_is_removed_leaves_no_word(reference: Reference, tmp_path: Path) -> None:
    reference.add(note(tmp_path, text="# Zebrafish care\n\nzyxwvut zyxwvut\n"))
    reference.remove("zebrafish-care")
    reference.close()
    with closing(sqlite3.connect(tmp_path / "data" / "reference.db")) as connection:
        words = connection.execute("SELECT count(*) FROM word WHERE word LIKE 'z%'").fetchone()
        spelt = connection.execute("SELECT count(*) FROM spelling WHERE word LIKE '^z%'").fetchone()
    assert (words, spelt) == ((0,), (0,))


def test_a_removed_document_leaves_no_name_and_no_kind(
    reference: Reference, tmp_path: Path
) -> None:
    def counted() -> list[tuple[str, int]]:
        with closing(sqlite3.connect(tmp_path / "data" / "reference.db")) as connection:
            return connection.execute("SELECT word, count FROM word ORDER BY word").fetchall()

    reference.search("gout")
    before = counted()
    path = note(tmp_path, "quux.xml", NAMED)
    reference.add(path)
    assert {"zorbulose", "treatment", "quuxitis", "heading"} <= {word for word, _ in counted()}
    reference.remove("quux")
    assert counted() == before


def test_refused_before_anything_is_kept(reference: Reference, tmp_path: Path) -> None:
    reference.add(note(tmp_path))
    with pytest.raises(UsageError, match="already"):
        reference.add(note(tmp_path))
    with pytest.raises(UsageError, match="belongs to Bedside"):
        reference.remove("bedside-cards")
    with pytest.raises(UsageError, match="is not in the reference"):
        reference.remove("../reference")
    with pytest.raises(BadInputError):
        reference.add(tmp_path / "missing.md")
    assert len(reference.documents()) == 2


def test_a_second_start_builds_nothing(
    reference: Reference, cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference.add(note(tmp_path))
    reference.close()
    monkeypatch.setattr(index, "build", lambda *_: pytest.fail("built again"))
    again = Reference(tmp_path / "data", cards=cards)
    assert titles(again, "tennis elbow") == ["Tennis elbow - Treatment"]


def test_a_changed_card_is_found(reference: Reference, cards: Path, tmp_path: Path) -> None:
    reference.search("gout")
    reference.close()
    (cards / "hiccups.md").write_text(
        CARD.format(id="hiccups", title="Hiccups", also='["hics"]', what="A spasm.", do="Wait.")
    )
    assert titles(Reference(tmp_path / "data", cards=cards), "hiccups")[0].startswith("Hiccups")


def damage_header(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)


def damage_nothing_left(path: Path) -> None:
    path.write_bytes(b"")


def damage_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    path.write_bytes(content)


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("damage", [damage_header, damage_nothing_left, damage_middle, make_newer])
def test_a_damaged_index_is_built_again_in_words(
    reference: Reference, cards: Path, told: list[str], tmp_path: Path, damage: object
) -> None:
    reference.add(note(tmp_path))
    reference.close()
    assert callable(damage)
    damage(tmp_path / "data" / "reference.db")
    again = Reference(tmp_path / "data", cards=cards, tell=told.append)
    assert titles(again, "How is tennis elbow treated?") == ["Tennis elbow - Treatment"]
    assert len(told) == 1
    assert "built again" in told[0]


def test_damage_that_shows_only_in_use(
    reference: Reference, told: list[str], tmp_path: Path
) -> None:
    assert reference.search("gout")
    with closing(sqlite3.connect(tmp_path / "data" / "reference.db")) as connection:
        connection.execute("DROP TABLE search_data")
    assert titles(reference, "What is gout?")[0] == "Gout - what it is"
    assert "built again" in told[0]


def test_a_damaged_document_is_told_and_the_rest_serves(
    reference: Reference, cards: Path, told: list[str], tmp_path: Path
) -> None:
    reference.add(note(tmp_path))
    reference.close()
    kept = tmp_path / "data" / "documents" / "tennis-elbow.jsonl.gz"
    kept.write_bytes(kept.read_bytes()[:-9])
    again = Reference(tmp_path / "data", cards=cards, tell=told.append)
    assert titles(again, "gout")[0].startswith("Gout")
    assert "bedside knowledge remove tennis-elbow" in told[0]
    again.remove("tennis-elbow")
    assert len(again.documents()) == 1


def test_a_document_of_a_newer_bedside_is_not_guessed_at(
    reference: Reference, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.knowledge.kept.SCHEMA", 2)
    reference.add(note(tmp_path))
    reference.close()
    monkeypatch.setattr("app.knowledge.kept.SCHEMA", 1)
    (tmp_path / "data" / "reference.db").unlink()
    assert titles(reference, "gout")
    assert "newer Bedside" in told[0]


def test_killed_between_document_and_index(
    reference: Reference, cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference.search("gout")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(index, "add", die)
        reference.add(note(tmp_path))
    reference.close()
    again = Reference(tmp_path / "data", cards=cards)
    assert titles(again, "tennis elbow") == ["Tennis elbow - Treatment"]


def test_a_build_that_fails_leaves_the_old_index(
    reference: Reference, cards: Path, tmp_path: Path
) -> None:
    reference.search("gout")
    reference.close()
    before = (tmp_path / "data" / "reference.db").read_bytes()
    (cards / "gout.md").write_text("no card")
    with pytest.raises(BadInputError):
        Reference(tmp_path / "data", cards=cards).search("gout")
    assert (tmp_path / "data" / "reference.db").read_bytes() == before
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["reference.db"]


def test_a_disk_that_cannot_be_written_is_told(cards: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file is in the way")
    with pytest.raises(ResourceError):
        Reference(tmp_path / "data", cards=cards).search("gout")


@pytest.mark.parametrize(
    ("message", "sentence"),
    [("database or disk is full", "disk's space"), ("no such module: fts5", "needs SQLite 3.34")],
)
def test_a_build_that_sqlite_cannot_do_is_told(
    reference: Reference, monkeypatch: pytest.MonkeyPatch, message: str, sentence: str
) -> None:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError(message)

    monkeypatch.setattr(index, "_insert", fail)
    with pytest.raises(ResourceError, match=sentence):
        reference.search("gout")


def test_another_writer_is_told(reference: Reference, tmp_path: Path) -> None:
    reference.search("gout")
    with closing(sqlite3.connect(tmp_path / "data" / "reference.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert reference._connection is not None
        reference._connection.execute("PRAGMA busy_timeout = 1")
        with pytest.raises(ResourceError, match="locked"):
            reference.search("gout")


def test_another_writer_at_the_start_is_no_damage(
    reference: Reference,
    cards: Path,
    told: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reference.search("gout")
    reference.close()
    path = tmp_path / "data" / "reference.db"
    before = path.stat().st_ino
    monkeypatch.setattr("app.knowledge.schema.PATIENCE_S", 0.01)
    again = Reference(tmp_path / "data", cards=cards, tell=told.append)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ResourceError, match="another Bedside is adding a document"):
            again.search("gout")
    assert again.search("gout")
    assert (told, path.stat().st_ino) == ([], before)


def test_files_are_the_owners_alone(reference: Reference, tmp_path: Path) -> None:
    reference.add(note(tmp_path))
    for folder, _, files in os.walk(tmp_path / "data"):
        assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
        for name in files:
            assert stat.S_IMODE((Path(folder) / name).stat().st_mode) == 0o600


def test_the_shipped_cards_can_be_searched(tmp_path: Path) -> None:
    shipped = Reference(tmp_path)
    assert titles(shipped, "burning when I pee")[0].startswith("Urinary")
