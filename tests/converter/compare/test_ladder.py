"""A whole comparison of a small checkpoint, and what it does not do twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import BadInputError
from converter import metadata
from converter.cache import Cache
from converter.checkpoint import open_checkpoint
from converter.compare.ladder import HeldOut, Trial, compare
from converter.cut.measuring import Calibration
from converter.cut.source import source_hash
from converter.export import lay_out, write
from converter.material import gather
from converter.measure import Windows
from converter.quantise import FileType
from converter.stages import Workshop
from converter.texts import Sample, read_texts


@pytest.fixture
def trial(recipe_folder: Callable[[str], Path], tmp_path: Path) -> Trial:
    folder = recipe_folder("tied-bf16")
    candidate = tmp_path / "candidate.gguf"
    write(lay_out(open_checkpoint(folder), FileType.Q5_K_M), candidate, threads=1)
    held_out, known = tmp_path / "held_out.txt", tmp_path / "known.txt"
    held_out.write_text("words that nobody fitted anything to\n" * 9)
    known.write_text("some other sentences for calibration alone\n" * 30)
    return Trial(
        candidates=[candidate],
        full=folder,
        texts=[HeldOut("held_out.txt", read_texts([held_out]))],
        windows=Windows(32, 0, 3),
        calibration=Calibration(read_texts([known]), (), Sample(length=32, tokens=256)),
        speed=False,
        ladder=[FileType.Q8_0, FileType.Q4_K_M],
        weighed=[FileType.Q4_K_M, FileType.IQ4_XS],
    )


def test_every_file_is_measured_and_none_is_left(trial: Trial, tmp_path: Path) -> None:
    shop = Workshop(Cache(tmp_path / "cache"), 1)
    table = compare(trial, shop)
    assert [(row.name, row.role) for row in table.rows] == [
        ("full model", "full"), ("Q8_0", "ladder"), ("Q4_K_M", "ladder"),
        ("Q4_K_M by importance", "weighed"), ("IQ4_XS by importance", "weighed"),
        ("candidate", "candidate"),
    ]  # fmt: skip
    full, q8, q4, weighed, iq4, candidate = table.rows
    assert full.nbytes > q8.nbytes > candidate.nbytes > q4.nbytes > iq4.nbytes
    assert candidate.nbytes == trial.candidates[0].stat().st_size
    assert q4.scores != weighed.scores
    assert candidate.sha256 == source_hash(trial.candidates[0])
    shipped = tmp_path / "Q4_K_M.gguf"
    write(lay_out(open_checkpoint(trial.full), FileType.Q4_K_M), shipped, threads=1)
    assert q4.sha256 == source_hash(shipped)  # so that what was evaluated of it can be told
    assert q4.bits_per_weight == weighed.bits_per_weight < 6
    assert table.corpora[0].chunks == 3
    assert table.corpora[0].overlap == 0
    assert not [path for path in shop.cache.folder.iterdir() if path.name.startswith(".")]
    again = Workshop(Cache(tmp_path / "cache"), 1)
    assert compare(trial, again) == table
    assert again.cache.made == []
    assert shop.cache.made.count("perplexity") == 6


def test_a_file_that_a_killed_run_left_is_swept(trial: Trial, tmp_path: Path) -> None:
    shop = Workshop(Cache(tmp_path / "cache"), 1)
    shop.cache.make_folder()
    left = shop.cache.folder / ".Q8_0.gguf.0123456789ab.partial"
    left.write_bytes(b"half")
    one = replace(trial, candidates=[], ladder=[FileType.Q8_0], calibration=None)
    assert [row.name for row in compare(one, shop).rows] == ["full model", "Q8_0"]
    assert not left.exists()


def test_without_calibration_text_there_are_no_rows_by_importance(
    trial: Trial, tmp_path: Path
) -> None:
    table = compare(replace(trial, calibration=None), Workshop(Cache(tmp_path / "cache"), 1))
    assert {row.role for row in table.rows} == {"full", "ladder", "candidate"}
    assert table.corpora[0].overlap is None


def test_text_that_was_calibrated_on_is_refused_before_anything_is_measured(
    trial: Trial, tmp_path: Path
) -> None:
    assert trial.calibration is not None
    same = replace(trial, texts=[HeldOut("known.txt", trial.calibration.domain)])
    shop = Workshop(Cache(tmp_path / "cache"), 1)
    with pytest.raises(BadInputError, match="was calibrated on"):
        compare(same, shop)
    assert not shop.cache.folder.exists()


def test_a_candidates_own_calibration_is_known_from_its_file(trial: Trial, tmp_path: Path) -> None:
    material = gather(open_checkpoint(trial.full))
    sha256 = trial.texts[0].documents[0].source.sha256
    told = metadata.text("bedside.calibration_sha256", f"{'0' * 64} {sha256}")
    fitted = tmp_path / "fitted.gguf"
    provenance = (*material.provenance, told)
    write(lay_out(replace(material, provenance=provenance), FileType.Q8_0), fitted, threads=1)
    with pytest.raises(BadInputError, match=r"fitted\.gguf was calibrated on held_out\.txt"):
        compare(replace(trial, candidates=[fitted]), Workshop(Cache(tmp_path / "cache"), 1))
