"""How many neurons and heads a model has in each layer, as the keys of its file say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.errors import BadInputError
from converter.architecture import Model
from converter.cut.plan import Plan

EVEN = "llama"
UNEVEN = "deci"
"""llama.cpp's architecture with a width and a number of heads for each layer; else a llama's."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """What a model is per layer, as its fields say."""

    width: int
    """Of the residual stream."""
    head_dim: int
    neurons: tuple[int, ...]
    heads: tuple[int, ...]
    groups: tuple[int, ...]
    """Key/value heads, each with heads/groups query heads."""

    @property
    def covariance_bytes(self) -> int:
        """What the sums of all covariances take in float64: of every layer's neurons and heads."""
        sides = (*self.neurons, *(heads * self.head_dim for heads in self.heads))
        return sum(8 * side**2 for side in sides)

    @classmethod
    def read(cls, model: Model) -> Geometry:
        """The numbers of a model that can be cut.

        Raises:
            BadInputError: It is of another family, its heads are not all of one size, or a layer
                has not the seven matrices of these numbers (experts, fused or missing ones).
        """
        if model.facts.architecture not in (EVEN, UNEVEN):
            raise BadInputError(
                f"A {model.facts.architecture} model cannot be cut; those of the Llama family can."
            )
        told = {field.key.partition(".")[2]: field.value for field in model.fields}
        layers = model.facts.layers
        heads = _per_layer(told, "attention.head_count", layers)
        groups = _per_layer(told, "attention.head_count_kv", layers, heads)
        width = _per_layer(told, "embedding_length", 1)[0]
        size = _per_layer(told, "attention.key_length", 1, (width // max(heads[0], 1),))[0]
        if min(groups) < 1 or any(q % kv for q, kv in zip(heads, groups, strict=True)):
            raise BadInputError(
                "The model has layers without attention, or heads that do not share out evenly "
                "over its key/value heads; such a model cannot be cut."
            )
        if _per_layer(told, "attention.value_length", 1, (size,))[0] != size:
            raise BadInputError("The model's keys and values differ in size; it cannot be cut.")
        neurons = _per_layer(told, "feed_forward_length", layers)
        found = cls(width, size, neurons, heads, groups)
        _check_matrices(model, found)
        return found

    def matrices(self, layer: int) -> dict[str, tuple[int, int]]:
        """The matrices by which a layer can be cut, and their shapes in NumPy's order."""
        queries = self.heads[layer] * self.head_dim
        values = self.groups[layer] * self.head_dim
        neurons = self.neurons[layer]
        return {
            "attn_q": (queries, self.width),
            "attn_k": (values, self.width),
            "attn_v": (values, self.width),
            "attn_output": (self.width, queries),
            "ffn_gate": (neurons, self.width),
            "ffn_up": (neurons, self.width),
            "ffn_down": (self.width, neurons),
        }


def check_fits(plan: Plan, geometry: Geometry) -> None:
    """See that everything the plan keeps is there.

    Raises:
        BadInputError: It keeps what the model has not, so it was made for another one.
    """
    for kept in plan.layers:
        if kept.index >= len(geometry.neurons):
            raise _other_model(f"layer {kept.index}", f"has {len(geometry.neurons)} layers")
        neurons, groups = geometry.neurons[kept.index], geometry.groups[kept.index]
        if kept.neurons[-1] >= neurons:
            raise _other_model(f"neuron {kept.neurons[-1]}", f"has {neurons} in layer {kept.index}")
        if kept.head_groups[-1] >= groups:
            raise _other_model(
                f"head group {kept.head_groups[-1]}", f"has {groups} in layer {kept.index}"
            )


def _check_matrices(model: Model, geometry: Geometry) -> None:
    shapes = {weight.name: weight.shape for weight in model.weights}
    for layer in range(len(geometry.neurons)):
        for part, shape in geometry.matrices(layer).items():
            name = f"blk.{layer}.{part}.weight"
            if shapes.get(name) != shape:
                raise BadInputError(
                    f"The model has no {name} of {shape[0]} x {shape[1]} weights, as its keys say "
                    "it should; only models whose layers have these matrices, one each and no "
                    "experts, can be cut."
                )


def _per_layer(
    told: Mapping[str, object], key: str, layers: int, default: tuple[int, ...] = ()
) -> tuple[int, ...]:
    value = told.get(key, default)
    values = (value,) * layers if isinstance(value, int) else value
    if (
        isinstance(values, (list, tuple))
        and len(values) == layers > 0
        and all(type(item) is int for item in values)
    ):
        return tuple(values)
    raise BadInputError(f"The model does not say its {key}, so it cannot be cut; convert it again.")


def _other_model(what: str, has: str) -> BadInputError:
    return BadInputError(
        f"The plan keeps {what}, but the model {has}; it was made for another model, so make one "
        "for this."
    )
