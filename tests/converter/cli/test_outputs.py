"""Where the commands write: never over what they read, and looked at before the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.cut.plan import write_plan
from converter.evaluate.record import record
from tests.converter.checkpoints import Recipe
from tests.converter.cli.test_cli import run
from tests.converter.cut.plans import layers, plan
from tests.converter.evaluate.evaluations import MIXED, evaluation


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Inputs of every kind; of a model there is no more than the name."""
    (tmp_path / "model").mkdir()
    for name in ("model/config.json", "full.gguf", "saliency", "text.gguf", "text.json"):
        (tmp_path / name).write_text("words")
    write_plan(tmp_path / "plan.gguf", plan(layers(Recipe())))
    (tmp_path / "evaluation.json").write_text(record([evaluation(MIXED)]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMANDS = (
    "convert model text.gguf --imatrix text.gguf --force",
    "make full.gguf full.gguf --neurons .5 --score magnitude --no-restore --force",
    "make full.gguf plan.gguf --plan plan.gguf --no-restore --force",
    "make full.gguf text.gguf --text text.gguf --force",
    "saliency full.gguf -o full.gguf --text text.json --force",
    "saliency model -o model/config.json --text text.json --force",
    "saliency full.gguf -o text.json --text text.json --force",
    "saliency full.gguf -o text.json --text text.gguf --general text.json --force",
    "plan full.gguf -o full.gguf --force",
    "plan full.gguf saliency -o saliency --force",
    "plan full.gguf -o text.json --layers 1 --text text.json --force",
    "prune full.gguf plan.gguf full.gguf --force",
    "prune full.gguf plan.gguf plan.gguf --force",
    "prune full.gguf plan.gguf text.gguf --restore --text text.gguf --force",
    "compare --full full.gguf --text text.json -o text",
    "compare --full full.gguf --text text.gguf --evaluation evaluation.json -o evaluation",
    "results evaluation.json -o evaluation",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_read_is_not_written_over(command: str, folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    ended = run(*command.split())
    assert "is read itself and would be lost; name another output." in ended.stderr
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_table_that_cannot_be_written_is_told_before_anything_is_measured(folder: Path) -> None:
    """Nothing of what is to be compared is there to be measured."""
    compare = ("compare", "--full", "none.gguf", "--text", "none.txt", "-o")
    for out, sentence in (("none/table", "no folder none"), (".", "give the files a name in it")):
        ended = run(*compare, out)
        assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
        assert sentence in ended.stderr
