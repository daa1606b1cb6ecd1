"""What can be built of the real model: 8 layers of 6 blocks of neurons and 4 head groups."""

from __future__ import annotations

import pytest

from app.errors import UsageError
from converter.cut.depth import LayersBy
from converter.cut.plan import Plan
from converter.cut.planning import Request, make_plan
from converter.cut.predict import predict
from converter.cut.ranking import Score
from converter.export import lay_out
from converter.filetype import FileType
from converter.material import Material, open_material
from tests.shared import shared_path


@pytest.fixture(scope="module")
def medquad() -> Material:
    return open_material(shared_path("models/medquad-29m"))


def _plan(material: Material, request: Request) -> Plan:
    return make_plan(material, "0" * 64, request, None)


@pytest.mark.parametrize("blocks", [8, 16, 24, 32])
@pytest.mark.parametrize("per_layer", [False, True])
def test_neurons_by_blocks(medquad: Material, blocks: int, per_layer: bool) -> None:
    request = Request(blocks / 48, score=Score.MAGNITUDE, per_layer=per_layer)
    plan = _plan(medquad, request)
    assert sum(len(kept.neurons) for kept in plan.layers) == (48 - blocks) * 256
    assert plan.parameters == medquad.model.parameters - blocks * 256 * 3 * 512
    assert plan.uniform or per_layer


def test_heads_by_groups(medquad: Material) -> None:
    halves = _plan(medquad, Request(heads=0.5, score=Score.MAGNITUDE))
    assert [len(kept.head_groups) for kept in halves.layers] == [2] * 8
    chosen = _plan(medquad, Request(heads=0.25, score=Score.MAGNITUDE, per_layer=True))
    assert sorted(len(kept.head_groups) for kept in chosen.layers) == [2] * 4 + [4] * 4
    with pytest.raises(UsageError, match=r"6 of 8 heads cannot be kept for Q4_K_M.*256"):
        _plan(medquad, Request(heads=0.25, score=Score.MAGNITUDE))


def test_nothing_cut_is_the_plain_conversion(medquad: Material) -> None:
    found = predict(medquad, _plan(medquad, Request(score=Score.MAGNITUDE)), FileType.Q4_K_M)
    entries = lay_out(medquad, FileType.Q4_K_M).entries
    assert found.tensor_bytes == sum(entry.nbytes for entry in entries)


def test_a_budget_is_used_up_as_far_as_blocks_go(medquad: Material) -> None:
    budget = 15_000_000
    plan = _plan(medquad, Request(file_bytes=budget, score=Score.MAGNITUDE, per_layer=True))
    found = predict(medquad, plan, FileType.Q4_K_M).file_bytes
    assert budget - 256 * 3 * 512 < found <= budget


def test_layers_at_random(medquad: Material) -> None:
    request = Request(layers=3, score=Score.RANDOM, layers_by=LayersBy.RANDOM, seed=4)
    plan = _plan(medquad, request)
    assert len(plan.layers) == 5
    assert plan == _plan(medquad, request)
