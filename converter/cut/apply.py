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
from converter.cut.geometry import EVEN, UNEVEN, Geometry, check_fits
from converter.cut.plan import Plan
from converter.cut.weights import Repairs, cut_weights
from converter.material import Material, calibrated
from converter.metadata import Field

_CUT = "bedside.cut"
"""The key that tells what was kept; those of its details begin with it."""


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
    heads, groups = _head_counts(plan, geometry)
    facts = replace(
        model.facts,
        architecture=EVEN if plan.uniform else UNEVEN,
        layers=len(plan.layers),
        heads=heads[0],
        kv_heads=groups[0],
    )
    weights = tuple(cut_weights(model.weights, plan, geometry, repairs or {}))
    fields = tuple(_cut_fields(model, facts.architecture, plan, geometry))
    made = replace(model, facts=facts, fields=fields, weights=weights)
    smaller = replace(
        material,
        model=made,
        general=tuple(_renamed(material.general, facts.architecture, made.parameters)),
        provenance=tuple(_provenance(material, plan, geometry, repairs)),
    )
    return calibrated(smaller, plan.texts)


def _head_counts(plan: Plan, geometry: Geometry) -> tuple[list[int], list[int]]:
    """Query heads and key/value heads of each kept layer."""
    groups = [len(kept.head_groups) for kept in plan.layers]
    shared = [geometry.heads[kept.index] // geometry.groups[kept.index] for kept in plan.layers]
    return [count * share for count, share in zip(groups, shared, strict=True)], groups


def _cut_fields(model: Model, architecture: str, plan: Plan, geometry: Geometry) -> Iterator[Field]:
    """The architecture's keys with the numbers of the cut model, in the order they had.

    The size of a head is stated from now on: width over heads no longer gives it.
    """
    heads, groups = _head_counts(plan, geometry)
    lists = {
        "feed_forward_length": [len(kept.neurons) for kept in plan.layers],
        "attention.head_count": heads,
        "attention.head_count_kv": groups,
    }
    numbers = {
        "block_count": len(plan.layers),
        "attention.key_length": geometry.head_dim,
        "attention.value_length": geometry.head_dim,
        "rope.dimension_count": geometry.head_dim,
    }
    if architecture != UNEVEN:
        numbers |= {name: values[0] for name, values in lists.items()}
        lists = {}
    new = {name: metadata.uint32(f"{architecture}.{name}", told) for name, told in numbers.items()}
    for name, values in lists.items():
        new[name] = metadata.array(f"{architecture}.{name}", values, GGUFValueType.UINT32)
    for field in model.fields:
        name = field.key.removeprefix(f"{model.facts.architecture}.")
        yield new.pop(name, replace(field, key=f"{architecture}.{name}"))
    yield from new.values()


def _renamed(general: tuple[Field, ...], architecture: str, parameters: int) -> Iterator[Field]:
    """The general keys, with the architecture and the size that the file now has."""
    for field in general:
        if field.key == "general.architecture":
            yield replace(field, value=architecture)
        elif field.key == "general.size_label":
            yield replace(field, value=gguf.size_label(parameters, parameters, 0, 0))
        else:
            yield field


def _provenance(
    material: Material, plan: Plan, geometry: Geometry, repairs: Repairs | None
) -> Iterator[Field]:
    """What the material said of itself, and what this cut made of it; not of an earlier one."""
    yield from (field for field in material.provenance if not field.key.startswith(_CUT))
    yield metadata.text(_CUT, told(plan, geometry))
    yield metadata.text(f"{_CUT}.source_sha256", plan.source_sha256)
    yield metadata.text(f"{_CUT}.score", plan.score)
    if repairs:
        yield metadata.uint32(f"{_CUT}.restored_weights", len(repairs))


def told(plan: Plan, geometry: Geometry) -> str:
    """What the plan keeps, in a line."""
    neurons = sum(len(kept.neurons) for kept in plan.layers)
    groups = sum(len(kept.head_groups) for kept in plan.layers)
    return (
        f"{len(plan.layers)} of {len(geometry.neurons)} layers, "
        f"{neurons} of {sum(geometry.neurons)} neurons, "
        f"{groups} of {sum(geometry.groups)} head groups"
    )
