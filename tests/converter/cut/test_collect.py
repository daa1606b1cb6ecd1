"""What is measured is what the oracle computes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.converter.cut.activations import Block, activations
from tests.converter.cut.conftest import Measured

Array = NDArray[np.float64]


@pytest.fixture(params=["tied", "untied"])
def model(request: pytest.FixtureRequest) -> Measured:
    found: Measured = request.getfixturevalue(request.param)
    return found


def _oracle(model: Measured) -> tuple[list[list[Block]], list[Array]]:
    """By chunk: the layers, and the head's input."""
    found = [activations(model.folder, chunk) for chunk in model.chunks]
    return [blocks for blocks, _ in found], [head for _, head in found]


def _summed(chunks: list[list[Block]], layer: int, value: Callable[[Block], Array]) -> Array:
    return np.asarray(sum(value(blocks[layer]).sum(axis=0) for blocks in chunks))


def test_sums_of_neurons_and_heads(model: Measured) -> None:
    chunks, _ = _oracle(model)
    for number, layer in enumerate(model.saliency.layers):
        for found, value in (
            (layer.neuron_abs, lambda block: np.abs(block.neurons)),
            (layer.neuron_sum, lambda block: block.neurons),
            (layer.neuron_square, lambda block: block.neurons**2),
            (layer.output_abs.ravel(), lambda block: np.abs(block.heads)),
            (layer.output_sum.ravel(), lambda block: block.heads),
            (layer.output_square.ravel(), lambda block: block.heads**2),
        ):
            expected = _summed(chunks, number, value)
            np.testing.assert_allclose(
                found, expected, rtol=2e-3, atol=np.abs(expected).max() / 1e3
            )


def test_importance_of_every_matrix_and_of_the_head(model: Measured) -> None:
    chunks, heads = _oracle(model)
    tokens = sum(map(len, model.chunks))
    assert model.saliency.tokens == tokens
    imatrix = model.saliency.imatrix
    for number in range(len(model.saliency.layers)):
        for parts, value in (
            (("attn_q", "attn_k", "attn_v"), lambda block: block.attention_input**2),
            (("attn_output",), lambda block: block.heads**2),
            (("ffn_gate", "ffn_up"), lambda block: block.forward_input**2),
            (("ffn_down",), lambda block: block.neurons**2),
        ):
            expected = _summed(chunks, number, value) / tokens
            for part in parts:
                np.testing.assert_allclose(
                    imatrix[f"blk.{number}.{part}.weight"], expected, rtol=3e-3,
                    atol=expected.max() / 1e3,
                )  # fmt: skip
    head = "token_embd.weight" if model.folder.parent.name.startswith("tied") else "output.weight"
    expected = sum((rows**2).sum(axis=0) for rows in heads) / tokens
    np.testing.assert_allclose(imatrix[head], expected, rtol=2e-3, atol=1e-9)
    assert len(imatrix) == 7 * len(model.saliency.layers) + 1


def test_turn_of_every_layer_and_block(model: Measured) -> None:
    chunks, _ = _oracle(model)
    layers = len(model.saliency.layers)
    for number, layer in enumerate(model.saliency.layers):
        cosines = [_cosine(blocks[number].stream, blocks[number].result)[::8] for blocks in chunks]
        assert layer.turn == pytest.approx(np.concatenate(cosines).mean(), abs=1e-4)
        lengths = [(blocks[number].result[::8] ** 2).sum(axis=1) for blocks in chunks]
        assert layer.stream == pytest.approx(np.concatenate(lengths).mean(), rel=2e-3)
    for (first, length), angle in model.saliency.spans.items():
        angles = [
            np.arccos(
                np.clip(_cosine(blocks[first].stream, blocks[first + length - 1].result), -1, 1)
            )[::8]
            for blocks in chunks
        ]
        assert angle == pytest.approx(np.concatenate(angles).mean() / np.pi, abs=1e-3)
    assert len(model.saliency.spans) == layers * (layers + 1) // 2


def test_covariances_of_the_layers_asked_for(model: Measured) -> None:
    chunks, _ = _oracle(model)
    found = model.saliency.covariances
    assert set(found) == {"blk.1.ffn_down.weight", "blk.1.attn_output.weight"}
    rows = np.concatenate([blocks[1].neurons for blocks in chunks])
    expected = rows.T @ rows / len(rows)
    np.testing.assert_allclose(
        found["blk.1.ffn_down.weight"], expected, atol=np.abs(expected).max() / 300
    )


def _cosine(before: Array, after: Array) -> Array:
    inner = (before * after).sum(axis=1)
    return np.asarray(inner / np.linalg.norm(before, axis=1) / np.linalg.norm(after, axis=1))
