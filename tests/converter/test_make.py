"""The whole road over a small checkpoint: what it does, and what it does not do twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.engine.modelfile import read_header
from app.errors import BadInputError, ResourceError, UsageError
from converter.cache import Cache
from converter.checkpoint import open_checkpoint
from converter.cut.apply import cut
from converter.cut.measuring import Calibration, measure
from converter.cut.planning import Request
from converter.cut.ranking import Score
from converter.cut.source import source_hash
from converter.export import lay_out, write
from converter.make import Order, make
from converter.material import CALIBRATED, IMPORTANCE, gather
from converter.progress import Advance
from converter.quantise import FileType, Override
from converter.stages import Progress, Workshop, silent
from converter.texts import Sample, read_texts

HALF = Request(neurons=0.5, score=Score.SALIENCY)


@pytest.fixture
def order(recipe_folder: Callable[[str], Path], tmp_path: Path) -> Order:
    text = tmp_path / "text.txt"
    text.write_text("".join(f"sentence {number} of a text to measure on\n" for number in range(90)))
    calibration = Calibration(read_texts([text]), (), Sample(length=32, tokens=512))
    return Order(
        model=recipe_folder("tied-bf16"),
        file_type=FileType.Q4_K_M,
        calibration=calibration,
        request=HALF,
        restore=Sample(length=32, tokens=1024),
    )


def shop(tmp_path: Path, progress: Progress = silent) -> Workshop:
    return Workshop(Cache(tmp_path / "cache"), 1, progress)


def test_another_type_measures_nothing_again(order: Order, tmp_path: Path) -> None:
    first = shop(tmp_path)
    made = make(order, tmp_path / "q4.gguf", first)
    assert first.cache.made == ["model", "saliency", "plan", "cut", "saliency"]
    repaired = [gain.part for gain in made.gains if gain.part in ("attn_output", "ffn_down")]
    assert len(repaired) == 4  # both writers of both layers; the readers may gain too
    again = shop(tmp_path)
    second = make(replace(order, file_type=FileType.IQ4_XS), tmp_path / "iq4.gguf", again)
    assert set(again.cache.made) <= {"plan"}
    assert again.cache.found.count("saliency") == 2
    assert second.gains == ()
    assert second.nbytes < made.nbytes
    third = shop(tmp_path)
    overrides = [Override.parse("ffn_down=Q8_0")]
    make(replace(order, overrides=overrides), tmp_path / "mixed.gguf", third)
    assert third.cache.made == []
    kinds = {
        tensor.name: tensor.type.name for tensor in read_header(tmp_path / "mixed.gguf").tensors
    }
    assert kinds["blk.0.ffn_down.weight"] == "Q8_0"
    assert kinds["blk.0.ffn_up.weight"] == "Q4_K"


def test_the_file_is_what_the_stages_make_one_by_one(order: Order, tmp_path: Path) -> None:
    """Without repair, which has tests of its own: full model, plan, cut, importance, file."""
    plain = replace(order, restore=None)
    made = make(plain, tmp_path / "made.gguf", shop(tmp_path))
    assert made.plan is not None
    smaller = cut(gather(open_checkpoint(order.model)), made.plan)
    file = tmp_path / "cut.gguf"
    write(lay_out(smaller, FileType.BF16), file, threads=1)
    assert order.calibration is not None
    imatrix = measure(file, source_hash(file), order.calibration, threads=1).imatrix
    layout = lay_out(smaller, FileType.Q4_K_M, imatrix=imatrix)
    write(layout, tmp_path / "by_hand.gguf", threads=1)
    ours, theirs = read_header(tmp_path / "made.gguf"), read_header(tmp_path / "by_hand.gguf")
    assert ours.tensors == theirs.tensors
    sizes = ours.file_bytes - ours.data_offset, theirs.file_bytes - theirs.data_offset
    assert sizes[0] == sizes[1]
    data = (tmp_path / "made.gguf").read_bytes(), (tmp_path / "by_hand.gguf").read_bytes()
    assert data[0][-sizes[0] :] == data[1][-sizes[1] :]
    told = theirs.metadata["bedside.importance_sha256"]
    assert ours.metadata["bedside.importance_sha256"] == told
    texts = ours.metadata["bedside.calibration_sha256"]
    assert texts == order.calibration.domain[0].source.sha256


def test_the_same_order_gives_the_same_bytes_with_and_without_a_cache(
    order: Order, tmp_path: Path
) -> None:
    make(order, tmp_path / "one.gguf", shop(tmp_path))
    make(order, tmp_path / "two.gguf", shop(tmp_path))
    make(order, tmp_path / "other.gguf", Workshop(Cache(tmp_path / "elsewhere"), 1))
    whole = (tmp_path / "one.gguf").read_bytes()
    assert whole == (tmp_path / "two.gguf").read_bytes()
    assert whole == (tmp_path / "other.gguf").read_bytes()


def test_without_a_cut_importance_alone_is_measured(order: Order, tmp_path: Path) -> None:
    plain, work = replace(order, request=None, restore=None), shop(tmp_path)
    made = make(plain, tmp_path / "full.gguf", work)
    assert work.cache.made == ["model", "saliency"]
    assert made.plan is None
    header = read_header(tmp_path / "full.gguf")
    assert header.setting("feed_forward_length") == 512
    assert "bedside.importance_sha256" in header.metadata


def test_a_plan_may_be_given_and_must_be_of_this_model(
    order: Order, recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    work = shop(tmp_path)
    make(order, tmp_path / "one.gguf", work)
    (kept,) = work.cache.folder.glob("plan-*.json")
    given = replace(order, request=None, plan=kept)
    make(given, tmp_path / "two.gguf", shop(tmp_path))
    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "two.gguf").read_bytes()
    with pytest.raises(BadInputError, match="another model"):
        other = replace(given, model=recipe_folder("llama3-f16"))
        make(other, tmp_path / "three.gguf", shop(tmp_path))
    assert not (tmp_path / "three.gguf").exists()


STAGES = ("Converting", "Measuring saliency", "Restoring", "Cutting", "Measuring importance",
          "Quantising to Q4_K_M")  # fmt: skip


@pytest.mark.parametrize("label", STAGES)
def test_ctrl_c_at_any_stage_keeps_what_was_done_and_nothing_half(
    label: str, order: Order, tmp_path: Path
) -> None:
    def interrupting(stage: str) -> AbstractContextManager[Advance]:
        @contextmanager
        def watch() -> Iterator[Advance]:
            def advance(done: int, total: int) -> None:
                if stage == label:
                    raise KeyboardInterrupt

            yield advance

        return watch()

    stopped = shop(tmp_path, interrupting)
    out = tmp_path / "out.gguf"
    with pytest.raises(KeyboardInterrupt):
        make(order, out, stopped)
    assert not out.exists()
    assert not list(tmp_path.glob("**/.*"))
    again = shop(tmp_path)
    make(order, out, again)
    assert again.cache.found == stopped.cache.made
    everything = ["model", "saliency", "plan", "cut", "saliency"]
    assert [*stopped.cache.made, *again.cache.made] == everything


def test_a_rotten_entry_is_made_again(order: Order, tmp_path: Path) -> None:
    make(order, tmp_path / "one.gguf", shop(tmp_path))
    (entry,) = (tmp_path / "cache").glob("cut-*.gguf")
    entry.write_bytes(entry.read_bytes()[:-100])
    again = shop(tmp_path)
    make(order, tmp_path / "two.gguf", again)
    assert again.cache.made == ["cut"]
    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "two.gguf").read_bytes()


@pytest.mark.parametrize(
    ("request_", "sample"),
    [
        (HALF, None),
        (Request(neurons=0.5, score=Score.MAGNITUDE), Sample()),
        (Request(layers=1, score=Score.MAGNITUDE), None),
    ],
    ids=["saliency", "repair", "layers"],
)
def test_an_order_without_the_text_it_needs_is_refused(
    request_: Request, sample: Sample | None, order: Order, tmp_path: Path
) -> None:
    bare = replace(order, calibration=None, request=request_, restore=sample)
    with pytest.raises(UsageError, match="name one with --text"):
        make(bare, tmp_path / "out.gguf", shop(tmp_path))
    assert not (tmp_path / "cache").exists()


def test_magnitude_needs_no_text(order: Order, tmp_path: Path) -> None:
    request = Request(neurons=0.5, score=Score.MAGNITUDE)
    bare = Order(model=order.model, file_type=FileType.Q4_K_M, request=request)
    work = shop(tmp_path)
    make(bare, tmp_path / "out.gguf", work)
    assert work.cache.made == ["plan", "cut"]
    assert read_header(tmp_path / "out.gguf").setting("feed_forward_length") == 256


@pytest.mark.parametrize(("memory", "score"), [(5 * 2**20 - 1, "rms"), (5 * 2**20, "second-order")])
def test_covariances_that_go_into_memory_decide_where_no_score_is_named(
    memory: int, score: str, order: Order, tmp_path: Path
) -> None:
    """Two layers of 512 neurons and heads of 256 numbers take five mebibytes in float64."""
    bare = replace(order, request=Request(neurons=0.5), restore=None)
    made = make(bare, tmp_path / "out.gguf", replace(shop(tmp_path), memory=memory))
    assert made.plan is not None
    assert made.plan.score == score


def test_a_full_disk_is_told_and_the_cache_stays_whole(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(order, tmp_path / "one.gguf", shop(tmp_path))
    before = sorted((tmp_path / "cache").iterdir())
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    other = replace(order, request=Request(neurons=0.5, score=Score.RMS))
    with pytest.raises(ResourceError, match="make room"):
        make(other, tmp_path / "two.gguf", shop(tmp_path))
    assert not (tmp_path / "two.gguf").exists()
    kept = {path.name.split("-")[0] for path in (tmp_path / "cache").iterdir()}
    assert kept == {"model", "saliency", "plan", "cut"}
    assert set(before) <= set((tmp_path / "cache").iterdir())


def test_a_file_of_our_own_can_be_made_again_and_again(order: Order, tmp_path: Path) -> None:
    """What is told of the making is replaced or added to: no loader takes a key twice."""
    plain = replace(order, request=None, restore=None, dequantise=True)
    other = tmp_path / "other.txt"
    other.write_text("".join(f"{number} are words of another text\n" for number in range(90)))
    texts = [read_texts([path]) for path in (tmp_path / "text.txt", other)]
    elsewhere = Calibration(texts[1], (), Sample(length=32, tokens=512))
    once, twice, thrice = (tmp_path / f"{name}.gguf" for name in ("once", "twice", "thrice"))
    make(plain, once, shop(tmp_path))
    make(
        replace(plain, model=once, file_type=FileType.Q8_0, calibration=elsewhere),
        twice,
        shop(tmp_path),
    )
    make(replace(plain, model=twice, calibration=None), thrice, shop(tmp_path))
    first, second, third = (read_header(path).metadata for path in (once, twice, thrice))
    hashes = " ".join(documents[0].source.sha256 for documents in texts)
    assert second[CALIBRATED] == third[CALIBRATED] == hashes
    assert first[IMPORTANCE] != second[IMPORTANCE]
    assert IMPORTANCE not in third  # nothing was measured for the last rounding
    assert second["bedside.dequantised_from"] == "Q4_K, Q6_K"
    assert third["bedside.dequantised_from"] == "Q4_K, Q6_K; then Q8_0"
