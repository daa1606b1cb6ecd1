"""The head of a GGUF file, read back by two readers that are not ours to bend."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGUFReader, GGUFValueType
from gguf import GGMLQuantizationType as Kind
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converter import metadata
from converter.header import ALIGNMENT, Entry, pack_header, padding
from converter.metadata import Field, Scalar

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_NAMES = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=20)
_FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
_VALUES: dict[GGUFValueType, st.SearchStrategy[Scalar]] = {
    GGUFValueType.STRING: _TEXT,
    GGUFValueType.UINT32: st.integers(0, 2**32 - 1),
    GGUFValueType.INT32: st.integers(-(2**31), 2**31 - 1),
    GGUFValueType.UINT64: st.integers(0, 2**64 - 1),
    GGUFValueType.FLOAT32: _FLOATS,
    GGUFValueType.BOOL: st.booleans(),
}


@st.composite
def _fields(draw: st.DrawFn) -> Field:
    key, kind = draw(_NAMES), draw(st.sampled_from(list(_VALUES)))
    if draw(st.booleans()):
        return Field(key, draw(_VALUES[kind]), kind)
    return metadata.array(key, draw(st.lists(_VALUES[kind], min_size=1, max_size=5)), kind)


@st.composite
def _entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from([Kind.F32, Kind.F16, Kind.Q8_0, Kind.Q4_K]))
    row = GGML_QUANT_SIZES[kind][0] * draw(st.integers(1, 3))
    return Entry(draw(_NAMES), (*draw(st.lists(st.integers(1, 3), max_size=2)), row), kind)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    fields=st.lists(_fields(), max_size=5, unique_by=lambda field: field.key),
    entries=st.lists(_entries(), min_size=1, max_size=4, unique_by=lambda entry: entry.name),
)
def test_gguf_py_reads_what_was_packed(
    fields: list[Field], entries: list[Entry], tmp_path: Path
) -> None:
    data = [bytes([number + 1]) * entry.nbytes for number, entry in enumerate(entries)]
    body = b"".join(piece + padding(len(piece)) for piece in data)
    path = tmp_path / "made.gguf"
    path.write_bytes(pack_header(fields, entries) + body)
    reader = GGUFReader(path)
    for field in fields:
        found = reader.fields[field.key]
        kinds = [field.kind] if field.element is None else [field.kind, field.element]
        assert found.types[: len(kinds)] == kinds
        wanted = field.value if isinstance(field.value, (str, int, float)) else list(field.value)
        assert found.contents() == wanted
    for entry, tensor, piece in zip(entries, reader.tensors, data, strict=True):
        assert (tensor.name, tensor.tensor_type) == (entry.name, entry.kind)
        assert tuple(reversed([int(side) for side in tensor.shape])) == entry.shape
        assert np.ascontiguousarray(tensor.data).tobytes() == piece


def test_data_begins_aligned() -> None:
    for length in range(1, 40):
        head = pack_header([metadata.text("k" * length, "v")], [])
        assert len(head) % ALIGNMENT == 0


def test_half_a_surrogate_pair_does_not_stop_a_file() -> None:
    assert b"na?me" in pack_header([metadata.text("general.name", "na\ud800me")], [])


def test_a_number_that_does_not_fit_is_no_silent_wrap() -> None:
    with pytest.raises(struct.error):
        pack_header([metadata.uint32("k", 2**32)], [])


def test_a_key_that_stands_twice_is_a_defect_and_no_file() -> None:
    with pytest.raises(AssertionError, match="stands twice"):
        pack_header([metadata.text("k", "one"), metadata.text("k", "other")], [])
