"""Restoration: what stays of a cut model is taught, in closed form, to do the work of what went.

The full and the cut model read the same text side by side. Half a layer at a time, from the first,
- the matrices that read the cut model's residual stream are turned, by one linear map for all of
  them, so that they read what the full model's would;
- the matrix that writes to it is refitted so that the stream comes as close as it can to the full
  model's: its target is the full stream after this half less the cut stream before it, so what
  earlier layers still miss is made up for here.

What else was tried, and what each choice costs, is in RESULTS.md beside this file.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInputError, ResourceError
from converter.architecture import Model, Weight
from converter.cut.forward import Floats, Forward, Half, halves, read, written
from converter.cut.geometry import Geometry
from converter.cut.leastsquares import Fit, Moments, fit
from converter.cut.plan import Plan
from converter.progress import Advance

_BATCH = 2048
"""Tokens that are in the air at once: some dozens of megabytes of activations."""
_HELD_OUT = 8
"""Of so many chunks, the last is held out."""
_KEPT = 1 << 29
"""Bytes of a half's features that are kept from the fit to the step past it; more are computed
twice."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What one matrix gained on the held-out part."""

    layer: int
    """In the source model."""
    part: str
    """`attn_norm` or `ffn_norm` for the readers, `attn_output` or `ffn_down` for the writer."""
    before: float
    """Squared error over the square of what it should be: of what the readers see, or of the
    residual stream after this half."""
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
    texts: tuple[str, ...] = ()
    """SHA-256 of the files that they are of, where who asked for the repair knows them."""


def restore(
    full: Model,
    cut: Model,
    plan: Plan,
    chunks: Sequence[Sequence[int]],
    *,
    streams: Sequence[Floats] | None = None,
    progress: Advance | None = None,
) -> Restored:
    """Refit the cut model's matrices on text.

    Memory holds one layer of both models, the moments of one matrix and a batch; the hidden states
    of all tokens lie in two scratch files.

    Args:
        full: the model that the plan was made for.
        cut: the same after the plan.
        plan: which layers of the one are which of the other.
        chunks: tokens of texts, all equally long; fifty or more for each kept neuron are wise.
        streams: `full_streams` of these chunks, where several cuts are repaired on them.
        progress: told after each half layer how many are done.

    Raises:
        BadInputError: There are fewer than two chunks, they differ in length, or they name tokens
            that the model has not; or the model does not compute numbers on them.
        ResourceError: There is no room for the scratch files.
    """
    tokens = _checked(chunks, full.vocabulary_rows)
    places = {kept.index: place for place, kept in enumerate(plan.layers)}
    total = 2 * full.facts.layers
    quiet = np.errstate(over="ignore", invalid="ignore")  # what is no number is told in words
    with quiet, _streams(tokens, _embedding(full)) as (target, stream):
        work = _Restoration(Forward.of(full), target, stream, {}, [])
        work.known = None if streams is None else iter(streams)
        pairs = _pairs(full, cut, places)
        for done, (layer, was, now) in enumerate(pairs, 1):
            if now is None:
                work.advance(was)
            else:
                work.repair(was, now, layer, places[layer])
            if progress is not None:
                progress(done, total)
    return Restored(work.weights, tuple(work.gains), tokens.size)


def full_streams(full: Model, chunks: Sequence[Sequence[int]]) -> list[Floats]:
    """The full model's residual stream after each half layer, (chunks, tokens, width), in memory.

    Raises:
        BadInputError: As `restore` says of the chunks.
        ResourceError: There is no room for the scratch files.
    """
    tokens = _checked(chunks, full.vocabulary_rows)
    found: list[Floats] = []
    quiet = np.errstate(over="ignore", invalid="ignore")
    with quiet, _streams(tokens, _embedding(full)) as (target, stream):
        work = _Restoration(Forward.of(full), target, stream, {}, [])
        for _, half, _ in _pairs(full, full, {}):
            work.advance(half)
            found.append(np.array(target))
    return found


class _Sums:
    """Moments of what is fitted to and of what is held out."""

    def __init__(self, shape: tuple[int, ...], chunks: int) -> None:
        outputs, inputs = shape
        self.seen, self.held_out = Moments(inputs, outputs), Moments(inputs, outputs)
        self._period = min(_HELD_OUT, chunks)
        self._power = 0.0

    def add(self, first: int, inputs: Floats, missing: Floats, right: Floats) -> None:
        """Count a batch in, whose first chunk has the number `first`."""
        numbers = np.arange(first, first + len(inputs))
        held_out = numbers % self._period == self._period - 1
        if held_out.any():
            self.held_out.add(inputs[held_out], missing[held_out])
            self._power += float(np.square(right[held_out], dtype=np.float64).sum())
        if not held_out.all():
            self.seen.add(inputs[~held_out], missing[~held_out])

    def fitted(self, layer: int) -> Fit:
        """The best step.

        Raises:
            BadInputError: What was counted are no numbers.
        """
        if not np.isfinite([self.seen.power, self.held_out.power, self._power]).all():
            raise BadInputError(
                f"Layer {layer} does not compute numbers on this text (NaN or infinite), so the "
                "model is damaged or needs more than float32; fetch it again."
            )
        return fit(self.seen, self.held_out)

    def gain(self, found: Fit, layer: int, part: str) -> Gain:
        """What a fit is worth, in shares of what should be there."""
        power = max(self._power, np.finfo(np.float32).tiny)
        return Gain(layer, part, found.before / power, found.after / power, found.ridge)


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
    known: Iterator[Floats] | None = None
    """The full model's stream after each half, where it was computed before."""

    def advance(self, half: Half) -> None:
        """Take the full model's stream past a half."""
        if self.known is not None:
            self.target = next(self.known)
            return
        for batch in self._batches():
            self.target[batch] += written(half, self._features(half, self.target[batch]))

    def repair(self, was: Half, now: Half, layer: int, place: int) -> None:
        """Take both streams past a half, the cut model's with its matrices refitted."""
        self._turn_readers(was, now, layer, place)
        self.advance(was)
        writer = f"{now.writer}.weight"
        sums = _Sums(now.weights[writer].shape, len(self.stream))
        kept: dict[int, Floats] = {}
        room = _KEPT // (4 * sums.seen.inputs * self.stream.shape[1])
        for batch in self._batches():
            features = self._features(now, self.stream[batch])
            missing = self.target[batch] - self.stream[batch] - written(now, features)
            sums.add(batch.start, features, missing, self.target[batch])
            if batch.stop <= room:
                kept[batch.start] = features
        found = sums.fitted(layer)
        if found.step is not None:
            self._replace(now, place, writer, now.weights[writer] + found.step)
        self.gains.append(sums.gain(found, layer, now.writer))
        for batch in self._batches():
            known = kept.get(batch.start)
            features = self._features(now, self.stream[batch]) if known is None else known
            self.stream[batch] += written(now, features)

    def _turn_readers(self, was: Half, now: Half, layer: int, place: int) -> None:
        width = self.stream.shape[-1]
        sums = _Sums((width, width), len(self.stream))
        for batch in self._batches():
            right = self.forward.normed(was, self.target[batch])
            seen = self.forward.normed(now, self.stream[batch])
            sums.add(batch.start, seen, right - seen, right)
        found = sums.fitted(layer)
        if found.step is not None:
            for name in (f"{reader}.weight" for reader in now.readers):
                old = now.weights[name]
                self._replace(now, place, name, old + old @ found.step)
        self.gains.append(sums.gain(found, layer, now.norm.removesuffix(".weight")))

    def _replace(self, now: Half, place: int, name: str, values: Floats) -> None:
        now.weights[name] = self.weights[f"blk.{place}.{name}"] = values

    def _features(self, half: Half, x: Floats) -> Floats:
        return self.forward.features(half, self.forward.normed(half, x))

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
        del table  # as large as the vocabulary, and not needed again
        yield made[0], made[1]
