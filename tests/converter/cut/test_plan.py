"""The plan's file: as it was written, readable, and refused when it is anything else."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError
from converter.cut.plan import (
    KeptLayer,
    Plan,
    parse_ranges,
    plan_json,
    ranges,
    read_plan,
    write_plan,
)
from converter.texts import TextSource

PLAN = Plan(
    source_sha256="ab" * 32,
    score="saliency",
    layers=(
        KeptLayer(0, tuple(range(256)), (0, 2)),
        KeptLayer(2, (*range(100), *range(200, 356)), (1, 3)),
    ),
    calibration=(TextSource("medicine.txt", "cd" * 32), TextSource("b.jsonl", "ef" * 32, "text")),
    asked={"neurons": 0.5, "type": "Q4_K_M"},
    got={"neurons": 0.51},
    parameters=1234,
    bytes={"Q4_K_M": 5678},
)


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.json", PLAN)
    assert read_plan(tmp_path / "plan.json") == PLAN
    assert plan_json(PLAN) == (tmp_path / "plan.json").read_text()


def test_a_person_can_read_it() -> None:
    record = json.loads(plan_json(PLAN))
    assert record["layers"][1] == {
        "layer": 2,
        "neurons": "0-99 200-355",
        "head_groups": "1 3",
    }


def test_uniform() -> None:
    assert PLAN.uniform
    narrow = KeptLayer(3, tuple(range(256)), (0,))
    assert not dataclasses.replace(PLAN, layers=(*PLAN.layers, narrow)).uniform


@given(st.sets(st.integers(0, 3000)))
def test_ranges_say_the_same_as_the_numbers(indices: set[int]) -> None:
    assert parse_ranges(ranges(sorted(indices))) == tuple(sorted(indices))


@pytest.mark.parametrize("text", ["3-1", "1 1", "2 1", "0-9999999", "-1", "a", "1-", "٣", "1,2"])
def test_ranges_that_are_none(text: str) -> None:
    with pytest.raises(BadInputError, match="ascending numbers"):
        parse_ranges(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(key=st.sampled_from(sorted(json.loads(plan_json(PLAN)))), value=_JSON)
def test_any_value_in_any_place_gives_a_plan_or_a_sentence(
    key: str, value: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "odd-plan.json"
    path.write_text(json.dumps({**json.loads(plan_json(PLAN)), key: value}))
    try:
        read_plan(path)
    except BadInputError as error:
        assert "\n" not in str(error)


@given(value=_JSON)
def test_any_layer_gives_a_plan_or_a_sentence(
    value: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "odd-layer.json"
    record = json.loads(plan_json(PLAN))
    for key in ("layer", "neurons", "head_groups"):
        layers = [{**record["layers"][0], key: value}]
        path.write_text(json.dumps({**record, "layers": layers}))
        try:
            read_plan(path)
        except BadInputError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"layers": []}, "at least one layer"),
        ({"layers": [{"layer": 0, "neurons": "", "head_groups": "0"}]}, "without neurons"),
        ({"layers": [{"layer": 0, "neurons": "0", "head_groups": ""}]}, "without heads"),
        ({"source": "ab"}, "64 hexadecimal digits"),
        ({"bedside_plan": 2}, "no plan of this version"),
        ({"parameters": -1}, "whole number"),
    ],
)
def test_refusals(tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({**json.loads(plan_json(PLAN)), **change}))
    with pytest.raises(BadInputError, match=sentence):
        read_plan(path)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[]", b'{"bedside_plan": NaN}', b"[" * 10**5])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(data)
    with pytest.raises(BadInputError):
        read_plan(path)
    with pytest.raises(BadInputError, match="cannot be read"):
        read_plan(tmp_path / "none")
