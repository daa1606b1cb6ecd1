"""Text that was calibrated on is not taken for held-out text."""

from __future__ import annotations

import hashlib

import pytest

from app.errors import BadInputError
from converter.compare.overlap import check_held_out, shared_runs
from converter.texts import Document, Piece, TextSource, read_texts
from tests.shared import shared_path


def document(text: str, path: str = "text") -> Document:
    source = TextSource(path, hashlib.sha256(text.encode()).hexdigest())
    return Document(source, (Piece(text),))


def words(first: int, count: int) -> str:
    return " ".join(f"word{number}" for number in range(first, first + count))


def test_runs_are_of_thirteen_words_in_a_line_whatever_their_case_and_spaces() -> None:
    held_out = [document(words(0, 20))]  # eight runs
    assert shared_runs(held_out, [document(words(0, 12))]) == 0
    assert shared_runs(held_out, [document(words(0, 13))]) == 1 / 8
    assert shared_runs(held_out, [document(words(3, 40))]) == 5 / 8
    assert shared_runs(held_out, [document(words(0, 20).upper().replace(" ", "  "))]) == 1
    assert shared_runs(held_out, [document(words(0, 10) + "\n" + words(10, 10))]) == 0
    assert shared_runs([document("too few words")], [document("too few words")]) == 0


def test_the_same_file_is_refused_by_its_hash_and_a_copy_by_its_words() -> None:
    held_out = document(words(0, 100), "held_out.txt")
    with pytest.raises(BadInputError, match=r"held_out\.txt was calibrated on"):
        check_held_out([held_out], [document(words(500, 9)), held_out])
    copy = document("A new beginning.\n" + words(0, 100))
    with pytest.raises(BadInputError, match="100% stand in the calibration"):
        check_held_out([held_out], [copy])
    assert check_held_out([held_out], [document(words(0, 20))]) == 8 / 88


def test_the_shared_splits_are_held_out() -> None:
    train = read_texts([shared_path("data/medquad_train.jsonl.gz")])
    held_out = read_texts([shared_path("data/medquad_val.jsonl.gz")])
    assert 0.05 < check_held_out(held_out, train) < 0.2
    general = read_texts([shared_path("data/general_val.jsonl.gz")])
    assert check_held_out(general, train) < 0.01
