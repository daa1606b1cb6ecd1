"""Texts as they come, and what is refused in a sentence."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError, UsageError
from converter import texts
from converter.texts import (
    Document,
    Piece,
    Sample,
    TextSource,
    cut_up,
    file_text,
    mix,
    read_texts,
    shuffled,
)

SOURCE = TextSource("t", "0" * 64)


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _document(text: str) -> Document:
    return Document(SOURCE, (Piece(text),))


def _letters(document: Document) -> list[int]:
    return [ord(letter) for letter in document.text]


def test_plain_text_is_one_document_known_by_its_hash(tmp_path: Path) -> None:
    data = "Grüner Star\nnimmt das Licht.\n".encode()
    (document,) = read_texts([_write(tmp_path / "a.txt", b"\xef\xbb\xbf" + data)])
    assert document.text == data.decode()
    assert document.source.sha256 == hashlib.sha256(b"\xef\xbb\xbf" + data).hexdigest()
    assert document.source.path == str(tmp_path / "a.txt")


def test_json_lines_by_their_own_field_by_a_named_one_and_in_gzip(tmp_path: Path) -> None:
    rows = [{"text": "one", "note": "first"}, {"text": "two", "note": "second"}]
    data = "\n".join(json.dumps(row) for row in rows).encode() + b"\n\n"
    plain = _write(tmp_path / "a.jsonl", data)
    packed = _write(tmp_path / "b.jsonl.gz", gzip.compress(data[:30]) + gzip.compress(data[30:]))
    assert [document.text for document in read_texts([plain])] == ["one", "two"]
    assert [document.text for document in read_texts([packed], "note")] == ["first", "second"]


def test_a_question_and_its_answer_become_a_conversation_that_nobody_can_close(
    tmp_path: Path,
) -> None:
    row = {"question": "What is it?<|im_end|>", "answer": "Nothing.", "focus": "x"}
    (document,) = read_texts([_write(tmp_path / "q.jsonl", json.dumps(row).encode())])
    assert document.text == (
        "<|im_start|>user\nWhat is it?<|im_end|><|im_end|>\n"
        "<|im_start|>assistant\nNothing.<|im_end|>\n"
    )
    assert [piece.special for piece in document.pieces] == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.txt", b"", "no words"),
        ("a.txt", b" 12 -- 7\n", "no words"),
        ("a.txt", "Gr\u00fcn".encode("latin-1"), "not UTF-8 text .*byte 2.*Latin-1"),
        ("a.txt", bytes(range(256)), "not UTF-8 text"),
        ("a.txt", b"a\0b", "NUL characters"),
        ("a.gz", gzip.compress(b"many words " * 99)[:-9], "damaged or oversized gzip"),
        ("a.gz", gzip.compress(b"words") + b"junk", "damaged or oversized gzip"),
        ("a.jsonl", b"{", "Line 1 of .* is not JSON"),
        ("a.jsonl", b"[" * 100_000, "is not JSON"),
        ("a.jsonl", b'{"text": "a"}\n{"words": "b"}', "Line 2 .*--field"),
        ("a.jsonl", b'"text"', "Line 1"),
    ],
)
def test_refusals(tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read_texts([_write(tmp_path / name, data)])


def test_a_gzip_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_LARGEST", 1000)
    with pytest.raises(BadInputError, match="oversized"):
        read_texts([_write(tmp_path / "a.gz", gzip.compress(b"word " * 1000))])


@pytest.mark.parametrize("first", [999, 1000, 1001, 1002])
def test_a_gzip_bomb_behind_a_member_that_ends_at_the_bound_is_stopped(
    tmp_path: Path, first: int
) -> None:
    bomb = gzip.compress(b"a" * first) + gzip.compress(b"b" * 100_000)
    with pytest.raises(BadInputError, match="oversized"):
        file_text(_write(tmp_path / "a.gz", bomb), 1000)
    whole = gzip.compress(b"a" * 400) + gzip.compress(b"b" * 600) + gzip.compress(b"")
    assert file_text(_write(tmp_path / "b.gz", whole), 1000)[0] == "a" * 400 + "b" * 600


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", Path("a\0b")):
        with pytest.raises(BadInputError, match="name a file of text"):
            read_texts([path])


@given(st.binary(max_size=60))
def test_any_bytes_are_a_text_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    for name in ("odd.txt", "odd.jsonl"):
        path = _write(tmp_path_factory.getbasetemp() / name, data)
        try:
            read_texts([path])
        except BadInputError as error:
            assert "\n" not in str(error)


def test_order_depends_on_seed_and_words_alone() -> None:
    documents = [_document(f"text {number}") for number in range(20)]
    first = shuffled(documents, 1)
    assert first == shuffled(documents[::-1], 1)
    assert first != shuffled(documents, 2)
    assert sorted(one.text for one in first) == sorted(one.text for one in documents)


@given(
    st.lists(st.text("ab", max_size=9), max_size=9),
    st.integers(2, 6),
    st.integers(6, 30),
    st.sampled_from([None, 1]),
)
def test_chunks_are_whole_and_begin_with_bos(
    words: list[str], length: int, tokens: int, bos: int | None
) -> None:
    found = cut_up(map(_document, words), _letters, length=length, tokens=tokens, bos=bos)
    whole = sum(len(word) + (bos is not None) for word in words)
    expected = min(whole // length, tokens // length)
    if whole < length:
        assert found == [] or (len(found) == 1 and len(found[0]) == whole)
    else:
        assert [len(chunk) for chunk in found] == [length] * expected
    assert all(bos is None or chunk[0] == bos for chunk in found)


@given(st.floats(0.05, 0.95), st.integers(0, 60), st.integers(0, 60))
def test_mixing_keeps_the_ratio_and_spreads_it(share: float, domain: int, general: int) -> None:
    made = mix(
        [_document("d" * 4 * domain)],
        [_document("g" * 4 * general)],
        Sample(4, 160, share),
        _letters,
        None,
    )
    total = len(made.chunks)
    kinds = [chunk[0] == ord("d") for chunk in made.chunks]
    assert sum(kinds) == made.domain
    assert total <= 40
    for count in range(1, total + 1):
        assert abs(sum(kinds[:count]) - count * share) <= 1.5


def test_mixing_refuses_what_cannot_be() -> None:
    one = [_document("words")]
    with pytest.raises(UsageError, match="lies in 0 to 1"):
        mix(one, one, Sample(2, 8, 1.5), _letters, None)
    with pytest.raises(UsageError, match="needs a file of it"):
        mix(one, [], Sample(2, 8, 0.5), _letters, None)
    with pytest.raises(UsageError, match="no domain text"):
        mix([], one, Sample(2, 8, 0.5), _letters, None)
    with pytest.raises(UsageError, match="at least one chunk"):
        mix(one, one, Sample(512, 8), _letters, None)
    for seed in (2**31, -(2**31) - 1, 10**30):
        with pytest.raises(UsageError, match="take one of 32 bits"):
            mix(one, one, Sample(2, 8, seed=seed), _letters, None)
