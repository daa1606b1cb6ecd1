"""One run over text: the chunks chosen, the model run, what was seen put together.

What text is chosen decides what stays: RESULTS.md beside this file shows how much.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.engine.header import Header
from app.engine.modelfile import read_header
from app.errors import BadInputError, ResourceError, UsageError
from app.sanitise import one_line
from converter.cut.collect import Collector, Products
from converter.cut.saliency import Saliency
from converter.cut.shelf import Matrix, Shelf
from converter.progress import Advance
from converter.runner import Runner
from converter.texts import Document, Mixed, Sample, TextSource, mix

READS = ("llama", "deci")
"""Architectures whose graphs are understood."""
MEMORY = 4 << 30
"""Bytes that covariances may take while they are summed, in float64, where nothing else is said."""
_COVARIANCES = ("attn_output", "ffn_down")
"""The weights of a layer whose input's covariance is kept, in the order of the graph."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The texts of a run."""

    domain: Sequence[Document]
    general: Sequence[Document]
    sample: Sample

    @property
    def sources(self) -> tuple[TextSource, ...]:
        """Every file once."""
        return tuple(dict.fromkeys(item.source for item in (*self.domain, *self.general)))


def measure(
    model: Path,
    sha256: str,
    calibration: Calibration,
    *,
    covariances: Collection[int] = (),
    memory: int = MEMORY,
    threads: int = 0,
    progress: Advance | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Saliency:
    """Run the model over the text and return what its parts did.

    Covariances that do not go into memory together are summed in several passes over the text, a
    few layers each, and wait for the others in a scratch file.

    Args:
        model: a GGUF file of the Llama family.
        sha256: `source_hash` of the model that the person named.
        calibration: the texts and how much of them.
        covariances: layers of which the input of `ffn_down` and `attn_output` is kept as XᵀX.
        memory: bytes that the sums of one pass may take.
        threads: how many to use; 0 for one per CPU.
        progress: told after each chunk how many tokens are measured.
        stopped: asked before each chunk; the run ends there with what it has.

    Raises:
        BadInputError: the model is of another family, computes NaN, or the text is too short.
        ResourceError: one layer's covariances need more memory, or the scratch file more disk.
    """
    header = read_header(model)
    shapes = _measured_weights(header, model)
    first, *others = _passes(shapes, layer_count(header), covariances, memory)
    watch = Collector(shapes, layer_count(header), Products(first))
    length = calibration.sample.length
    with Runner(model, length=length, threads=threads, watch=watch) as runner:
        mixed = mix(
            calibration.domain,
            calibration.general,
            calibration.sample,
            runner.tokenise,
            runner.bos,
        )
        work = _Work(mixed.chunks, 1 + len(others), progress, stopped)
        work.run(runner)
    if not work.done:
        raise BadInputError(
            "No text was measured: it has too few words for the ratio asked for, or the run was "
            "stopped before its first chunk. Give more text."
        )
    found: Mapping[str, Matrix] = dict(watch.products.means())
    if others:
        found = shelf = _laid_down(found)
        for sides in others:
            if stopped():
                break
            products = Products(sides)
            with Runner(model, length=length, threads=threads, watch=products) as runner:
                work.run(runner)
            for name, matrix in products.means():
                shelf.put(name, matrix)
    return _put_together(header, watch, sha256, calibration, mixed, found, work.complete)


class _Work:
    """The chunks, run once or several times."""

    def __init__(
        self,
        chunks: Sequence[Sequence[int]],
        passes: int,
        progress: Advance | None,
        stopped: Callable[[], bool],
    ) -> None:
        self._chunks, self._progress, self._stopped = chunks, progress, stopped
        self._total = passes * sum(map(len, chunks))
        self.done = 0
        """Tokens, in all passes."""

    @property
    def complete(self) -> bool:
        """Whether nobody stopped it."""
        return self.done == self._total

    def run(self, runner: Runner) -> None:
        """One pass, or as much of it as nobody stops."""
        for chunk in self._chunks:
            if self._stopped():
                return
            runner.run(chunk)
            self.done += len(chunk)
            if self._progress is not None:
                self._progress(self.done, self._total)


def _measured_weights(header: Header, model: Path) -> dict[str, int]:
    if header.architecture not in READS:
        raise BadInputError(
            f"{one_line(model.name)} is a {one_line(header.architecture, 40)} model; saliency is "
            f"measured for the Llama family ({', '.join(READS)})."
        )
    return weight_rows(header)


def _passes(
    shapes: Mapping[str, int], layers: int, covariances: Collection[int], memory: int
) -> list[dict[str, int]]:
    """For each pass the weights whose covariance it sums, with their sides; at least one pass."""
    passes: list[dict[str, int]] = [{}]
    for layer in sorted(set(covariances)):
        names = [f"blk.{layer}.{part}.weight" for part in _COVARIANCES]
        if any(name not in shapes for name in names):
            raise UsageError(
                f"The model has layers 0 to {layers - 1}; choose covariances of those."
            )
        sides = {name: shapes[name] for name in names}
        if _bytes(sides) > memory:
            raise ResourceError(
                f"The covariances of layer {layer} need {_bytes(sides) / 1e9:.1f} GB of memory, "
                f"and {memory / 1e9:.1f} GB are allowed; allow more with --memory."
            )
        if _bytes(passes[-1]) + _bytes(sides) > memory:
            passes.append({})
        passes[-1] |= sides
    return passes


def _bytes(sides: Mapping[str, int]) -> int:
    return sum(8 * side**2 for side in sides.values())


def _laid_down(found: Mapping[str, Matrix]) -> Shelf:
    shelf = Shelf.scratch()
    for name, matrix in found.items():
        shelf.put(name, matrix)
    return shelf


def layer_count(header: Header) -> int:
    """How many layers the model has; a header that was read states it."""
    return int(str(header.setting("block_count")))


def weight_rows(header: Header) -> dict[str, int]:
    """The matrices whose input is measured, each with the length of its rows.

    A tied head stands under the name of the token table.
    """
    head = "output.weight" if header.tensor("output.weight") else "token_embd.weight"
    return {
        tensor.name: tensor.shape[0]
        for tensor in header.tensors
        if len(tensor.shape) == 2
        and (tensor.name == head or re.fullmatch(r"blk\.\d+\..+\.weight", tensor.name))
    }


def _put_together(
    header: Header,
    watch: Collector,
    sha256: str,
    calibration: Calibration,
    mixed: Mixed,
    covariances: Mapping[str, Matrix],
    complete: bool,
) -> Saliency:
    heads = header.setting("attention.head_count")
    counts = heads if isinstance(heads, tuple) else (heads,) * watch.layers
    return Saliency(
        model_sha256=sha256,
        sources=calibration.sources,
        tokens=watch.tokens,
        chunk=calibration.sample.length,
        layers=tuple(watch.layer(n, int(str(counts[n]))) for n in range(watch.layers)),
        input_squares=watch.squares(),
        spans=watch.spans(),
        covariances=covariances,
        domain_share=mixed.share,
        seed=calibration.sample.seed,
        complete=complete,
    )
