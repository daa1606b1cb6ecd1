"""What each part of a checkpoint computes, by the oracle's own functions, in float64."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.converter.oracle import llama
from tests.converter.oracle.llama import Array


@dataclass(frozen=True)
class Block:
    """One layer over some tokens, (tokens, numbers) each."""

    stream: Array
    """What the layer is given."""
    attention_input: Array
    heads: Array
    """What `attn_output` reads."""
    forward_input: Array
    neurons: Array
    """What `ffn_down` reads."""
    result: Array


def activations(folder: Path, tokens: Sequence[int]) -> tuple[list[Block], Array]:
    """Every layer, and what the output head reads."""
    config = json.loads((folder / "config.json").read_text())
    weights = llama.read_weights(folder)
    epsilon = config["rms_norm_eps"]
    angles = np.outer(np.arange(len(tokens)), llama.frequencies(config))
    x = weights["model.embed_tokens.weight"][list(tokens)]
    blocks = []
    for layer in range(config["num_hidden_layers"]):
        start = f"model.layers.{layer}."
        part = {k.removeprefix(start): v for k, v in weights.items() if k.startswith(start)}
        attention_input = llama.norm(x, part["input_layernorm.weight"], epsilon)
        width = part["self_attn.o_proj.weight"].shape[1]
        heads = llama.attention(
            attention_input, {**part, "self_attn.o_proj.weight": np.eye(width)}, config, angles
        )
        between = x + heads @ part["self_attn.o_proj.weight"].T
        forward_input = llama.norm(between, part["post_attention_layernorm.weight"], epsilon)
        width = part["mlp.down_proj.weight"].shape[1]
        neurons = llama.feed_forward(forward_input, {**part, "mlp.down_proj.weight": np.eye(width)})
        result = between + neurons @ part["mlp.down_proj.weight"].T
        blocks.append(Block(x, attention_input, heads, forward_input, neurons, result))
        x = result
    return blocks, llama.norm(x, weights["model.norm.weight"], epsilon)
