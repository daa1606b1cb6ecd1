from __future__ import annotations

import dataclasses

import pytest

from app.boards import profile
from converter.published import BOARD_MEMORY, Published, compute, published, q4_k_m_header

FILE_GB = {
    "llama-3.2-1b": 0.808,
    "llama-3.2-3b": 2.019,
    "gemma-2-2b": 1.709,
    "gemma-3-1b": 0.806,
    "gemma-3-4b": 2.490,
    "qwen2.5-1.5b": 0.986,
    "qwen2.5-3b": 1.930,
}
"""Sizes of Q4_K_M files that others have published, in 10^9 bytes: the oracle. They hold the
vocabulary too, which the computed size leaves out."""

PARAMETERS = {
    "llama-3.2-1b": 1_235_814_400,
    "gemma-3-1b": 999_885_952,
    "gemma-2-2b": 2_614_341_888,
    "qwen2.5-1.5b": 1_543_714_304,
    "qwen2.5-3b": 3_085_938_688,
    "llama-3.2-3b": 3_212_749_824,
}
"""As the models' own pages count them."""


@pytest.mark.parametrize("name", FILE_GB)
def test_the_computed_size_is_a_published_files(name: str) -> None:
    header = FILE_GB[name] * 1e9 - compute(q4_k_m_header(published()[name])).bytes
    assert 4e6 < header < 10e6, "what remains is the vocabulary of such a file"


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_number_of_parameters(name: str) -> None:
    model = published()[name]
    factors = model.head_dim // 2 if model.rope_factors else 0
    found = compute(q4_k_m_header(model)).parameters
    assert found == PARAMETERS[name] + factors, "the file adds the factors of the rope scaling"


def test_tensors_follow_each_other_aligned() -> None:
    header = q4_k_m_header(published()["qwen2.5-1.5b"])
    ends = [tensor.offset + tensor.bytes for tensor in header.tensors]
    for end, tensor in zip([0, *ends], header.tensors, strict=False):
        assert 0 <= tensor.offset - end < 32
        assert tensor.offset % 32 == 0
    assert header.tensor("blk.27.attn_v.bias") is not None
    assert header.tensor("output.weight") is None


def test_an_untied_head_is_a_tensor_more() -> None:
    tied = published()["llama-3.2-1b"]
    loose = dataclasses.replace(tied, tied=False)
    more = compute(q4_k_m_header(loose)).parameters - compute(q4_k_m_header(tied)).parameters
    assert more == tied.vocabulary * tied.hidden


def test_a_model_that_is_too_large_for_the_boards() -> None:
    huge = Published("llama", 8192, 80, 64, 8, 128, 28672, 128256, 131072, "Llama 3 70B")
    assert compute(q4_k_m_header(huge)).boards == ()


def test_every_board_of_the_table_has_a_profile() -> None:
    for board in BOARD_MEMORY:
        assert profile(board).id == board
