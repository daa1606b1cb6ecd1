"""A file names the texts it was fitted to, by whatever road: `compare` refuses them as held out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.engine.modelfile import read_header
from converter.cut.plan import read_plan
from converter.material import CALIBRATED
from converter.texts import read_texts
from tests.converter.checkpoints import Recipe, build
from tests.converter.cli.test_cli import run

SMALL = ("--tokens", 256, "--chunk", 32, "--threads", 1)


@dataclass
class Places:
    """A checkpoint, three texts with the hashes of their files, and where to work."""

    tmp: Path

    @property
    def model(self) -> Path:
        return self.tmp / "model"

    @property
    def scores(self) -> Path:
        return self.tmp / "scores.gguf"

    @property
    def plan(self) -> Path:
        return self.tmp / "plan.json"

    def sha256(self, name: str) -> str:
        return read_texts([self.tmp / name])[0].source.sha256

    def made(self, command: str, *arguments: object) -> None:
        ended = run(command, *arguments)
        assert ended.exit_code == 0, ended.stderr

    def texts(self, name: str) -> object:
        """What the made file says it was fitted to."""
        return read_header(self.tmp / name).metadata.get(CALIBRATED)

    @property
    def kept(self) -> tuple[object, ...]:
        return ("--cache", self.tmp / "cache")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """With a saliency file and a plan that were measured on `score.txt`."""
    places = Places(tmp_path_factory.mktemp("calibrated"))
    build(places.model, Recipe(width=64, head_dim=16))
    for name in ("score", "repair", "layers"):
        (places.tmp / f"{name}.txt").write_text(f"words for the {name} of a model\n" * 60)
    text = ("--text", places.tmp / "score.txt")
    places.made("saliency", places.model, "-o", places.scores, *text, *SMALL, *places.kept)
    places.made("plan", places.model, places.scores, "-o", places.plan, "--neurons", 0.5)
    return places


def test_a_plan_names_the_texts_of_its_score(places: Places) -> None:
    places.made("prune", places.model, places.plan, places.tmp / "planned.gguf")
    assert places.texts("planned.gguf") == places.sha256("score.txt")


def test_a_repair_names_its_texts_beside_the_plans_in_a_file_and_in_a_folder(
    places: Places,
) -> None:
    fitted = ("--restore", "--text", places.tmp / "repair.txt", "--chunk", 32, *places.kept)
    both = f"{places.sha256('score.txt')} {places.sha256('repair.txt')}"
    places.made("prune", places.model, places.plan, places.tmp / "repaired.gguf", *fitted)
    assert places.texts("repaired.gguf") == both
    places.made("prune", places.model, places.plan, places.tmp / "folder", *fitted)
    places.made("convert", places.tmp / "folder", places.tmp / "converted.gguf", "-t", "Q8_0")
    assert places.texts("converted.gguf") == both
    ended = run(
        "compare", places.tmp / "repaired.gguf", "--full", places.model, "--text",
        places.tmp / "repair.txt", *places.kept,
    )  # fmt: skip
    assert ended.exit_code == 3
    assert "repaired.gguf was calibrated on repair.txt" in ended.stderr


def test_the_text_that_layers_were_confirmed_on_is_named(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = ("--text", places.tmp / "layers.txt", "--chunks", 1, "--context", 32)
    plan = tmp_path / "plan.json"
    places.made("plan", places.model, places.scores, "-o", plan, "--layers", 1, *text)
    assert [one.sha256 for one in read_plan(plan).confirmed] == [places.sha256("layers.txt")]
    places.made("prune", places.model, plan, places.tmp / "shallow.gguf")
    both = f"{places.sha256('score.txt')} {places.sha256('layers.txt')}"
    assert places.texts("shallow.gguf") == both


def test_an_importance_matrix_of_our_own_names_its_texts(places: Places) -> None:
    out = places.tmp / "weighed.gguf"
    places.made("convert", places.model, out, "--imatrix", places.scores, "-t", "Q8_0")
    assert places.texts("weighed.gguf") == places.sha256("score.txt")


MAGNITUDE = ("--neurons", 0.5, "--score", "magnitude")


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (("-t", "BF16", *MAGNITUDE, "--no-restore"), []),
        (("-t", "BF16", *MAGNITUDE, "--restore-tokens", 256), ["repair.txt"]),
        (("-t", "BF16", "--neurons", 0.5, "--score", "rms", "--no-restore"), ["repair.txt"]),
        (("-t", "Q8_0", *MAGNITUDE, "--no-restore"), ["repair.txt"]),
        (("-t", "BF16", "--no-restore", "--plan", "PLAN"), ["score.txt"]),
        (("-t", "Q8_0", "--restore-tokens", 256, "--plan", "PLAN"), ["score.txt", "repair.txt"]),
    ],
    ids=["nothing", "repair", "score", "importance", "plan", "plan-and-repair"],
)
def test_make_names_what_it_used_and_no_more(
    options: tuple[object, ...], texts: list[str], places: Places
) -> None:
    out = places.tmp / "made.gguf"
    given = [places.plan if option == "PLAN" else option for option in options]
    text = ("--text", places.tmp / "repair.txt")
    places.made("make", places.model, out, *given, *text, *SMALL, *places.kept, "--force")
    assert places.texts("made.gguf") == (" ".join(map(places.sha256, texts)) or None)


def test_make_names_the_plans_texts_where_it_has_none_of_its_own(places: Places) -> None:
    out = places.tmp / "bare.gguf"
    plan = ("--plan", places.plan, "--no-restore")
    places.made("make", places.model, out, *plan, "-t", "Q8_0", *places.kept)
    assert places.texts("bare.gguf") == places.sha256("score.txt")
