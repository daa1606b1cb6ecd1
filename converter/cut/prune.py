"""The stage between a plan and a smaller model: the source opened, the plan matched, the repair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import BadInputError, UsageError
from app.sanitise import one_line
from converter.checkpoint import Checkpoint, open_checkpoint
from converter.cut.apply import cut
from converter.cut.plan import Plan
from converter.cut.restore import Restored, restore
from converter.cut.source import source_hash
from converter.material import Material, gather, open_material
from converter.progress import Advance
from converter.runner import Runner
from converter.texts import Document, Sample, mix, read_texts


@dataclass(frozen=True, slots=True)
class Source:
    """The model that is to be cut."""

    path: Path
    """A checkpoint folder or a GGUF file."""
    sha256: str
    material: Material
    checkpoint: Checkpoint | None
    """The folder's; None for a GGUF file."""


def open_source(path: Path, plan: Plan, *, dequantise: bool = False) -> Source:
    """Open the model that a plan was made for.

    Raises:
        BadInputError: It is another model, a damaged one, or quantised without leave to lose.
    """
    checkpoint = open_checkpoint(path) if path.is_dir() else None
    if checkpoint is None:
        material = open_material(path, dequantise=dequantise)
    else:
        material = gather(checkpoint)
    found = source_hash(path)
    if found != plan.source_sha256:
        raise BadInputError(
            f"The plan was made for another model than {one_line(str(path))} (its hash begins "
            f"{plan.source_sha256[:12]}, this model's {found[:12]}); make a plan for this one."
        )
    return Source(path, found, material, checkpoint)


def calibration_texts(
    plan: Plan, paths: Sequence[Path] = (), field: str | None = None
) -> list[Document]:
    """The texts to restore with: those named, or else the plan's own, as they were then.

    Raises:
        UsageError: The plan names no text and neither did the person.
        BadInputError: A text is gone, is no text, or has changed since the plan was made.
    """
    if paths:
        return read_texts(paths, field)
    if not plan.calibration:
        raise UsageError("The plan names no text to restore with; give one with --text.")
    documents: list[Document] = []
    for source in plan.calibration:
        found = read_texts([Path(source.path)], source.field)
        if found[0].source.sha256 != source.sha256:
            raise BadInputError(
                f"{one_line(source.path)} is not the text that the plan was made with; bring that "
                "one back, or name a text with --text."
            )
        documents += found
    return documents


def repair(
    source: Source,
    plan: Plan,
    documents: Sequence[Document],
    sample: Sample,
    *,
    words: Path,
    progress: Advance | None = None,
) -> Restored:
    """Restore the cut model on text.

    Args:
        source: the full model.
        plan: what stays of it.
        documents: the text.
        sample: how much of it is read.
        words: a GGUF file of the same model, by which llama.cpp tokenises the text.
        progress: told after each half layer how many are done.

    Raises:
        BadInputError: The text is too short, or the model of a kind that cannot be restored.
        ResourceError: There is no room for the scratch files.
    """
    with Runner(words, length=sample.length) as runner:
        mixed = mix(documents, (), sample, runner.tokenise, runner.bos)
    material = source.material
    smaller = cut(material, plan).model
    found = restore(material.model, smaller, plan, mixed.chunks, progress=progress)
    return replace(found, texts=tuple(dict.fromkeys(one.source.sha256 for one in documents)))
