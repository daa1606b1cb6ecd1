"""The cache's promise: what is found there was made from the very same things."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from app.engine.modelfile import read_header
from converter.cache import Cache
from converter.compare.ladder import HeldOut, Trial, compare
from converter.cut.measuring import Calibration
from converter.cut.plan import read_plan, write_plan
from converter.cut.planning import Request
from converter.cut.ranking import Score
from converter.make import Order, make
from converter.measure import Windows
from converter.quantise import FileType
from converter.stages import Workshop
from converter.texts import Document, Sample, read_texts
from tests.converter.checkpoints import Recipe, build

RECIPE = Recipe(width=64, head_dim=16)
SAMPLE = Sample(length=32, tokens=256)
EVERYTHING = ["model", "saliency", "plan", "cut", "saliency"]


def documents(path: Path, line: str) -> list[Document]:
    path.write_text("".join(f"{line} {number}\n" for number in range(60)))
    return read_texts([path])


def recorded(path: Path) -> list[Document]:
    """Documents of JSON lines that have two fields, of which the first is read."""
    rows = ({"one": f"some words {number}", "two": f"others {number}"} for number in range(60))
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return read_texts([path], "one")


@dataclass
class Walked:
    """A road that was walked once, and the table of a comparison."""

    order: Order
    trial: Trial
    tmp: Path

    def make(self, order: Order) -> list[str]:
        """The stages that the order had to do."""
        shop = Workshop(Cache(self.tmp / "cache"), 1)
        make(order, self.tmp / "out.gguf", shop, force=True)
        return shop.cache.made

    def compare(self, trial: Trial) -> int:
        """How many perplexities the comparison had to measure."""
        shop = Workshop(Cache(self.tmp / "cache"), 1)
        compare(trial, shop)
        return shop.cache.made.count("perplexity")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    tmp = tmp_path_factory.mktemp("first")
    known = Calibration(documents(tmp / "known.txt", "sentence to measure on"), (), SAMPLE)
    order = Order(
        model=build(tmp / "model", RECIPE),
        file_type=FileType.Q8_0,
        calibration=known,
        request=Request(neurons=0.5, score=Score.SALIENCY),
        restore=Sample(length=32, tokens=512),
    )
    held_out = HeldOut("held_out.jsonl", recorded(tmp / "held_out.jsonl"))
    trial = Trial(
        candidates=[],
        full=order.model,
        texts=[held_out],
        windows=Windows(32, 0, 2),
        calibration=None,
        speed=False,
        ladder=[FileType.Q8_0],
    )
    walked = Walked(order, trial, tmp)
    assert walked.make(order) == EVERYTHING
    assert walked.compare(trial) == 2
    return walked


@pytest.fixture
def walked(first: Walked, tmp_path: Path) -> Walked:
    """Its cache, and its checkpoint, in a place of their own."""
    for name in ("cache", "model"):
        shutil.copytree(first.tmp / name, tmp_path / name)
    model = tmp_path / "model"
    order, trial = replace(first.order, model=model), replace(first.trial, full=model)
    return Walked(order, trial, tmp_path)


def tokenizer(model: Path, **changes: object) -> None:
    """Say something else in the checkpoint's tokenizer_config.json."""
    path = model / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_the_same_is_found(walked: Walked) -> None:
    assert walked.make(walked.order) == []
    assert walked.compare(walked.trial) == 0


def other_domain(walked: Walked) -> Order:
    other = documents(walked.tmp / "other.txt", "words of another text")
    return replace(walked.order, calibration=Calibration(other, (), SAMPLE))


def more_general(walked: Walked) -> Order:
    assert walked.order.calibration is not None
    general = documents(walked.tmp / "general.txt", "a text of something else")
    return replace(walked.order, calibration=replace(walked.order.calibration, general=general))


def other_sample(walked: Walked) -> Order:
    assert walked.order.calibration is not None
    sample = replace(SAMPLE, tokens=128)
    return replace(walked.order, calibration=replace(walked.order.calibration, sample=sample))


def asked(**changes: Any) -> Callable[[Walked], Order]:
    def change(walked: Walked) -> Order:
        assert walked.order.request is not None
        return replace(walked.order, request=replace(walked.order.request, **changes))

    return change


def given(**changes: Any) -> Callable[[Walked], Order]:
    return lambda walked: replace(walked.order, **changes)


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        (other_domain, {"saliency", "plan", "cut"}),
        (more_general, {"saliency", "plan", "cut"}),
        (other_sample, {"saliency", "plan"}),
        (asked(layers=1), {"plan", "cut"}),
        (asked(score=Score.RMS), {"plan", "cut"}),
        (given(restore=Sample(length=32, tokens=256)), {"cut"}),
        (given(restore=None), {"cut"}),
    ],
    ids=["domain", "general", "sample", "layers", "score", "repair", "no-repair"],
)
def test_another_order_is_made_again(
    change: Callable[[Walked], Order], stages: set[str], walked: Walked
) -> None:
    assert stages <= set(walked.make(change(walked)))


def test_a_plan_measured_on_another_text_is_cut_again(walked: Walked) -> None:
    """The same is left of the model, but the file names the texts that it was fitted to."""
    (kept,) = (walked.tmp / "cache").glob("plan-*.json")
    plan = walked.tmp / "plan.json"
    write_plan(plan, replace(read_plan(kept), calibration=()))
    assert "cut" in walked.make(replace(walked.order, request=None, plan=plan))


@pytest.mark.parametrize("name", ["bedside", "llama-cpp-python"])
def test_another_tool_makes_everything_again(
    name: str, walked: Walked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "converter.stages.version", lambda one: "other" if one == name else version(one)
    )
    assert walked.make(walked.order) == EVERYTHING
    assert walked.compare(walked.trial) == 2


def test_another_template_is_in_the_file_and_saliency_is_kept(walked: Walked) -> None:
    """Only importance is measured again, since it is of the cut file as it is."""
    tokenizer(walked.order.model, chat_template="{{ messages[0]['content'] }}")
    assert walked.make(walked.order) == ["model", "cut", "saliency"]
    told = read_header(walked.tmp / "out.gguf").metadata["tokenizer.chat_template"]
    assert told == "{{ messages[0]['content'] }}"
    uncut = replace(walked.order, request=None, restore=None)
    assert walked.make(uncut) == []
    assert walked.compare(walked.trial) == 0


def test_another_name_is_in_the_file(walked: Walked) -> None:
    (walked.order.model / "README.md").write_text("---\nmodel_name: Another\n---\n")
    assert walked.make(walked.order) == ["model", "cut", "saliency"]
    assert read_header(walked.tmp / "out.gguf").metadata["general.name"] == "Another"


def test_another_tokeniser_measures_everything_again(walked: Walked) -> None:
    tokenizer(walked.order.model, add_bos_token=False)
    assert walked.make(walked.order) == EVERYTHING
    assert walked.compare(walked.trial) == 2


def other_text(walked: Walked) -> Trial:
    path = walked.tmp / "other.txt"
    return replace(walked.trial, texts=[HeldOut("held_out.jsonl", documents(path, "other words"))])


def other_field(walked: Walked) -> Trial:
    (source,) = {one.source for one in walked.trial.texts[0].documents}
    return replace(
        walked.trial, texts=[HeldOut("held_out.jsonl", read_texts([Path(source.path)], "two"))]
    )


@pytest.mark.parametrize(
    "change",
    [
        other_text,
        other_field,
        lambda walked: replace(walked.trial, windows=Windows(32, 0, 1)),
        lambda walked: replace(walked.trial, windows=Windows(16, 0, 2)),
    ],
    ids=["text", "field", "windows", "context"],
)
def test_another_perplexity_is_measured_again(
    change: Callable[[Walked], Trial], walked: Walked
) -> None:
    assert walked.compare(change(walked)) == 2


def test_without_text_no_whole_model_is_left_in_the_cache(walked: Walked) -> None:
    """It would take as much room as the checkpoint, for nothing that reads it."""
    plain = replace(walked.order, calibration=None, request=None, restore=None)
    magnitude = Request(neurons=0.5, score=Score.MAGNITUDE)
    shutil.rmtree(walked.tmp / "cache")
    assert walked.make(plain) == []
    assert walked.make(replace(plain, request=magnitude)) == ["plan", "cut"]
    assert not list((walked.tmp / "cache").glob("model-*"))
