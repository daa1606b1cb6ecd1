"""Plans: always buildable, what was asked as near as blocks allow, bytes as the file will have."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.boards import profile
from app.engine.modelfile import parameters, read_header, tensor_bytes
from app.errors import BadInputError, UsageError
from converter.cut.apply import cut
from converter.cut.depth import LayersBy, dropped_layers
from converter.cut.geometry import Geometry
from converter.cut.plan import Plan
from converter.cut.planning import Request, make_plan
from converter.cut.predict import predict, speeds
from converter.cut.ranking import Score, rank
from converter.cut.widths import Ladder, ladder
from converter.export import lay_out, write
from converter.filetype import FileType
from converter.material import Material, open_material
from tests.converter.checkpoints import Recipe, build
from tests.converter.cut.conftest import Measured

SHA = "0" * 64


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """Three layers of five blocks and a bit, four groups of two heads of 64."""
    recipe = Recipe(layers=3, neurons=1300, heads=8, kv_heads=4, head_dim=64, vocabulary=260)
    return open_material(build(tmp_path_factory.mktemp("wide") / "model", recipe))


def _plan(material: Material, **asked: object) -> Plan:
    request = dataclasses.replace(Request(score=Score.MAGNITUDE), **asked)  # type: ignore[arg-type]
    return make_plan(material, SHA, request, None)


def _widths(plan: Plan) -> list[int]:
    return [len(kept.neurons) for kept in plan.layers]


def _groups(plan: Plan) -> list[int]:
    return [len(kept.head_groups) for kept in plan.layers]


@pytest.mark.parametrize(
    ("share", "width"),
    [(0, 1300), (0.05, 1300), (1 / 3, 1024), (0.5, 768), (0.7, 512), (0.99, 256)],
)
def test_shares_round_to_the_nearest_block(wide: Material, share: float, width: int) -> None:
    plan = _plan(wide, neurons=share)
    assert _widths(plan) == [width] * 3
    assert plan.uniform
    assert plan.asked["neurons"] == share
    assert plan.got["neurons"] == pytest.approx(1 - width / 1300, abs=1e-4)


def test_keeps_what_scores_best(wide: Material) -> None:
    plan = _plan(wide, neurons=0.5, heads=0.5)
    worths = rank(wide.model, Geometry.read(wide.model), Score.MAGNITUDE, None)
    for kept, worth in zip(plan.layers, worths, strict=True):
        gone = np.setdiff1d(np.arange(1300), kept.neurons)
        assert worth.neurons[list(kept.neurons)].min() >= worth.neurons[gone].max()
        assert list(kept.neurons) == sorted(kept.neurons)
        assert set(kept.head_groups) == set(np.argsort(-worth.groups)[:2].tolist())


def test_heads_of_k_quants_go_in_whole_blocks(wide: Material) -> None:
    assert _groups(_plan(wide, heads=0.5)) == [2] * 3
    with pytest.raises(UsageError, match=r"6 of 8 heads .* 384 numbers.* multiple of 256"):
        _plan(wide, heads=0.25)
    assert _groups(_plan(wide, heads=0.25, file_type=FileType.F16)) == [3] * 3
    assert sorted(_groups(_plan(wide, heads=1 / 6, per_layer=True))) == [2, 4, 4]


def test_layers_that_differ(wide: Material) -> None:
    plan = _plan(wide, neurons=8 / 18, per_layer=True)
    assert sum(-(-width // 256) for width in _widths(plan)) == 10
    assert all(width == 1300 or width % 256 == 0 for width in _widths(plan))


@pytest.fixture(scope="module")
def uneven(wide: Material) -> Material:
    """What is left of `wide` after layers gave different numbers of neurons and heads."""
    plan = _plan(wide, neurons=8 / 18, heads=1 / 6, per_layer=True)
    assert len(set(_widths(plan))) > 1 and len(set(_groups(plan))) > 1
    return cut(wide, plan)


@pytest.mark.parametrize("asked", [{"neurons": 0.1}, {"neurons": 0.7}, {"file_bytes": 10**6}])
def test_one_width_is_refused_where_layers_differ(
    uneven: Material, asked: dict[str, object]
) -> None:
    with pytest.raises(UsageError, match=r"number of neurons already.*--per-layer"):
        _plan(uneven, **asked)
    before, plan = Geometry.read(uneven.model), _plan(uneven, per_layer=True, **asked)
    assert all(0 < now <= then for now, then in zip(_widths(plan), before.neurons, strict=True))
    assert sum(_widths(plan)) < sum(before.neurons)


def test_one_number_of_heads_is_refused_where_layers_differ(uneven: Material) -> None:
    with pytest.raises(UsageError, match=r"number of heads already.*--per-layer"):
        _plan(uneven, heads=0.5)
    assert _groups(_plan(uneven, heads=0.99, per_layer=True)) == [2, 2, 2]


def test_layers_that_differ_can_be_left_out_as_they_are(uneven: Material) -> None:
    before = Geometry.read(uneven.model)
    plan = _plan(uneven, layers=1, layers_by=LayersBy.RANDOM)
    kept = [layer.index for layer in plan.layers]
    assert _widths(plan) == [before.neurons[layer] for layer in kept]
    assert _groups(plan) == [before.groups[layer] for layer in kept]


@given(
    asked=st.builds(
        Request,
        neurons=st.floats(0, 0.999),
        heads=st.floats(0, 0.999),
        layers=st.integers(0, 2),
        score=st.sampled_from([Score.MAGNITUDE, Score.RANDOM]),
        layers_by=st.just(LayersBy.RANDOM),
        per_layer=st.booleans(),
        seed=st.integers(0, 9),
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_plan_can_be_built(wide: Material, asked: Request) -> None:
    try:
        plan = make_plan(wide, SHA, asked, None)
    except UsageError as error:
        assert "heads cannot be kept" in str(error)
        return
    assert len(plan.layers) == 3 - asked.layers >= 1
    for kept in plan.layers:
        assert len(kept.neurons) == 1300 or (kept.neurons and len(kept.neurons) % 256 == 0)
        assert kept.head_groups and len(kept.head_groups) * 2 * 64 % 256 == 0
    assert plan.uniform or asked.per_layer
    if all(width < 1300 for width in _widths(plan)):
        assert not lay_out(cut(wide, plan), FileType.Q4_K_M).fallbacks


@given(
    st.lists(st.lists(st.floats(0, 100), min_size=1, max_size=40), min_size=1, max_size=5),
    st.integers(1, 7),
)
def test_ladders_are_nested_and_leave_something(worths: list[list[float]], step: int) -> None:
    steps: Ladder = ladder([np.array(worth) for worth in worths], step)
    before = steps.kept
    for count in range(1, steps.steps + 1):
        after = steps.greedy(count)
        assert sum(-(-a // step) for a in after) == sum(-(-b // step) for b in before) - 1
        assert all(0 < a <= b for a, b in zip(after, before, strict=True))
        before = after
    assert all(count == min(len(w), step) for count, w in zip(before, worths, strict=True))


def test_predicted_bytes_are_those_of_the_file(wide: Material, tmp_path: Path) -> None:
    plan = _plan(wide, neurons=0.4, heads=0.5, layers=1, layers_by=LayersBy.RANDOM)
    uneven = _plan(wide, neurons=0.4, per_layer=True)
    for number, (made, kind) in enumerate(
        [(plan, FileType.Q4_K_M), (plan, FileType.Q8_0), (uneven, FileType.Q3_K_M)]
    ):
        file = tmp_path / f"{number}.gguf"
        write(lay_out(cut(wide, made), kind), file, threads=1)
        header, found = read_header(file), predict(wide, made, kind)
        assert tensor_bytes(header) == found.tensor_bytes == made.bytes[kind.name]
        assert parameters(header) == found.parameters == made.parameters
        assert file.stat().st_size == found.file_bytes
        assert found.token_bytes == found.tensor_bytes, "a tied table is read for every token"


def test_a_table_that_is_only_looked_up_in_costs_no_speed(tmp_path: Path) -> None:
    material = open_material(build(tmp_path / "model", Recipe(tied=False)))
    found = predict(material, _plan(material), FileType.F16)
    assert found.tensor_bytes - found.token_bytes == 320 * 256 * 2
    assert speeds(found)["pi5-8gb"] == pytest.approx(11.6e9 / found.token_bytes)
    assert "generic" not in speeds(found)


@pytest.mark.parametrize("per_layer", [False, True])
def test_budget_in_bytes_is_met_with_the_least_cut(wide: Material, per_layer: bool) -> None:
    half = predict(wide, _plan(wide, neurons=0.5, per_layer=per_layer), FileType.Q4_K_M)
    plan = _plan(wide, file_bytes=half.file_bytes + 100, per_layer=per_layer)
    assert predict(wide, plan, FileType.Q4_K_M).file_bytes <= half.file_bytes + 100
    step = 1 / 18 if per_layer else 1 / 6
    wider = _plan(wide, neurons=0.5 - step, per_layer=per_layer)
    assert predict(wide, wider, FileType.Q4_K_M).file_bytes > half.file_bytes + 100
    assert sum(_widths(plan)) == 3 * 768
    whole = predict(wide, _plan(wide), FileType.Q4_K_M)
    assert _widths(_plan(wide, file_bytes=2 * whole.file_bytes)) == [1300] * 3


def test_a_budget_that_nothing_meets_names_the_smallest_that_can(wide: Material) -> None:
    smallest = predict(wide, _plan(wide, neurons=0.99), FileType.Q4_K_M)
    with pytest.raises(UsageError, match=f"the smallest has {smallest.file_bytes:,}"):
        _plan(wide, file_bytes=1000)
    with pytest.raises(UsageError, match="the smallest reaches"):
        _plan(wide, speed=1e6, board="pi5-8gb")
    _plan(wide, file_bytes=smallest.file_bytes)


def test_budget_in_tokens_per_second(wide: Material) -> None:
    bandwidth = profile("pi5-8gb").bandwidth_gb_s or 0.0
    whole = predict(wide, _plan(wide), FileType.Q4_K_M).token_bytes
    wanted = 1.3 * bandwidth * 1e9 / whole
    plan = _plan(wide, speed=wanted, board="pi5-8gb")
    assert speeds(predict(wide, plan, FileType.Q4_K_M))["pi5-8gb"] >= wanted
    with pytest.raises(UsageError, match="bandwidth of the board generic is not known"):
        _plan(wide, speed=5.0, board="generic")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"neurons": 1.0}, "from 0 up to"),
        ({"neurons": -0.1}, "from 0 up to"),
        ({"heads": float("nan")}, "from 0 up to"),
        ({"layers": 3}, "at least one layer must stay"),
        ({"speed": 5.0}, "--speed and --board together"),
        ({"neurons": 0.5, "file_bytes": 1}, "one of --neurons, --bytes and --speed"),
        ({"score": Score.RMS}, "measured on text"),
        ({"layers": 1}, "give a saliency file"),
        ({"speed": 5.0, "board": "toaster"}, "no board profile"),
    ],
)
def test_refusals(wide: Material, asked: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        _plan(wide, **asked)


def test_every_measured_score_makes_a_plan(tied: Measured) -> None:
    material = open_material(tied.folder)
    sha = tied.saliency.model_sha256
    for score in (Score.SALIENCY, Score.ACTIVATION, Score.RMS, Score.FLUCTUATION):
        plan = make_plan(material, sha, Request(neurons=0.5, score=score), tied.saliency)
        assert _widths(plan) == [256, 256]
        assert plan.calibration == tied.saliency.sources
    with pytest.raises(UsageError, match="no covariance of layer 0"):
        make_plan(material, sha, Request(0.5, score=Score.SECOND_ORDER), tied.saliency)
    last = Request(0.5, layers=1, score=Score.SECOND_ORDER)
    with pytest.raises(BadInputError, match="measured on another model"):
        make_plan(material, SHA, last, tied.saliency)


def test_without_a_score_the_best_that_was_measured_decides(tied: Measured) -> None:
    """Covariances of one layer are too few to rank all by second order."""
    material, found = open_material(tied.folder), tied.saliency
    assert make_plan(material, found.model_sha256, Request(0.5), found).score == "rms"
    ones = {
        f"blk.{layer}.{part}.weight": found.covariances[f"blk.1.{part}.weight"]
        for layer in (0, 1)
        for part in ("ffn_down", "attn_output")
    }
    every = dataclasses.replace(found, covariances=ones)
    assert make_plan(material, found.model_sha256, Request(0.5), every).score == "second-order"


def test_layers_whose_stream_is_long_give_more(tied: Measured) -> None:
    """Twice the same layer, of which one is nothing in its stream and the other everything."""
    material, found = open_material(tied.folder), tied.saliency
    for loud in (0, 1):
        layers = tuple(
            dataclasses.replace(found.layers[0], stream=1e9 if number == loud else 1e-9)
            for number in range(2)
        )
        request = Request(0.25, score=Score.ACTIVATION, per_layer=True)
        measured = dataclasses.replace(found, layers=layers)
        plan = make_plan(material, found.model_sha256, request, measured)
        assert _widths(plan) == [256 if number == loud else 512 for number in range(2)]


def test_layers_by_turn_by_block_and_confirmed(tied: Measured, untied: Measured) -> None:
    found = untied.saliency
    least = max(range(3), key=lambda layer: found.layers[layer].turn)
    assert dropped_layers(1, 3, LayersBy.TURN, found) == (least,)
    angles = {first: found.spans[first, 2] for first in range(2)}
    start = min(angles, key=angles.__getitem__)
    assert dropped_layers(2, 3, LayersBy.BLOCK, found) == (start, start + 1)
    asked: list[tuple[int, ...]] = []

    def confirm(gone: tuple[int, ...]) -> float:
        asked.append(gone)
        return 0.0 if gone in ((1,), (1, 2)) else 1.0

    assert dropped_layers(2, 3, LayersBy.TURN, found, confirm=confirm) == (1, 2)
    assert len(asked) == 3 + 2
    chosen = {dropped_layers(1, 3, LayersBy.RANDOM, None, seed=seed) for seed in range(9)}
    assert len(chosen) > 1
