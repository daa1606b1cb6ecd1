"""Perplexity as llama-perplexity scores it, so that numbers can be held against published ones.

The text runs through the model in windows. BOS stands in the place of a window's first token, and
of each window only the later part is scored, so that every scored token has context before it
(llama.cpp, tools/perplexity/perplexity.cpp). A perplexity means nothing without its text, its
context and its tokenizer: the first two are part of the result, and a comparison of models with
different tokenizers is not one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError, UsageError
from app.sanitise import one_line
from converter.progress import Advance
from converter.runner import Runner
from converter.texts import Document

CONTEXT = 512
"""Tokens in a window: what llama-perplexity takes when it is not told otherwise."""
_ROWS = 64
"""Rows of logits that are widened at once: 64 of the largest vocabularies take about 100 MB."""
_MOST_NATS = 700.0
"""What e can be raised to, with room for the error; guessing has about 12."""


@dataclass(frozen=True, slots=True)
class Windows:
    """How a text is cut into windows, and how many of them are scored."""

    context: int = CONTEXT
    """Tokens in a window."""
    stride: int = 0
    """Tokens from one window to the next, of which each window scores its last so many. 0 stands
    for windows side by side whose second halves are scored: llama-perplexity's own way."""
    limit: int = 0
    """Windows at most; 0 for all."""

    def check(self) -> None:
        """Refuse windows in which nothing could be scored.

        Raises:
            UsageError: the context is too short, or the stride leaves too little before what is
                scored.
        """
        if self.context < 4:
            raise UsageError(f"A context of {self.context} tokens is too short; take at least 4.")
        if not 0 <= self.stride <= self.context // 2:
            raise UsageError(
                f"A stride of {self.stride} leaves less than half of a window of {self.context} "
                f"tokens as context; take 1 to {self.context // 2}, or 0 for windows side by side."
            )
        if self.limit < 0:
            raise UsageError("The number of windows cannot be negative; take 0 for all.")

    @property
    def step(self) -> int:
        """Tokens from the beginning of a window to that of the next."""
        return self.stride or self.context

    @property
    def first(self) -> int:
        """The first position of a window whose prediction is scored."""
        return self.context - self.stride - 1 if self.stride else self.context // 2

    def cut(self, tokens: Sequence[int], bos: int | None) -> list[list[int]]:
        """The windows of a text, each whole; what is left over at the end is not scored."""
        starts = range(0, len(tokens) - self.context + 1, self.step)
        windows = [list(tokens[start : start + self.context]) for start in starts]
        if bos is not None:
            for window in windows:
                window[0] = bos
        return windows[: self.limit or None]


@dataclass(frozen=True, slots=True)
class Perplexity:
    """How well a model foresees a text; lower is better."""

    nll: float
    """Mean negative log-likelihood of a scored token, in nats."""
    spread: float
    """Standard error of that mean, taking tokens as independent, as llama-perplexity does."""
    tokens: int
    """How many were scored."""
    chunks: int
    """Windows they came from."""
    context: int
    stride: int
    corpus_sha256: str
    """`corpus_hash` of the text."""
    window_nlls: tuple[float, ...]
    """The mean of each window: two models on the same windows differ by less than either errs."""

    @property
    def value(self) -> float:
        """e to the mean negative log-likelihood."""
        return math.exp(self.nll)

    @property
    def error(self) -> float:
        """What llama-perplexity prints after its ±."""
        return self.value * self.spread


def perplexity(
    model: Path,
    documents: Sequence[Document],
    windows: Windows | None = None,
    *,
    threads: int = 0,
    progress: Advance | None = None,
) -> Perplexity:
    """Measure a GGUF file on text.

    Documents run into each other, each begun by BOS.

    Raises:
        BadInputError: the text is shorter than a window, or the model does not compute numbers, or
            such that e to them is none.
        UsageError: the windows are none.
    """
    windows = windows or Windows()
    windows.check()
    with Runner(model, length=windows.context, threads=threads) as runner:
        tokens = [token for document in documents for token in _tokens(runner, document)]
        cut = windows.cut(tokens, runner.bos)
        if not cut:
            raise BadInputError(
                f"The text has {len(tokens)} tokens, fewer than one window of {windows.context}; "
                "give more text or a shorter --context."
            )
        scores = np.stack(list(_scored(runner, cut, windows.first, progress)))
    if not np.isfinite(scores).all():
        raise BadInputError(
            f"{one_line(model.name)} does not compute numbers on this text (NaN or infinite); it "
            "is damaged, so make it again."
        )
    nll = float(scores.mean())
    if nll > _MOST_NATS:
        raise BadInputError(
            f"{one_line(model.name)} does not compute a language: its loss on this text is "
            f"{nll:,.0f} nats a token, and guessing has about 12; it is damaged, so make it again."
        )
    return Perplexity(
        nll=nll,
        spread=float(scores.std() / math.sqrt(max(1, scores.size - 1))),
        tokens=scores.size,
        chunks=len(cut),
        context=windows.context,
        stride=windows.step,
        corpus_sha256=corpus_hash(documents),
        window_nlls=tuple(scores.mean(axis=1).tolist()),
    )


def corpus_hash(documents: Sequence[Document]) -> str:
    """SHA-256 over the documents' texts in their order: what was read, however it was packed."""
    digest = hashlib.sha256()
    for document in documents:
        text = document.text.encode("utf-8", "replace")
        digest.update(len(text).to_bytes(8, "little") + text)
    return digest.hexdigest()


def _tokens(runner: Runner, document: Document) -> Iterator[int]:
    """A document's ids with BOS; plain text without its last newline, as the stock tool reads it.

    Only a file of plain text is one piece: a row of JSON lines ends where its field does.
    """
    if runner.bos is not None:
        yield runner.bos
    *before, last = document.pieces
    for piece in before:
        yield from runner.ids(piece.text, piece.special)
    yield from runner.ids(last.text if before else last.text.removesuffix("\n"), last.special)


def _scored(
    runner: Runner, windows: Sequence[Sequence[int]], first: int, progress: Advance | None
) -> Iterator[NDArray[np.float64]]:
    """Negative log-likelihoods of each window's scored tokens."""
    for number, window in enumerate(windows, 1):
        runner.run(window)
        targets = np.array(window[first + 1 :])
        yield negative_log_likelihood(runner.logits()[first:-1], targets)
        if progress is not None:
            progress(number, len(windows))


def negative_log_likelihood(
    logits: NDArray[np.float32], targets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """-log softmax(logits)[target] in nats, one for each row; NaN where logits are infinite.

    Args:
        logits: float32 (n, vocabulary), left as they are.
        targets: int64 (n,), token ids.
    """
    out = np.empty(len(targets))
    for start in range(0, len(targets), _ROWS):
        rows = logits[start : start + _ROWS]
        top = rows.max(axis=1)
        asked = np.take_along_axis(rows, targets[start : start + _ROWS, None], axis=1)[:, 0]
        with np.errstate(invalid="ignore"):  # who asked looks for NaN, and says what it means
            total = np.exp(rows - top[:, None]).sum(axis=1, dtype=np.float64)
            out[start : start + _ROWS] = np.log(total) - (asked - top)
    return out
