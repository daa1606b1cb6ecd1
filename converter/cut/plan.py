"""A prune plan: what stays of a model, in a JSON file that a person can read and mend.

It names its source by hash, so that it is never applied to another model, and holds no clock: the
same plan and the same checkpoint give the same bytes on any machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from app.errors import BadInputError
from app.sanitise import one_line
from converter.checkpoint.strictjson import parse_object
from converter.files import whole_file
from converter.texts import TextSource

VERSION = 1
"""Of the file's form."""
_LARGEST_FILE = 64 * 2**20
"""Bytes: a plan for a hundred layers of scattered neurons takes about ten million."""
_MOST_INDICES = 1 << 20
"""Units in a layer; the widest feed-forward blocks published have about 60,000."""
_SHA256 = re.compile(r"[0-9a-f]{64}")

Told = Mapping[str, str | int | float]
"""What was asked or what came of it: option names to values."""


@dataclass(frozen=True, slots=True)
class KeptLayer:
    """A layer that stays, and what stays of it."""

    index: int
    """Its place in the source model, from 0."""
    neurons: tuple[int, ...]
    """Neurons of the source layer that stay, ascending; all of them, or a multiple of 256."""
    head_groups: tuple[int, ...]
    """Key/value heads of the source layer that stay, each with its query heads; ascending."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What stays of one particular model, why, and what it will weigh."""

    source_sha256: str
    """`source_hash` of the model it was made for."""
    score: str
    """By which score neurons and heads were chosen."""
    layers: tuple[KeptLayer, ...]
    """The layers that stay, in the source's order; at least one."""
    calibration: tuple[TextSource, ...] = ()
    """The texts that the score was measured on; none for a score that needs no text."""
    confirmed: tuple[TextSource, ...] = ()
    """The texts that the choice of layers was confirmed on."""
    asked: Told = field(default_factory=lambda: MappingProxyType({}))
    """The options the plan was made with."""
    got: Told = field(default_factory=lambda: MappingProxyType({}))
    """What they came to once widths were whole blocks and heads whole groups."""
    parameters: int = 0
    """Weights of the cut model."""
    bytes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """File type (`Q4_K_M`) to the bytes of the cut model's tensors in it."""

    @property
    def texts(self) -> tuple[str, ...]:
        """SHA-256 of every text that had a say in what stays."""
        return tuple(dict.fromkeys(one.sha256 for one in (*self.calibration, *self.confirmed)))

    @property
    def uniform(self) -> bool:
        """Whether every kept layer has one width and one number of heads, as `llama` files need."""
        return len({(len(kept.neurons), len(kept.head_groups)) for kept in self.layers}) == 1


def write_plan(path: Path, plan: Plan) -> None:
    """Write the plan, whole or not at all; a file that stands there is replaced."""
    with whole_file(path) as file:
        file.write(plan_json(plan).encode("utf-8"))


def plan_json(plan: Plan) -> str:
    """The text of the plan's file: the same for equal plans."""
    confirmed = [source.record() for source in plan.confirmed]
    record = {
        "bedside_plan": VERSION,
        "source": plan.source_sha256,
        "score": plan.score,
        "calibration": [source.record() for source in plan.calibration],
        **({"confirmed": confirmed} if confirmed else {}),
        "asked": dict(plan.asked),
        "got": dict(plan.got),
        "parameters": plan.parameters,
        "bytes": dict(plan.bytes),
        "layers": [
            {
                "layer": kept.index,
                "neurons": ranges(kept.neurons),
                "head_groups": ranges(kept.head_groups),
            }
            for kept in plan.layers
        ],
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def read_plan(path: Path) -> Plan:
    """The plan in a file.

    Raises:
        BadInputError: the file is missing, is no plan, or says what no plan can.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise BadInputError(
            f"The plan {one_line(str(path))} cannot be read; make one with `bedside-convert plan`."
        ) from error
    if len(data) > _LARGEST_FILE:
        raise BadInputError(f"{one_line(path.name)} is far larger than any plan; name the plan.")
    record = parse_object(data, one_line(path.name))
    if record.get("bedside_plan") != VERSION:
        raise BadInputError(
            f"{one_line(path.name)} is no plan of this version; make one with "
            "`bedside-convert plan`."
        )
    return _plan(record)


def ranges(indices: Iterable[int]) -> str:
    """Ascending indices as a person writes them: `0-3 7 9-10`."""
    parts: list[list[int]] = []
    for index in indices:
        if parts and parts[-1][1] + 1 == index:
            parts[-1][1] = index
        else:
            parts.append([index, index])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def parse_ranges(text: str, where: str = "The plan") -> tuple[int, ...]:
    """The indices that `ranges` wrote; `where` names the place in the sentence when it did not.

    Raises:
        BadInputError: other characters, a range that runs backwards, indices that do not ascend.
    """
    indices: list[int] = []
    for part in text.split():
        found = re.fullmatch(r"([0-9]{1,7})(?:-([0-9]{1,7}))?", part)
        first = int(found[1]) if found else -1
        last = int(found[2] or first) if found else -1
        if first < 0 or last < first or last >= _MOST_INDICES or (indices and first <= indices[-1]):
            raise BadInputError(
                f"{where} lists {one_line(part, 40)!r} where ascending numbers such as `0-3 7` "
                "belong; mend it."
            )
        indices.extend(range(first, last + 1))
    return tuple(indices)


def _plan(record: Mapping[str, Any]) -> Plan:
    return Plan(
        source_sha256=_hash(record.get("source")),
        score=_text(record, "score"),
        calibration=tuple(_source(item) for item in _items(record, "calibration")),
        confirmed=tuple(_source(item) for item in _items({"confirmed": [], **record}, "confirmed")),
        layers=_layers(_items(record, "layers")),
        asked=_told(record, "asked"),
        got=_told(record, "got"),
        parameters=_whole(record.get("parameters"), "parameters"),
        bytes=MappingProxyType(
            {name: _whole(size, "bytes") for name, size in _told(record, "bytes").items()}
        ),
    )


def _layers(items: list[Any]) -> tuple[KeptLayer, ...]:
    layers = tuple(_layer(item) for item in items)
    places = [kept.index for kept in layers]
    if not layers or places != sorted(set(places)):
        raise _unusable("layers", "at least one layer, in ascending order")
    return layers


def _layer(item: Any) -> KeptLayer:
    if not isinstance(item, dict):
        raise _unusable("layers", "one table a layer")
    kept = KeptLayer(
        _whole(item.get("layer"), "layer"),
        parse_ranges(_text(item, "neurons")),
        parse_ranges(_text(item, "head_groups")),
    )
    if not kept.neurons or not kept.head_groups:
        raise BadInputError(
            f"The plan leaves layer {kept.index} without neurons or without heads, which no "
            "loader runs; leave the whole layer out instead."
        )
    return kept


def _source(item: Any) -> TextSource:
    if not isinstance(item, dict):
        raise _unusable("calibration", "one table a text")
    column = item.get("field")
    if column is not None and not isinstance(column, str):
        raise _unusable("field", "the name of a field")
    return TextSource(_text(item, "path"), _hash(item.get("sha256")), column)


def _hash(value: Any) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise _unusable("sha256", "a SHA-256 in 64 hexadecimal digits")
    return value


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise _unusable(key, "a text")
    return value


def _items(record: Mapping[str, Any], key: str) -> list[Any]:
    value = record.get(key)
    if not isinstance(value, list):
        raise _unusable(key, "a list")
    return value


def _told(record: Mapping[str, Any], key: str) -> Told:
    value = record.get(key)
    if not isinstance(value, dict) or not all(
        isinstance(item, (str, int, float)) for item in value.values()
    ):
        raise _unusable(key, "a table of texts and numbers")
    return MappingProxyType(value)


def _whole(value: Any, key: str) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise _unusable(key, "a whole number from 0 on")
    return value


def _unusable(key: str, wanted: str) -> BadInputError:
    return BadInputError(f"The plan gives no usable {key}: it must be {wanted}. Make it again.")
