"""The stages that several commands share, each kept in the cache under what it was made from."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from converter.cache import Cache
from converter.checkpoint.gguf import open_gguf
from converter.cut.measuring import MEMORY, Calibration, measure
from converter.cut.saliency import Saliency
from converter.cut.saliency_file import VERSION, read_saliency, write_saliency
from converter.export import lay_out, write
from converter.header import pack_header
from converter.material import Material, open_material
from converter.metadata import Field
from converter.progress import Advance
from converter.texts import Document

Progress = Callable[[str], AbstractContextManager[Advance]]
"""Shows a stage by its label, and is told how far it is."""


def silent(label: str) -> AbstractContextManager[Advance]:
    """Shows nothing."""
    return nullcontext(lambda done, total: None)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where and how the stages work."""

    cache: Cache
    threads: int
    progress: Progress = silent
    memory: int = MEMORY
    """Bytes that the sums of one pass over text may take; more passes are made for more."""


def runnable(shop: Workshop, model: Path, sha256: str) -> Path:
    """A GGUF file that llama.cpp runs: the file itself, or the checkpoint with nothing lost."""
    if not model.is_dir():
        return model
    material = open_material(model)

    def convert(part: Path) -> None:
        with shop.progress("Converting") as advance:
            layout = lay_out(material, material.lossless)
            write(layout, part, threads=shop.threads, progress=advance)

    inputs = {"source": sha256, **told(material), **tool()}
    return shop.cache.get("model", ".gguf", inputs, convert)


def measured(
    shop: Workshop,
    model: Path,
    sha256: str,
    calibration: Calibration,
    *,
    label: str = "Measuring saliency",
    covariances: Collection[int] = (),
) -> Saliency:
    """What the model's parts did on the text.

    Args:
        shop: where to work.
        model: the GGUF file to run.
        sha256: its identity, or that of the checkpoint it was made from.
        calibration: the text.
        label: what a person is told meanwhile.
        covariances: layers whose second moments are kept too.
    """

    def run(part: Path) -> None:
        with shop.progress(label) as advance:
            found = measure(
                model,
                sha256,
                calibration,
                covariances=covariances,
                memory=shop.memory,
                threads=shop.threads,
                progress=advance,
            )
            write_saliency(part, found)

    inputs = {
        "source": sha256,
        **words(open_gguf(model).fields),
        **text_inputs(calibration),
        "covariances": sorted(covariances),
        "form": VERSION,
        **tool(),
    }
    return read_saliency(shop.cache.get("saliency", ".gguf", inputs, run))


def text_inputs(calibration: Calibration) -> dict[str, object]:
    """What a measurement on text depends on, beside the model."""
    return {
        "domain": _known(calibration.domain),
        "general": _known(calibration.general),
        "sample": dataclasses.asdict(calibration.sample),
    }


def told(material: Material) -> dict[str, object]:
    """What a file says beside its weights; the hash of a checkpoint does not tell of it."""
    return {"told": _hash((*material.general, *material.vocabulary))}


def words(fields: Iterable[Field]) -> dict[str, object]:
    """By what a text falls into tokens: all of a vocabulary but the chat template."""
    kept = (one for one in fields if one.key.startswith("tokenizer."))
    return {"words": _hash(one for one in kept if "chat_template" not in one.key)}


def tool() -> dict[str, object]:
    """What computes: another version may round or repair otherwise."""
    return {name: version(name) for name in ("bedside", "llama-cpp-python")}


def _hash(fields: Iterable[Field]) -> str:
    return hashlib.sha256(pack_header(tuple(fields), ())).hexdigest()


def _known(documents: Iterable[Document]) -> list[list[str | None]]:
    """The files of some documents by hash and field: where they lie does not matter."""
    sources = dict.fromkeys((one.source.sha256, one.source.field) for one in documents)
    return [list(source) for source in sources]
