"""Makes and measures every file of a comparison, one at a time, so that one alone takes up disk."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from app.engine.modelfile import bits_per_weight, parameters, read_header
from app.errors import BadInputError
from app.files import passing
from converter.compare.overlap import check_held_out
from converter.compare.table import Corpus, Role, Row, Score, Table
from converter.cut.measuring import Calibration
from converter.cut.source import source_hash
from converter.export import Imatrix, lay_out, write
from converter.files import whole_file
from converter.material import CALIBRATED, IMPORTANCE, Material, open_material
from converter.measure import Perplexity, Windows, perplexity
from converter.quantise import FileType
from converter.speed import measure_speed
from converter.stages import Workshop, measured, runnable, tool, words
from converter.texts import Document

LADDER = (
    FileType.Q8_0, FileType.Q6_K, FileType.Q5_K_M, FileType.Q5_K_S, FileType.Q4_K_M,
    FileType.Q4_K_S, FileType.Q3_K_L, FileType.Q3_K_M, FileType.Q3_K_S, FileType.Q2_K,
)  # fmt: skip
"""What anyone gets from the full model without measuring anything."""
WEIGHED = (
    FileType.Q5_K_M, FileType.Q4_K_M, FileType.Q4_K_S, FileType.IQ4_XS, FileType.Q3_K_M,
    FileType.IQ3_M, FileType.IQ3_S, FileType.IQ3_XS, FileType.IQ3_XXS, FileType.Q2_K,
    FileType.IQ2_M, FileType.IQ2_S, FileType.IQ2_XS, FileType.IQ2_XXS,
)  # fmt: skip
"""What anyone gets from it with an importance matrix."""


_FORM = 2
"""Of a remembered perplexity; one of another form is measured again."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A text to measure on."""

    name: str
    documents: Sequence[Document]


@dataclass(frozen=True, slots=True)
class Trial:
    """What is compared, and how."""

    candidates: Sequence[Path]
    full: Path
    """A checkpoint folder or an unquantised GGUF file."""
    texts: Sequence[HeldOut]
    windows: Windows
    calibration: Calibration | None
    """What importance is measured on; without it there are no rows by importance."""
    speed: bool = True
    ladder: Sequence[FileType] = LADDER
    weighed: Sequence[FileType] = WEIGHED


def compare(trial: Trial, shop: Workshop) -> Table:
    """Measure the candidates, the full model and its own ladder.

    Raises:
        BadInputError: a text was calibrated on, a candidate's own calibration included; or a model
            cannot be read or run.
    """
    trial.windows.check()
    overlaps = [_checked(trial, text) for text in trial.texts]
    work = _Work(trial, shop, source_hash(trial.full))
    rows = tuple(work.rows())
    first = {text: work.corpora[text] for text in range(len(trial.texts))}
    sources = [] if trial.calibration is None else trial.calibration.sources
    return Table(
        rows=rows,
        corpora=tuple(
            Corpus(
                name=text.name,
                sha256=text.documents[0].source.sha256,
                chunks=first[number].chunks,
                tokens=first[number].tokens,
                overlap=overlaps[number],
            )
            for number, text in enumerate(trial.texts)
        ),
        context=trial.windows.context,
        full=trial.full.name,
        full_sha256=work.sha256,
        calibration=tuple(source.sha256 for source in sources),
        versions={name: version(name) for name in ("llama-cpp-python", "numpy")},
    )


def _checked(trial: Trial, text: HeldOut) -> float | None:
    """The overlap with what was calibrated on; refused where it is one.

    A candidate's file names the texts it was calibrated on by their hashes.
    """
    for candidate in trial.candidates:
        told = read_header(candidate).metadata.get(CALIBRATED)
        if isinstance(told, str) and text.documents[0].source.sha256 in told:
            raise BadInputError(
                f"{candidate.name} was calibrated on {text.name}, so that text measures nothing; "
                "name one that was held out."
            )
    if trial.calibration is None:
        return None
    known = (*trial.calibration.domain, *trial.calibration.general)
    return check_held_out(text.documents, known)


class _Work:
    """One comparison on its way."""

    def __init__(self, trial: Trial, shop: Workshop, sha256: str) -> None:
        self.trial, self.shop, self.sha256 = trial, shop, sha256
        self.source: dict[str, object] = {"source": sha256}
        """What of the full model decides a perplexity."""
        self.corpora: dict[int, Perplexity] = {}
        """By the text's number: how the first file was scored on it; all are alike but in value."""

    def rows(self) -> Iterator[Row]:
        """Full model, ladder, ladder by importance, candidates."""
        full = runnable(self.shop, self.trial.full, self.sha256)
        sha256 = self.sha256 if full == self.trial.full else source_hash(full)
        material = open_material(self.trial.full)
        self.source |= words(material.vocabulary)
        yield self._row(full, "full model", "full", self.source, sha256)
        for file_type in self.trial.ladder:
            yield self._made(material, file_type, None)
        if self.trial.calibration is not None:
            found = measured(
                self.shop,
                full,
                self.sha256,
                self.trial.calibration,
                label="Measuring importance of the full model",
            )
            for file_type in self.trial.weighed:
                yield self._made(material, file_type, found.imatrix)
        for path in self.trial.candidates:
            sha256 = source_hash(path)
            yield self._row(path, path.stem, "candidate", {"source": sha256}, sha256)

    def _made(self, material: Material, file_type: FileType, imatrix: Imatrix | None) -> Row:
        """A file of the full model, made for as long as it is measured."""
        name = file_type.name if imatrix is None else f"{file_type.name} by importance"
        layout = lay_out(material, file_type, imatrix=imatrix)
        weighed = [one.value for one in layout.fields if one.key == IMPORTANCE]
        inputs: dict[str, object] = {
            **self.source,
            "type": file_type.name,
            "importance": weighed,
        }
        self.shop.cache.make_folder()
        with passing(self.shop.cache.folder, f"{file_type.name}.gguf") as path:
            with self.shop.progress(f"Quantising to {name}") as advance:
                write(layout, path, threads=self.shop.threads, progress=advance)
            role: Role = "ladder" if imatrix is None else "weighed"
            return self._row(path, name, role, inputs, source_hash(path))

    def _row(
        self, path: Path, name: str, role: Role, inputs: dict[str, object], sha256: str
    ) -> Row:
        header = read_header(path)
        scores = []
        for number, text in enumerate(self.trial.texts):
            found = self._score(path, name, text, inputs)
            self.corpora.setdefault(number, found)
            scores.append(Score(found.value, found.error, found.window_nlls))
        threads = self.shop.threads
        return Row(
            name=name,
            role=role,
            nbytes=header.file_bytes,
            bits_per_weight=bits_per_weight(header),
            parameters=parameters(header),
            scores=tuple(scores),
            sha256=sha256,
            speed=measure_speed(path, threads=threads) if self.trial.speed else None,
        )

    def _score(self, path: Path, name: str, text: HeldOut, inputs: dict[str, object]) -> Perplexity:
        """The perplexity of a file, remembered by what the file was made from."""

        def run(part: Path) -> None:
            with self.shop.progress(f"{name} on {text.name}") as advance:
                found = perplexity(
                    path,
                    text.documents,
                    self.trial.windows,
                    threads=self.shop.threads,
                    progress=advance,
                )
            with whole_file(part) as file:
                file.write(json.dumps(dataclasses.asdict(found)).encode())

        source = text.documents[0].source
        known = {
            **inputs,
            "form": _FORM,
            "text": [source.sha256, source.field],
            "windows": dataclasses.asdict(self.trial.windows),
            **tool(),
        }
        entry = self.shop.cache.get("perplexity", ".json", known, run)
        told = json.loads(entry.read_text())
        return Perplexity(**{**told, "window_nlls": tuple(told["window_nlls"])})
