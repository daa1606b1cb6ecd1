"""`make` and `compare` as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.converter.cli.test_cli import run


@pytest.fixture
def places(recipe_folder: Callable[[str], Path], tmp_path: Path) -> dict[str, Path]:
    """A checkpoint, text to fit to, text held out, and where to work."""
    known, held_out = tmp_path / "known.txt", tmp_path / "held_out.txt"
    known.write_text("".join(f"sentence {number} to measure on\n" for number in range(120)))
    held_out.write_text("words that nothing was fitted to\n" * 9)
    return {
        "folder": recipe_folder("tied-bf16"),
        "known": known,
        "held_out": held_out,
        "tmp": tmp_path,
        "out": tmp_path / "out.gguf",
    }


def _made(places: dict[str, Path], *more: object) -> str:
    """A small cut, and what was printed."""
    ended = run(
        "make", places["folder"], places["out"], "--neurons", 0.5, "--text", places["known"],
        "--tokens", 512, "--chunk", 32, "--restore-tokens", 1024, "--threads", 1,
        "--cache", places["tmp"] / "cache", *more,
    )  # fmt: skip
    assert ended.exit_code == 0, ended.stderr
    return ended.stdout


def test_the_whole_road_then_the_table(places: dict[str, Path]) -> None:
    told = _made(places)
    assert "stages done: model, saliency, plan, cut, saliency" in told
    assert "  layer   1 ffn_down  " in told
    told = _made(places, "--type", "IQ3_XXS", "--force", "--tensor-type", "attn_v=Q6_K")
    assert "stages done: plan" in told
    report = places["tmp"] / "report"
    ended = run(
        "compare", places["out"], "--full", places["folder"], "--text", places["held_out"],
        "--calibration", places["known"], "--tokens", 512, "--context", 32, "--chunks", 2,
        "--no-speed", "--threads", 1, "--cache", places["tmp"] / "cache", "--out", report,
    )  # fmt: skip
    assert ended.exit_code == 0, ended.stderr
    assert "out: perplexity" in ended.stdout.splitlines()[-1]
    record = json.loads(report.with_suffix(".json").read_text())
    names = [row["name"] for row in record["rows"]]
    assert names[1] == "Q8_0"
    assert "Q2_K" in names
    assert "IQ2_XXS by importance" in names
    assert report.with_suffix(".svg").read_text().startswith("<svg")
    assert "| **out** |" in report.with_suffix(".md").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("make", "{folder}", "{tmp}/out.bin"), 2, "ends in .gguf"),
        (("make", "{folder}", "{out}", "--neurons", "0.5"), 2, "name one with --text"),
        (("make", "{folder}", "{out}", "--neurons", "1.5"), 2, "share of neurons"),
        (("make", "{folder}", "{out}", "--bytes", "small"), 2, "is no size"),
        (("make", "{folder}", "{out}", "--type", "IQ2_XS"), 2, "of no use without an importance"),
        (("make", "{folder}", "{out}", "--tensor-type", "ffn"), 2, "REGEX=TYPE"),
        (("make", "{folder}", "{out}", "--plan", "{known}", "--layers", "1"), 2, "not both"),
        (("make", "{tmp}/none", "{out}"), 3, "cannot be read"),
        (("make", "{folder}", "{out}", "--text", "{tmp}/none.txt"), 3, "none.txt"),
        (("compare", "--full", "{folder}", "--text", "{known}", "--calibration", "{known}"), 3,
         "was calibrated on"),
        (("compare", "{tmp}/none.gguf", "--full", "{folder}", "--text", "{known}"), 3,
         "does not exist"),
        (("compare", "--full", "{folder}"), 2, "--text"),
    ],
    ids=str,
)  # fmt: skip
def test_a_failure_is_a_sentence_and_leaves_nothing(
    arguments: tuple[str, ...], code: int, sentence: str, places: dict[str, Path]
) -> None:
    cache = ("--cache", str(places["tmp"] / "cache"))
    ended = run(*(argument.format(**places) for argument in arguments), *cache)
    assert ended.exit_code == code
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not places["out"].exists()


def test_a_quantised_file_is_cut_when_its_losses_are_accepted(places: dict[str, Path]) -> None:
    """The same file by one command, and by a plan and a cut."""
    quantised = places["tmp"] / "q.gguf"
    assert run("convert", places["folder"], quantised, "--type", "Q8_0").exit_code == 0
    magnitude = ("--neurons", 0.5, "--score", "magnitude")
    direct = ("make", quantised, places["out"], "--type", "Q8_0", "--no-restore", *magnitude)
    cache = ("--cache", places["tmp"] / "cache")
    ended = run(*direct, *cache)
    assert ended.exit_code == 3
    assert "--dequantise" in ended.stderr
    assert not places["out"].exists()
    assert run(*direct, *cache, "--dequantise").exit_code == 0
    plan, cut = places["tmp"] / "plan.json", places["tmp"] / "cut.gguf"
    assert run("plan", quantised, "-o", plan, *magnitude).exit_code == 3
    for command in (
        ("plan", quantised, "-o", plan, *magnitude),
        ("prune", quantised, plan, cut, "--type", "Q8_0"),
    ):
        assert run(*command, "--dequantise").exit_code == 0
    assert cut.read_bytes() == places["out"].read_bytes()


@pytest.mark.parametrize("command", ["make", "plan", "prune"])
def test_ctrl_c_is_answered_by_what_became_of_the_work(
    command: str, places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    plan = places["tmp"] / "plan.json"
    share = ("--neurons", 0.5, "--score", "magnitude")
    assert run("plan", places["folder"], "-o", plan, *share).exit_code == 0
    arguments: dict[str, tuple[object, ...]] = {
        "make": (places["folder"], places["out"], *share, "--no-restore"),
        "plan": (places["folder"], "-o", places["tmp"] / "other.json", *share),
        "prune": (places["folder"], plan, places["out"]),
    }
    for name in (
        "converter.make.make",
        "converter.cut.planning.make_plan",
        "converter.export.write",
    ):
        monkeypatch.setattr(name, press)
    ended = run(command, *arguments[command])
    assert ended.exit_code == 130
    assert ended.stderr.startswith("Stopped; ")
    assert ended.stderr.count("\n") == 1
    assert not places["out"].exists()
