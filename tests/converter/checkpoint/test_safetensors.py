"""The safetensors header: a stranger's file gives a checkpoint or a sentence, and nothing else."""

from __future__ import annotations

import itertools
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.errors import BadInputError
from app.sanitise import one_line
from converter.checkpoint.safetensors import read_index
from tests.converter.checkpoints import pack_safetensors

GOOD: dict[str, Any] = {
    "b": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]},
    "a": {"dtype": "F32", "shape": [2], "data_offsets": [12, 20]},
}
DATA = bytes(range(20))


def changed(name: str, **entry: Any) -> dict[str, Any]:
    return {**GOOD, name: {**GOOD[name], **entry}}


def read(path: Path, content: bytes) -> dict[str, tuple[int, int]]:
    path.write_bytes(content)
    return {tensor.name: (tensor.offset, tensor.nbytes) for tensor in read_index(path)}


def test_tensors_come_sorted_by_name_with_their_place(tmp_path: Path) -> None:
    content = pack_safetensors(GOOD, DATA)
    start = len(content) - len(DATA)
    assert list(read(tmp_path / "m", content).items()) == [
        ("a", (start + 12, 8)),
        ("b", (start, 12)),
    ]


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (changed("a", data_offsets=[11, 19]), "overlap"),
        (changed("b", data_offsets=[0, 0], shape=[0]), "belong to no tensor"),
        (changed("a", data_offsets=[16, 24]), "belong to no tensor"),
        (changed("a", data_offsets=[12, 24], shape=[3]), "beyond the end"),
        (changed("a", data_offsets=[12, 16], shape=[1]), "4 bytes that belong to no tensor"),
        (changed("a", data_offsets=[20, 12]), "do not fit"),
        (changed("a", data_offsets=[-8, 0]), "whole numbers"),
        (changed("a", data_offsets=[12]), "whole numbers"),
        (changed("a", data_offsets=None), "whole numbers"),
        (changed("a", data_offsets=[2**63, 2**63 + 8]), "whole numbers"),
        (changed("a", shape=[3]), "do not fit"),
        (changed("a", shape=[2**62, 2**62]), "do not fit"),
        (changed("a", shape=[True, 2]), "whole numbers"),
        (changed("a", shape=[1] * 9 + [2]), "whole numbers"),
        (changed("a", dtype="F33"), "unknown"),
        (changed("a", dtype=["F32"]), "unknown"),
        (changed("a", dtype="F16"), "do not fit"),
        ({"a": []}, "not an object"),
    ],
)
def test_a_header_that_lies_is_refused(
    header: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read(tmp_path / "m", pack_safetensors(header, DATA))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cut short"),
        (b"\x08\0\0", "cut short"),
        (struct.pack("<Q", 2**63) + b"{}", "9223372036854775808"),
        (struct.pack("<Q", 2**64 - 1) + b"{}", "cut short"),
        (struct.pack("<Q", 3) + b"{}", "cut short"),
        (struct.pack("<Q", 2) + b"[]", "no JSON object"),
        (struct.pack("<Q", 2) + b"{]", "not valid JSON"),
        (struct.pack("<Q", 2) + b"\xff\xfe", "not valid JSON"),
        (struct.pack("<Q", 9) + b'{"a":NaN}', "not valid JSON"),
        (struct.pack("<Q", 13) + b'{"a":1,"a":1}', "'a' twice"),
        (struct.pack("<Q", 200_000) + b"[" * 200_000, "not valid JSON"),
        (struct.pack("<Q", 5_006) + b'{"a":' + b"9" * 5_000 + b"}", "not valid JSON"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_bytes_that_are_no_header_are_refused(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read(tmp_path / "m", content)


def test_a_header_longer_than_any_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 200_000_000))
        file.truncate(300_000_000)  # sparse
    with pytest.raises(BadInputError, match="which none needs"):
        read_index(path)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "dtype": st.sampled_from(["F32", "BF16", "I64", "X"]) | _VALUES,
        "shape": st.lists(st.integers(-1, 6), max_size=3) | _VALUES,
        "data_offsets": st.lists(st.integers(-1, 48), min_size=2, max_size=2) | _VALUES,
    },
)


@example(header={"": {"dtype": "", "data_offsets": [0, 0], "shape": []}}, data=b"")
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.dictionaries(st.text(max_size=8), _ENTRIES | _VALUES, max_size=4),
    data=st.binary(max_size=64),
)
def test_any_header_gives_tensors_in_the_file_or_a_sentence(
    header: dict[str, Any], data: bytes, tmp_path: Path
) -> None:
    _check_any(tmp_path / "m", pack_safetensors(header, data))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_to_a_good_file_gives_tensors_in_the_file_or_a_sentence(
    data: st.DataObject, tmp_path: Path
) -> None:
    content = bytearray(pack_safetensors(GOOD, DATA))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    _check_any(tmp_path / "m", bytes(content[: data.draw(st.integers(0, len(content)))]))


def _check_any(path: Path, content: bytes) -> None:
    try:
        places = read(path, content)
    except BadInputError as error:
        assert one_line(str(error), 10_000) == str(error)
        return
    covered = sorted(places.values())
    for (offset, size), (following, _) in itertools.pairwise(covered):
        assert offset + size <= following
    start = 8 + struct.unpack("<Q", content[:8])[0]
    assert all(start <= offset and offset + size <= len(content) for offset, size in covered)
    names = json.loads(content[8:start])
    assert places.keys() == names.keys() - {"__metadata__"}
