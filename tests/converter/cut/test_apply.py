"""A cut model computes what the full one does with the same units set to zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from app.engine.modelfile import read_header
from app.errors import BadInputError
from converter.checkpoint import open_checkpoint, to_float32
from converter.cut.apply import cut
from converter.cut.plan import KeptLayer
from converter.export import lay_out, write
from converter.material import Material, gather
from converter.quantise import FileType
from tests import llama
from tests.converter.checkpoints import Recipe, build
from tests.converter.cut.plans import layers, plan, some
from tests.converter.oracle.llama import Mask, logits

TOLERANCE = 1e-4
NEURONS, GROUPS, SHARED = 768, 4, 2
RECIPE = Recipe(
    layers=4, width=128, neurons=NEURONS, heads=GROUPS * SHARED, kv_heads=GROUPS, head_dim=32,
    dtype="F32", tied=False, bias=True,
)  # fmt: skip
PROMPTS = ([1], [1, 300, 7, 7, 7, 42, 2, 0], [(7 * i * i + 3 * i) % 320 for i in range(90)])


def mask(kept: tuple[KeptLayer, ...]) -> Mask:
    """What the plan takes away."""
    gone = {layer.index: set(range(GROUPS)) - set(layer.head_groups) for layer in kept}
    return Mask(
        neurons={layer.index: sorted(set(range(NEURONS)) - set(layer.neurons)) for layer in kept},
        heads={
            index: [group * SHARED + place for group in groups for place in range(SHARED)]
            for index, groups in gone.items()
        },
        layers=sorted(set(range(RECIPE.layers)) - set(gone)),
    )


@dataclass(frozen=True)
class Case:
    kept: tuple[KeptLayer, ...]
    architecture: str


EVERYWHERE = range(RECIPE.layers)
ALL = layers(RECIPE, dict.fromkeys(EVERYWHERE, 256), dict.fromkeys(EVERYWHERE, 2))
UNEVEN = layers(RECIPE, {0: 256, 2: 512, 3: 256}, {0: 3, 1: 1, 3: 2})
CASES = {
    "nothing": Case(layers(RECIPE), "llama"),
    "neurons": Case(layers(RECIPE, dict.fromkeys(EVERYWHERE, 256)), "llama"),
    "heads": Case(layers(RECIPE, groups=dict.fromkeys(EVERYWHERE, 2)), "llama"),
    "layers": Case((layers(RECIPE)[0], layers(RECIPE)[3]), "llama"),
    "all together": Case((ALL[0], ALL[1], ALL[3]), "llama"),
    "neurons per layer": Case(layers(RECIPE, {0: 256, 2: 512}), "deci"),
    "heads per layer": Case(layers(RECIPE, groups={1: 1, 2: 3}), "deci"),
    "all per layer": Case((UNEVEN[0], UNEVEN[1], UNEVEN[3]), "deci"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("cut") / "checkpoint", RECIPE)


@pytest.fixture(scope="module")
def full(folder: Path) -> Material:
    return gather(open_checkpoint(folder))


@pytest.mark.parametrize("name", CASES)
def test_cut_equals_masked(name: str, folder: Path, full: Material, tmp_path: Path) -> None:
    kept = CASES[name].kept
    out = tmp_path / "cut.gguf"
    write(lay_out(cut(full, plan(kept)), FileType.F32), out, threads=2)
    assert read_header(out).architecture == CASES[name].architecture
    with llama.load(out) as model:
        for prompt in PROMPTS:
            expected = logits(folder, prompt, mask(kept))
            assert np.abs(model.logits(prompt) - expected).max() < TOLERANCE


def test_a_wrong_unit_would_be_seen(folder: Path) -> None:
    """One neuron or one head more moves the logits further than the tolerance."""
    right = logits(folder, PROMPTS[-1], mask(ALL))
    for other in (replace(ALL[1], neurons=ALL[1].neurons[1:]), replace(ALL[1], head_groups=(1,))):
        wrong = logits(folder, PROMPTS[-1], mask((ALL[0], other, *ALL[2:])))
        assert np.abs(right - wrong).max() > 3 * TOLERANCE


def test_a_plan_that_keeps_all_changes_no_weight(full: Material, tmp_path: Path) -> None:
    made = cut(full, plan(layers(RECIPE)))
    for before, after in zip(full.model.weights, made.model.weights, strict=True):
        assert (before.name, before.shape, before.type) == (after.name, after.shape, after.type)
        rows = before.shape[0] if len(before.shape) > 1 else 1
        assert np.array_equal(before.rows(0, rows), after.rows(0, rows))


def test_the_same_plan_gives_the_same_bytes(full: Material, tmp_path: Path) -> None:
    made = [tmp_path / "a.gguf", tmp_path / "b.gguf"]
    for out, threads in zip(made, (1, 3), strict=True):
        write(lay_out(cut(full, plan(UNEVEN)), FileType.Q4_K_M), out, threads=threads)
    assert made[0].read_bytes() == made[1].read_bytes()


def test_rows_in_pieces_are_the_rows(recipe_folder: Callable[[str], Path]) -> None:
    """The query rows of Llama 3 are reordered first; pieces must not depend on where they begin."""
    material = gather(open_checkpoint(recipe_folder("llama3-f16")))
    kept = KeptLayer(1, some(512, 256, 1), (0, 2))
    made = {weight.name: weight for weight in cut(material, plan((kept,))).model.weights}
    full = {weight.name: weight for weight in material.model.weights}
    query = made["blk.0.attn_q.weight"]
    whole = query.rows(0, query.shape[0])
    rows = np.concatenate([np.arange(group * 96, (group + 1) * 96) for group in (0, 2)])
    assert np.array_equal(whole, full["blk.1.attn_q.weight"].rows(0, 4 * 96)[rows])
    pieces = [query.rows(start, min(start + 7, 192)) for start in range(0, 192, 7)]
    assert np.array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        (KeptLayer(4, (0,), (0,)), "layer 4.*has 4 layers"),
        (KeptLayer(0, (0, NEURONS), (0,)), "neuron 768.*has 768 in layer 0"),
        (KeptLayer(0, (0,), (0, GROUPS)), "head group 4.*has 4 in layer 0"),
    ],
)
def test_a_plan_of_another_model_is_refused(kept: KeptLayer, sentence: str, full: Material) -> None:
    with pytest.raises(BadInputError, match=sentence):
        cut(full, plan((kept,)))


def test_a_repair_is_stored_in_the_type_it_replaces(recipe_folder: Callable[[str], Path]) -> None:
    material = gather(open_checkpoint(recipe_folder("tied-bf16")))
    kept = tuple(KeptLayer(index, some(512, 256, index), (0, 1)) for index in range(2))
    values = np.float32(1) + np.arange(256 * 256, dtype=np.float32).reshape(256, 256) / 2**16
    name = "blk.1.ffn_down.weight"
    made = cut(material, plan(kept), {name: values})
    weight = next(weight for weight in made.model.weights if weight.name == name)
    stored = to_float32(weight.rows(0, 256))
    assert weight.type is material.between
    assert np.abs(stored - values).max() <= 2**-8
    assert len(np.unique(stored)) == 129  # 1 to 2 in steps of 2⁻⁷: to nearest, none by cutting off


@pytest.mark.parametrize("values", [np.ones((256, 512)), np.full((256, 256), np.nan)])
def test_a_repair_that_does_not_fit_is_refused(
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    recipe_folder: Callable[[str], Path],
) -> None:
    material = gather(open_checkpoint(recipe_folder("tied-bf16")))
    kept = (KeptLayer(0, some(512, 256, 0), (0, 1)),)
    with pytest.raises(BadInputError, match=r"blk\.0\.ffn_down\.weight does not fit"):
        cut(material, plan(kept), {"blk.0.ffn_down.weight": values.astype(np.float32)})
