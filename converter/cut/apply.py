"""A plan applied: the same material with fewer rows and columns, still read piece by piece.

One width and one number of heads everywhere stay a `llama` file; different ones become `deci`, the
architecture of llama.cpp that takes both per layer and computes the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import gguf
from gguf import GGUFValueType

from converter import metadata
from converter.architecture import Model
from converter.cut.geometry import UNEVEN, Geometry, check_fits
from converter.cut.plan import Plan
from converter.cut.weights import Repairs, cut_weights
from converter.material import Material
from converter.metadata import Field


def cut(material: Material, plan: Plan, repairs: Repairs | None = None) -> Material:
    """The material of the cut model.

    Args:
        material: the model that the plan was made for; who calls compares the hashes.
        plan: what stays.
        repairs: what restoration made of some weights; they are stored in the type of the weight
            they replace, so that every road to a file gives the same model.

    Raises:
        BadInputError: The plan does not fit the model, or the model is of no kind that can be cut.
    """
    model = material.model
    geometry = Geometry.read(model)
    check_fits(plan, geometry)
    weights = tuple(cut_weights(model.weights, plan, geometry, repairs or {}))
    fields = _cut_fields(model, plan, geometry)
    heads = len(plan.layers[0].head_groups) * geometry.heads[0] // geometry.groups[0]
    facts = replace(
        model.facts,
        architecture=UNEVEN if _is_uneven(model, plan) else model.facts.architecture,
        layers=len(plan.layers),
        heads=heads,
        kv_heads=len(plan.layers[0].head_groups),
    )
    made = replace(model, facts=facts, fields=tuple(fields), weights=weights)
    return replace(
        material,
        model=made,
        general=tuple(_renamed(material.general, facts.architecture, made.parameters)),
        provenance=(*material.provenance, *_provenance(plan, geometry, repairs)),
    )


def _is_uneven(model: Model, plan: Plan) -> bool:
    return model.facts.architecture == UNEVEN or not plan.uniform


def _cut_fields(model: Model, plan: Plan, geometry: Geometry) -> Iterator[Field]:
    """The architecture's keys with the numbers of the cut model, in the order they had.

    The size of a head is stated from now on: width over heads no longer gives it.
    """
    was = model.facts.architecture
    now = UNEVEN if _is_uneven(model, plan) else was
    shared = [geometry.heads[kept.index] // geometry.groups[kept.index] for kept in plan.layers]
    groups = [len(kept.head_groups) for kept in plan.layers]
    heads = [count * share for count, share in zip(groups, shared, strict=True)]
    counted = {
        "feed_forward_length": [len(kept.neurons) for kept in plan.layers],
        "attention.head_count": heads,
        "attention.head_count_kv": groups,
    }
    sizes = dict.fromkeys(
        ("attention.key_length", "attention.value_length", "rope.dimension_count"),
        geometry.head_dim,
    )
    numbers = {"block_count": len(plan.layers)} | sizes
    for field in model.fields:
        name = field.key.removeprefix(f"{was}.")
        if name in counted or name in numbers:
            continue
        yield replace(field, key=f"{now}.{name}")
    for name, number in numbers.items():
        yield metadata.uint32(f"{now}.{name}", number)
    for name, values in counted.items():
        if now == UNEVEN:
            yield metadata.array(f"{now}.{name}", values, GGUFValueType.UINT32)
        else:
            yield metadata.uint32(f"{now}.{name}", values[0])


def _renamed(general: tuple[Field, ...], architecture: str, parameters: int) -> Iterator[Field]:
    """The general keys, with the architecture and the size that the file now has."""
    for field in general:
        if field.key == "general.architecture":
            yield replace(field, value=architecture)
        elif field.key == "general.size_label":
            yield replace(field, value=gguf.size_label(parameters, parameters, 0, 0))
        else:
            yield field


def _provenance(plan: Plan, geometry: Geometry, repairs: Repairs | None) -> Iterator[Field]:
    neurons = sum(len(kept.neurons) for kept in plan.layers)
    groups = sum(len(kept.head_groups) for kept in plan.layers)
    yield metadata.text(
        "bedside.cut",
        f"{len(plan.layers)} of {len(geometry.neurons)} layers, "
        f"{neurons} of {sum(geometry.neurons)} neurons, "
        f"{groups} of {sum(geometry.groups)} head groups",
    )
    yield metadata.text("bedside.cut.source_sha256", plan.source_sha256)
    yield metadata.text("bedside.cut.score", plan.score)
    if repairs:
        yield metadata.uint32("bedside.cut.restored_weights", len(repairs))
