"""The saliency file: whole, readable by llama.cpp's rules, and refused when it is anything else."""

from __future__ import annotations

import ctypes
import dataclasses
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import BadInputError
from converter.cut.saliency_file import read_saliency, write_saliency
from converter.imatrix import read_imatrix
from converter.texts import Sample
from tests.converter.cut.conftest import Measured


@pytest.fixture(scope="module")
def written(tied: Measured, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saliency") / "s.gguf"
    write_saliency(path, tied.saliency)
    return path


def test_reads_back_what_was_written(tied: Measured, written: Path) -> None:
    found = read_saliency(written)
    for field in dataclasses.fields(found):
        if field.name not in ("layers", "input_squares", "covariances"):
            assert getattr(found, field.name) == getattr(tied.saliency, field.name), field.name
    for layer, expected in zip(found.layers, tied.saliency.layers, strict=True):
        for field in dataclasses.fields(layer):
            np.testing.assert_array_equal(getattr(layer, field.name), getattr(expected, field.name))
    for name in ("input_squares", "covariances"):
        values, expected_values = getattr(found, name), getattr(tied.saliency, name)
        assert values.keys() == expected_values.keys()
        for key in values:
            np.testing.assert_array_equal(values[key], expected_values[key])


@pytest.mark.parametrize("seed", [2**31 - 1, -(2**31)])
def test_every_seed_that_a_sample_may_have_can_be_kept(
    tied: Measured, tmp_path: Path, seed: int
) -> None:
    Sample(seed=seed).check()
    write_saliency(tmp_path / "s.gguf", dataclasses.replace(tied.saliency, seed=seed))
    assert read_saliency(tmp_path / "s.gguf").seed == seed


def test_is_an_importance_matrix_for_the_quantiser(tied: Measured, written: Path) -> None:
    reader = gguf.GGUFReader(written)
    keys = {"general.type", "imatrix.datasets", "imatrix.chunk_count", "imatrix.chunk_size"}
    assert keys <= set(reader.fields)
    imatrix = read_imatrix(written)
    assert imatrix.keys() == tied.saliency.imatrix.keys()
    for name, values in tied.saliency.imatrix.items():
        np.testing.assert_array_equal(imatrix[name], values)
    assert all(len(tensor.name) < 64 for tensor in reader.tensors)


def test_llama_cpp_opens_it_with_its_own_reader(tied: Measured, written: Path) -> None:
    from llama_cpp._ctypes_extensions import load_shared_library
    from llama_cpp._ggml import libggml_base_path

    class Params(ctypes.Structure):
        _fields_ = (("no_alloc", ctypes.c_bool), ("ctx", ctypes.c_void_p))

    library = load_shared_library("ggml-base", libggml_base_path)
    library.gguf_init_from_file.restype = ctypes.c_void_p
    library.gguf_init_from_file.argtypes = (ctypes.c_char_p, Params)
    library.gguf_get_n_tensors.restype = ctypes.c_int64
    library.gguf_get_n_tensors.argtypes = (ctypes.c_void_p,)
    opened = library.gguf_init_from_file(str(written).encode(), Params(True, None))
    assert opened, "llama-quantize would take it for the old form and refuse it"
    count = library.gguf_get_n_tensors(opened)
    library.gguf_free(ctypes.c_void_p(opened))
    assert count == 2 * len(tied.saliency.imatrix) + 6 * 2 + 3 + 2


def test_same_measurement_same_bytes(tied: Measured, written: Path, tmp_path: Path) -> None:
    write_saliency(tmp_path / "again", tied.saliency)
    assert (tmp_path / "again").read_bytes() == written.read_bytes()


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damage_gives_one_sentence(written: Path, data: st.DataObject) -> None:
    whole = bytearray(written.read_bytes())
    match data.draw(st.sampled_from(["cut", "flip", "text"])):
        case "cut":
            whole = whole[: data.draw(st.integers(0, len(whole) - 1))]
        case "flip":
            for _ in range(data.draw(st.integers(1, 8))):
                whole[data.draw(st.integers(0, 8000))] ^= data.draw(st.integers(1, 255))
        case _:
            whole = bytearray(data.draw(st.binary(max_size=200)))
    path = written.with_name("damaged")
    path.write_bytes(whole)
    try:
        read_saliency(path)
    except BadInputError as error:
        assert "\n" not in str(error)


def test_missing_file_and_plain_imatrix_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        read_saliency(tmp_path / "none")
    writer = gguf.GGUFWriter(tmp_path / "plain", "")
    writer.add_string("general.type", "imatrix")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(BadInputError, match="no saliency of this version"):
        read_saliency(tmp_path / "plain")
