"""How many bytes of a model each token reads: with the memory's speed it bounds decoding."""

from __future__ import annotations

from app.engine.modelfile import Header


def bytes_per_token(header: Header) -> int | None:
    """Bytes of weights that decoding one token reads.

    A token table that is not the output too is only looked up in, a row at a time, and does not
    count; where the file has no output of its own, the table is read whole as the output.

    Returns:
        None for a mixture of experts, of which a token reads a part that the header does not tell.
    """
    if header.setting("expert_count"):
        return None
    total = sum(tensor.bytes for tensor in header.tensors)
    table, output = header.tensor("token_embd.weight"), header.tensor("output.weight")
    return total - table.bytes if table is not None and output is not None else total
