from __future__ import annotations

import gzip
import io
import json
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import BadInputError, BedsideError, UsageError
from app.knowledge.passage import Entry
from app.knowledge.readers import text
from app.knowledge.readers.labels import Labels
from app.knowledge.readers.prose import pieces, title_of
from app.knowledge.readers.read import Draft, read_document

MEDQUAD = """<?xml version="1.0" encoding="UTF-8"?>
<Document id="0000001" source="NIDDK" url="https://example.org/hiccups">
<Focus>Hiccups</Focus>
<FocusAnnotations><Synonyms><Synonym>Singultus</Synonym><Synonym>Hics</Synonym></Synonyms>
</FocusAnnotations>
<QAPairs>
<QAPair pid="1"><Question qid="1-1" qtype="symptoms">What are the symptoms of Hiccups ?</Question>
<Answer>A spasm &amp; a sound.</Answer></QAPair>
<QAPair pid="2"><Question qid="1-2" qtype="odd one">?</Question><Answer>More.</Answer></QAPair>
<QAPair pid="3"><Question qid="1-3" qtype="causes">Why ?</Question><Answer></Answer></QAPair>
</QAPairs>
</Document>
"""
BILLION = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<Document><Focus>&c;</Focus></Document>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<Document><Focus>&x;</Focus></Document>"""


def read(folder: Path, name: str, content: str | bytes, labels: Labels | None = None) -> Draft:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_document(path, labels or Labels())


def test_medquad_xml(tmp_path: Path) -> None:
    draft = read(tmp_path, "0000001.xml", MEDQUAD)
    first, second = draft.entries
    assert first == Entry(
        topic="Hiccups",
        kind="symptoms",
        heading="symptoms",
        text="A spasm & a sound.",
        also=("Singultus", "Hics"),
        source="NIDDK",
        url="https://example.org/hiccups",
    )
    assert (second.kind, second.heading, second.text) == ("", "odd one", "More.")
    assert draft.labels.licence == "CC BY 4.0"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (BILLION, "declares a document type"),
        (OUTSIDE, "declares a document type"),
        ("<Document><Focus>x", "no sound XML"),
        ("<Document>&undeclared;</Document>", "no sound XML"),
        ("<html><body/></html>", "not MedQuAD's"),
        ("<Document>" + "<a>" * 100, "nested too deep"),
        ('<?xml version="1.0" encoding="klingon"?><Document/>', "no sound XML"),
        ("<Document/>", "holds no text"),
        (b"\xff\xfe\x00", "no sound XML"),
        ("", "no sound XML"),
    ],
)
def test_hostile_xml(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read(tmp_path, "x.xml", content)


def test_json_lines(tmp_path: Path) -> None:
    every = {"source": "S", "url": "u", "qtype": "causes", "question": "Why rest?"}
    rows = [
        {**every, "focus": "Gout", "qtype": "treatment", "answer": "Rest."},
        {**every, "focus": "", "answer": "It helps."},
        {**every, "focus": "Empty", "answer": ""},
    ]
    packed = gzip.compress("\n".join(map(json.dumps, rows)).encode())
    draft = read(tmp_path, "my-base.jsonl.gz", packed)
    assert [entry.title for entry in draft.entries] == ["Gout - treatment", "Why rest? - causes"]
    assert (draft.labels.title, draft.labels.licence) == ("My base", "CC BY 4.0")
    assert draft.entries[0].source == "S"


def test_json_lines_of_ones_own(tmp_path: Path) -> None:
    row = {"title": "Ward rule", "text": "Wash hands.", "date": "2024-02-01"}
    draft = read(tmp_path, "rules.jsonl", json.dumps(row), Labels(licence="in-house"))
    assert (draft.entries[0].topic, draft.entries[0].date) == ("Ward rule", "2024-02-01")
    assert draft.labels.licence == "in-house"


def test_no_row_of_ones_own_bears_medquads_licence(tmp_path: Path) -> None:
    medquads = dict.fromkeys(("source", "url", "focus", "qtype", "question", "answer"), "x")
    own = {"focus": "Ward rule", "answer": "Wash hands."}
    for rows in ([own], [medquads, own]):
        draft = read(tmp_path, "x.jsonl", "\n".join(map(json.dumps, rows)))
        assert draft.labels.licence == "not stated"


@pytest.mark.parametrize(
    "date", ["yesterday!", "2026-W47-5", "20261120", "2026-02-30", "２０２６-11-20"]
)
def test_what_is_no_day_is_no_date(tmp_path: Path, date: str) -> None:
    row = json.dumps({"title": "a", "text": "b", "date": date})
    assert read(tmp_path, "x.jsonl", row).entries[0].date == ""
    assert read(tmp_path, "x.jsonl", row, Labels(date="2024-02-29")).entries[0].date == "2024-02-29"
    with pytest.raises(UsageError, match="is no date"):
        Labels(date=date).checked()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"focus": "a", "answer": "b"}\n{oops', "line 2, is no JSON"),
        ("[1]", "line 1, is no JSON object"),
        ('{"focus": "a"}', "line 1, lacks"),
        ('{"answer": "a", "focus": 5}', "line 1, lacks"),
        ("[" * 100_000, "line 1, is no JSON"),
        ("", "holds no text"),
    ],
)
def test_broken_json_lines(tmp_path: Path, content: str, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read(tmp_path, "x.jsonl", content)


def test_markdown_by_its_headings(tmp_path: Path) -> None:
    content = (
        "Foreword.\n\n# Wounds\n\nAbout wounds.\n\n## Treatment\n\nClean it.\n\n### At night\n\n"
        "Cover it.\n\n```\n# no heading\n```\n\n## Warning signs\n\nPus.\n\n# Burns\n\nCool it.\n"
    )
    draft = read(tmp_path, "first_aid.md", content)
    told = [(entry.title, entry.kind) for entry in draft.entries]
    assert told == [
        ("Wounds", ""),
        ("Wounds", ""),
        ("Wounds - Treatment", "treatment"),
        ("Wounds - Treatment - At night", ""),
        ("Wounds - Warning signs", "symptoms"),
        ("Burns", ""),
    ]
    assert "# no heading" in draft.entries[3].text
    assert draft.labels.source == draft.labels.title == "Wounds"
    assert draft.labels.licence == "not stated"


def test_plain_text_and_labels(tmp_path: Path) -> None:
    labels = Labels("T", "S", "L", "https://u", "2024-01-02")
    draft = read(tmp_path, "notes.txt", "One.\n\nTwo.", labels)
    assert draft.labels == labels
    (entry,) = draft.entries
    assert (entry.text, entry.url, entry.date) == ("One.\n\nTwo.", "https://u", "2024-01-02")


def test_control_codes_end_at_the_door(tmp_path: Path) -> None:
    draft = read(tmp_path, "x.txt", "A \x1b]52;c;ZXZpbA==\x07 dose\u202e of\x9b2J 5 mg\u200b.")
    assert draft.entries[0].text == "A  dose of 5 mg."
    row = {"focus": "A\x1b[2Jb\nc", "answer": "x\x1b[31mred", "url": "u\x07", "source": "s\x00"}
    (entry,) = read(tmp_path, "x.jsonl", json.dumps(row)).entries
    assert (entry.topic, entry.text, entry.url, entry.source) == ("Ab c", "xred", "u", "s")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("x.docx", "x", "does not read"),
        ("x", "x", "does not read"),
        ("x.zip", "PK", "does not read"),
        ("x.txt", "", "holds no text"),
        ("x.txt", " \n\n ", "holds no text"),
        ("x.txt", b"\xff\xfe\xfa", "no UTF-8"),
        ("x.txt", "a\0b", "is no text"),
        ("x.txt.gz", "not packed", "no gzip"),
        ("x.txt.gz", gzip.compress(b"whole")[:-4], "no gzip"),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, name: str, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read(tmp_path, name, content)


def test_a_missing_file_and_a_wrong_date(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="does not exist"):
        read_document(tmp_path / "none.md", Labels())
    with pytest.raises(UsageError, match="is no date"):
        read(tmp_path, "x.txt", "x", Labels(date="last week"))


def test_a_folder_is_one_document(tmp_path: Path) -> None:
    folder = tmp_path / "medquad"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.xml").write_text(MEDQUAD)
    (folder / "deep" / "b.xml").write_text(MEDQUAD.replace("Hiccups", "Sneezes"))
    (folder / "readme.rst").write_text("passed over")
    draft = read_document(folder, Labels())
    assert [entry.topic for entry in draft.entries] == ["Hiccups"] * 2 + ["Sneezes"] * 2
    assert (draft.labels.title, draft.labels.licence) == ("Medquad", "CC BY 4.0")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInputError, match="holds no file"):
        read_document(tmp_path / "empty", Labels())


def test_a_gzip_bomb_ends_at_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "LARGEST", 1_000_000)
    bomb = gzip.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    with pytest.raises(BadInputError, match="more than 1 MB"):
        read(tmp_path, "bomb.txt.gz", bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000


def test_a_folder_is_bounded_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.knowledge.readers.read.LARGEST", 100)
    (tmp_path / "a.txt").write_text("word " * 15)
    (tmp_path / "b.txt").write_text("word " * 15)
    with pytest.raises(BadInputError, match="Add it in parts"):
        read_document(tmp_path, Labels())


@given(st.text(max_size=6000))
def test_pieces_are_bounded_and_lose_nothing(content: str) -> None:
    found = list(pieces(content))
    assert all(len(piece) <= 1500 for piece in found)
    assert {c for c in content if c.isalpha()} == {c for c in "".join(found) if c.isalpha()}


def test_long_prose_is_cut_between_sentences() -> None:
    found = list(pieces(" ".join(f"This is sentence number {n}." for n in range(200))))
    assert len(found) > 3
    assert all(piece.endswith(".") for piece in found)


def test_a_title_from_a_name() -> None:
    assert title_of(Path("wound_care-2.txt")) == "Wound care 2"
    assert title_of(Path("base.jsonl.gz")) == "Base"


FORMS = ["x.xml", "x.jsonl", "x.md", "x.txt", "x.pdf", "x.jsonl.gz"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(FORMS), st.binary(max_size=300))
def test_any_bytes_end_in_entries_or_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    try:
        draft = read(tmp_path, name, content)
    except BedsideError as error:
        assert str(error).endswith(".")
    else:
        assert draft.entries


def pdf(words: str) -> bytes:
    """A PDF of one page, by pypdf's own writer; with no words, a page of nothing."""
    pypdf = pytest.importorskip("pypdf")
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(200, 200)
    if words:
        name, kind = NameObject, NameObject
        font = DictionaryObject(
            {
                name("/Type"): kind("/Font"),
                name("/Subtype"): kind("/Type1"),
                name("/BaseFont"): kind("/Helvetica"),
            }
        )
        page[name("/Resources")] = DictionaryObject(
            {name("/Font"): DictionaryObject({name("/F1"): font})}
        )
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 10 100 Td ({words}) Tj ET".encode())
        page[name("/Contents")] = stream
    writer.add_metadata({"/Title": "Leaflet\x07"})
    held = io.BytesIO()
    writer.write(held)
    return held.getvalue()


def test_pdf(tmp_path: Path) -> None:
    draft = read(tmp_path, "x.pdf", pdf("Take it with water."))
    assert draft.labels.title == "Leaflet"
    assert [entry.text for entry in draft.entries] == ["Take it with water."]


def test_pdf_without_text_or_sense(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="only pictures"):
        read(tmp_path, "x.pdf", pdf(""))
    with pytest.raises(BadInputError, match="no sound PDF"):
        read(tmp_path, "x.pdf", b"%PDF-1.7 broken")


def test_pdf_without_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(UsageError, match=r"pip install 'bedside\[pdf\]'"):
        read(tmp_path, "x.pdf", b"%PDF")
