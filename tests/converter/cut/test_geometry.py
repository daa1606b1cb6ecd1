"""What a model is per layer: read from its keys, and refused where its weights are others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from app.errors import BadInputError
from converter import metadata
from converter.architecture import Model
from converter.checkpoint import Raw, SourceType
from converter.cut.geometry import Geometry
from converter.cut.planning import Request, make_plan
from converter.cut.ranking import Score
from converter.material import Material, open_material
from tests.converter.checkpoints import Recipe, build

RECIPE = Recipe(layers=2, width=64, neurons=256, heads=4, kv_heads=2, head_dim=16)
PARTS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


@dataclass(frozen=True)
class _Named:
    """A weight of which only name and shape are asked."""

    name: str
    shape: tuple[int, ...]
    origin: str = ""
    elements: int = 0
    type: SourceType = SourceType.BF16

    def rows(self, start: int, stop: int) -> Raw:
        raise AssertionError("nothing is to be read")


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return open_material(build(tmp_path_factory.mktemp("geometry") / "model", RECIPE))


def _with(model: Model, change: Callable[[_Named], _Named]) -> Model:
    weights = (change(_Named(weight.name, weight.shape)) for weight in model.weights)
    return replace(model, weights=tuple(weights))


def test_numbers_of_every_layer(material: Material) -> None:
    found = Geometry.read(material.model)
    assert found == Geometry(64, 16, (256, 256), (4, 4), (2, 2))
    assert found.covariance_bytes == 2 * 8 * (256**2 + 64**2)


@pytest.mark.parametrize("part", PARTS)
def test_a_layer_without_one_of_its_matrices_is_refused(material: Material, part: str) -> None:
    """Experts under such names would be taken for weights that no cut concerns."""
    name = f"blk.1.{part}.weight"

    def renamed(weight: _Named) -> _Named:
        return replace(weight, name=f"blk.1.{part}_exps.weight") if weight.name == name else weight

    def shortened(weight: _Named) -> _Named:
        rows, columns = weight.shape[0], weight.shape[-1]
        return replace(weight, shape=(rows - 1, columns)) if weight.name == name else weight

    for change in (renamed, shortened):
        with pytest.raises(BadInputError, match=rf"no {name} of \d+ x \d+ weights"):
            Geometry.read(_with(material.model, change))


def test_experts_are_refused_before_a_plan_is_made_for_them(material: Material) -> None:
    """Chance reads no weight, so nothing else would notice."""

    def expert(weight: _Named) -> _Named:
        name = weight.name.replace("ffn_gate.", "ffn_gate_exps.")
        return replace(weight, name=name.replace("ffn_up.", "ffn_up_exps."))

    experts = replace(material, model=_with(material.model, expert))
    with pytest.raises(BadInputError, match="no experts, can be cut"):
        make_plan(experts, "0" * 64, Request(neurons=0.5, score=Score.RANDOM), None)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("attention.head_count_kv", [2], "does not say its attention.head_count_kv"),
        ("feed_forward_length", [256, 256, 256], "does not say its feed_forward_length"),
        ("attention.head_count_kv", 3, "do not share out evenly"),
        ("attention.value_length", 8, "keys and values differ"),
    ],
)
def test_keys_that_cannot_be(material: Material, key: str, value: Any, sentence: str) -> None:
    kept = [field for field in material.model.fields if field.key != f"llama.{key}"]
    told = metadata.uint32(f"llama.{key}", 0)
    model = replace(material.model, fields=(*kept, replace(told, value=value)))
    with pytest.raises(BadInputError, match=sentence):
        Geometry.read(model)
