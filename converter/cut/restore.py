"""Restoration: what stays of a cut model is taught, in closed form, to do the work of what went.

The full and the cut model read the same text side by side. Half a layer at a time, from the first,
the matrix that writes to the cut model's residual stream is refitted so that the stream comes as
close as it can to the full model's: its target is the full stream after this half less the cut
stream before it, so what earlier layers still miss is made up for here.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError, ResourceError
from converter.architecture import Model, Weight
from converter.cut.forward import Floats, Forward, Half, halves, read, written
from converter.cut.geometry import Geometry
from converter.cut.leastsquares import Moments, fit
from converter.cut.plan import Plan

Progress = Callable[[int, int], None]
"""Told how many half layers are done, and of how many."""

_BATCH = 2048
"""Tokens that are in the air at once: some dozens of megabytes of activations."""
_HELD_OUT = 8
"""Of so many chunks, the last is held out."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What one matrix gained on the held-out part."""

    layer: int
    """In the source model."""
    part: str
    """`attn_output` or `ffn_down`."""
    before: float
    """Mean squared error of the residual stream after this half, over its mean square."""
    after: float
    ridge: float | None
    """As `Fit.ridge`; None where the matrix was left alone."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The repair of a cut model."""

    weights: Mapping[str, NDArray[np.float32]]
    """By their names in the cut file; what was left alone is not in it."""
    gains: tuple[Gain, ...]
    tokens: int
    """How many were read, the held-out ones included."""


def restore(
    full: Model,
    cut: Model,
    plan: Plan,
    chunks: Sequence[Sequence[int]],
    *,
    progress: Progress | None = None,
) -> Restored:
    """Refit the cut model's writing matrices on text.

    Memory holds one layer of both models, two layers' moments and a batch; the hidden states of
    all tokens lie in two scratch files.

    Args:
        full: the model that the plan was made for.
        cut: the same after the plan.
        plan: which layers of the one are which of the other.
        chunks: tokens of texts, all equally long; a tenth per kept input or more is wise.

    Raises:
        BadInputError: There are fewer than two chunks, they differ in length, or they name tokens
            that the model has not.
        ResourceError: There is no room for the scratch files.
    """
    tokens = _checked(chunks, full.vocabulary_rows)
    places = {kept.index: place for place, kept in enumerate(plan.layers)}
    total = 2 * full.facts.layers
    with _streams(tokens, _embedding(full)) as (target, stream):
        work = _Restoration(Forward.of(full), target, stream, {}, [])
        pairs = _pairs(full, cut, places)
        for done, (layer, was, now) in enumerate(pairs, 1):
            if now is None:
                work.advance(was)
            else:
                work.repair(was, now, layer, places[layer])
            if progress is not None:
                progress(done, total)
    return Restored(work.weights, tuple(work.gains), tokens.size)


@dataclass(slots=True)
class _Restoration:
    """Both residual streams at the same place between two halves of a layer."""

    forward: Forward
    target: Floats
    """The full model's stream, (chunks, tokens, width)."""
    stream: Floats
    """The cut and repaired model's."""
    weights: dict[str, Floats]
    gains: list[Gain]

    def advance(self, half: Half) -> None:
        """Take the full model's stream past a half that the cut model has not."""
        for batch in self._batches():
            self.target[batch] += self._written(half, self.target[batch])

    def repair(self, was: Half, now: Half, layer: int, place: int) -> None:
        """Take both streams past a half, the cut model's with its writer refitted."""
        sides = now.weights[f"{now.writer}.weight"].T.shape
        seen, held_out = Moments(*sides), Moments(*sides)
        power, period = 0.0, min(_HELD_OUT, len(self.stream))
        for batch in self._batches():
            self.target[batch] += self._written(was, self.target[batch])
            features = self._features(now, self.stream[batch])
            missing = self.target[batch] - self.stream[batch] - written(now, features)
            for number in range(len(features)):
                out = (batch.start + number) % period == period - 1
                (held_out if out else seen).add(features[number], missing[number])
                power += float(np.square(self.target[batch][number]).sum()) if out else 0.0
        found = fit(seen, held_out)
        if found.step is not None:
            name = f"{now.writer}.weight"
            now.weights[name] = self.weights[f"blk.{place}.{name}"] = now.weights[name] + found.step
        self.gains.append(
            Gain(layer, now.writer, found.before / power, found.after / power, found.ridge)
        )
        for batch in self._batches():
            self.stream[batch] += self._written(now, self.stream[batch])

    def _features(self, half: Half, x: Floats) -> Floats:
        return self.forward.features(half, self.forward.normed(half, x))

    def _written(self, half: Half, x: Floats) -> Floats:
        return written(half, self._features(half, x))

    def _batches(self) -> Iterator[slice]:
        chunks, length = self.stream.shape[:2]
        step = max(1, _BATCH // length)
        for start in range(0, chunks, step):
            yield slice(start, min(start + step, chunks))


def _pairs(
    full: Model, cut: Model, places: Mapping[int, int]
) -> Iterator[tuple[int, Half, Half | None]]:
    """Every half of the full model with the cut model's, or None where the layer is gone."""
    full_weights = {weight.name: weight for weight in full.weights}
    cut_weights = {weight.name: weight for weight in cut.weights}
    full_groups, cut_groups = Geometry.read(full).groups, Geometry.read(cut).groups
    for layer in range(full.facts.layers):
        was = halves(full_weights, layer, full_groups[layer])
        now: tuple[Half | None, ...] = (None, None)
        if (place := places.get(layer)) is not None:
            now = halves(cut_weights, place, cut_groups[place])
        yield from ((layer, *pair) for pair in zip(was, now, strict=True))


def _checked(chunks: Sequence[Sequence[int]], vocabulary: int) -> NDArray[np.intp]:
    if len(chunks) < 2 or len({len(chunk) for chunk in chunks}) > 1:
        raise BadInputError(
            "The text is too short to restore with: it needs two chunks of equal length at least, "
            "one of them to hold out. Name more text, or shorten the chunks."
        )
    tokens = np.array(chunks, dtype=np.intp)
    if tokens.min() < 0 or tokens.max() >= vocabulary:
        raise BadInputError("The text was tokenised for another model; tokenise it with this one.")
    return tokens


def _embedding(full: Model) -> Weight:
    return next(weight for weight in full.weights if weight.name == "token_embd.weight")


@contextlib.contextmanager
def _streams(tokens: NDArray[np.intp], embedding: Weight) -> Iterator[tuple[Floats, Floats]]:
    """Two arrays in scratch files, filled with the tokens' embeddings; gone after the block."""
    shape = (*tokens.shape, embedding.shape[1])
    table = read(embedding)
    with tempfile.TemporaryFile() as first, tempfile.TemporaryFile() as second:
        made: list[Floats] = []
        for file in (first, second):
            try:
                os.posix_fallocate(file.fileno(), 0, 4 * int(np.prod(shape)))
            except OSError as error:
                raise ResourceError(
                    f"Restoring on {tokens.size} tokens needs {8 * np.prod(shape) / 1e6:,.0f} MB "
                    f"of scratch files in {Path(tempfile.gettempdir())}; read fewer tokens, or "
                    "set TMPDIR to a disk with room."
                ) from error
            stream: Floats = np.memmap(file, np.float32, "r+", shape=shape)
            for chunk, ids in enumerate(tokens):
                stream[chunk] = table[ids]
            made.append(stream)
        yield made[0], made[1]
