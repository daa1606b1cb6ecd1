from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import BadInputError
from app.knowledge.thesaurus import LONGEST_PHRASE, SHIPPED, read_thesaurus, shipped_thesaurus


def test_there_are_enough_pairs_and_each_can_be_found() -> None:
    related = shipped_thesaurus().related
    assert sum(map(len, related.values())) // 2 >= 300
    assert all(1 <= len(phrase) <= LONGEST_PHRASE for phrase in related)


def test_it_works_in_both_directions() -> None:
    related = shipped_thesaurus().related
    assert all(phrase in related[other] for phrase, others in related.items() for other in others)
    assert ("urin",) in related[("pee",)]
    assert ("pee",) in related[("urin",)]


def test_no_class_passes_for_a_substance() -> None:
    medicines = shipped_thesaurus().medicines
    assert medicines["paracetamol"] == medicines["tylenol"]
    different = ["ibuprofen", "naproxen", "warfarin", "heparin", "morphin", "codein"]
    assert len({medicines[name] for name in different}) == len(different)


def test_the_longest_phrase_wins() -> None:
    question = ("high", "blood", "pressur", "headach")
    found = dict(shipped_thesaurus().phrases_in(question))
    assert found == {0: ("high", "blood", "pressur"), 3: ("headach",)}


def test_the_file_reads_as_shipped() -> None:
    assert read_thesaurus(SHIPPED) == shipped_thesaurus()


@pytest.mark.parametrize("content", ['pee = ["urine"]', '[a]\npee = "urine"', "[a]\npee = [1]"])
def test_a_broken_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "thesaurus.toml"
    path.write_text(content)
    with pytest.raises(BadInputError):
        read_thesaurus(path)
