"""A run: every question of a set asked of one model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from converter.branches import Branches
from converter.census import take_census
from converter.cut.source import source_hash
from converter.evaluate.batches import Layout, lay_out
from converter.evaluate.evaluation import Evaluation, Settings
from converter.evaluate.material import Material
from converter.evaluate.outcome import Outcome
from converter.evaluate.prompts import Asked, Prompts
from converter.evaluate.resume import Kept
from converter.evaluate.scoring import score
from converter.evaluate.writing import write
from converter.opened import OpenedModel
from converter.progress import Advance


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that is asked."""

    path: Path
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Candidate:
        """A GGUF file with its hash. Raises BadInputError where it cannot be read."""
        return cls(path, source_hash(path))


def asked_for(candidate: Candidate, material: Material, settings: Settings) -> dict[str, Any]:
    """Everything that outcomes depend on, in JSON's types, by names that a sentence can use."""
    retrieved = material.retrieved
    return {
        "task": material.questions.task,
        "model file": candidate.sha256,
        "data file": material.questions.sha256,
        "training file": material.train_sha256,
        "passages file": retrieved.sha256 if retrieved else "",
        "versions": dict(versions()),
        **asdict(settings),
    }


def versions() -> Mapping[str, str]:
    """Of what computes the numbers."""
    return {name: version(name) for name in ("bedside", "llama-cpp-python", "numpy")}


def run(
    candidate: Candidate,
    material: Material,
    settings: Settings,
    *,
    threads: int = 0,
    kept: Kept | None = None,
    progress: Advance | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Evaluation:
    """Ask a model every question that was drawn.

    Args:
        candidate: a GGUF file.
        material: the questions, with what they are asked with.
        settings: how they are asked.
        threads: how many to use; 0 for one per CPU.
        kept: takes each batch's outcomes, and has those of earlier sittings.
        progress: told after each batch how many questions of this sitting are answered.
        clock: seconds.

    Raises:
        BadInputError: the model is none, or does not compute numbers.
        ResourceError: there is not the memory, or the disk is full.
    """
    begun = clock()
    earlier = kept.seconds if kept else 0.0
    outcomes = list(kept.outcomes) if kept else []
    done = len(outcomes)
    with OpenedModel(candidate.path) as model:
        prompts = Prompts(model, material, settings)
        context = min(model.trained, settings.context or model.trained)
        layout = lay_out(prompts.after(0), context, writes=settings.mode == "write")
        sitting = _Sitting(model, prompts, layout, settings, threads)
        for batch in sitting.answers(done):
            outcomes += batch
            if kept is not None:
                kept.append(batch, earlier + clock() - begun)
            if progress is not None:
                progress(len(outcomes) - done, layout.questions - done)
        census = take_census(
            (tensor.type.name, tensor.elements, tensor.bytes) for tensor in model.header.tensors
        )
    questions, retrieved = material.questions, material.retrieved
    return Evaluation(
        task=questions.task,
        labels=questions.labels,
        by_label=questions.by_label,
        model=candidate.path.name,
        model_sha256=candidate.sha256,
        census=census,
        data_sha256=questions.sha256,
        train_sha256=material.train_sha256,
        passages_sha256=retrieved.sha256 if retrieved else "",
        available=material.available,
        settings=prompts.applied,
        context=context,
        template=prompts.template,
        versions=versions(),
        seconds=earlier + clock() - begun,
        outcomes=tuple(outcomes),
    )


@dataclass(frozen=True, slots=True)
class _Sitting:
    """One run's part of the questions, put to an opened model."""

    model: OpenedModel
    prompts: Prompts
    layout: Layout
    settings: Settings
    threads: int

    def answers(self, done: int) -> Iterator[list[Outcome]]:
        """Batch by batch, without the first `done` questions, which were whole batches too."""
        if done == self.layout.questions:
            return
        with Branches(self.model, cells=self.layout.cells, threads=self.threads) as branches:
            branches.hold(self.layout.head)
            for batch in self.layout.batches(self.prompts.after(done)):
                yield self._answered(branches, batch)

    def _answered(self, branches: Branches, batch: Sequence[Asked]) -> list[Outcome]:
        fitting = [asked for asked in batch if self.layout.fits(asked)]
        head = len(self.layout.head)
        if not fitting:
            found = []
        elif self.settings.mode == "write":
            found = write(self.model, branches, head, fitting)
        else:
            found = score(branches, head, fitting, self.settings)
        answers = iter(found)
        return [next(answers) if self.layout.fits(one) else _too_long(one) for one in batch]


def _too_long(asked: Asked) -> Outcome:
    question = asked.question
    return Outcome(
        id=question.id,
        truth=question.answer,
        options=len(question.options),
        choice=None,
        scores=(),
        tokens=len(asked.prompt),
        fits=False,
        subject=question.subject,
    )
