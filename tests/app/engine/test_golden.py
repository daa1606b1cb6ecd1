"""From the shared checkpoint to answers: the same on every machine of a kind, for good."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.engine import golden
from tests.shared import shared_path


@pytest.fixture(scope="module")
def medquad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration model, as our converter's own command makes it."""
    checkpoint = shared_path("models/medquad-29m")
    path = tmp_path_factory.mktemp("golden") / "medquad-29m-Q4_K_M.gguf"
    command = [sys.executable, "-m", "converter", "convert", str(checkpoint), str(path)]
    subprocess.run([*command, "--type", "Q4_K_M"], check=True, capture_output=True)
    return path


def test_five_greedy_answers_are_the_kept_ones(medquad: Path) -> None:
    answers = golden.answers(medquad)
    assert all(len(answer["ids"]) > 3 for answer in answers)
    assert answers == golden.answers(medquad), "two runs on one machine differ"
    expected = golden.kept().get(golden.processor())
    if expected is None:
        pytest.skip(
            f"No answers are kept for “{golden.processor()}”; two runs were equal. "
            "`python -m tests.app.engine.golden MODEL.gguf` adds them."
        )
    assert answers == expected
