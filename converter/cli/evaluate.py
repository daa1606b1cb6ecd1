"""`bedside-convert evaluate`: how well a model answers multiple-choice questions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from converter.cli.options import Threads, check_partners

if TYPE_CHECKING:
    from converter.evaluate.evaluation import Evaluation, Settings
    from converter.evaluate.material import Material
    from converter.evaluate.passages import Retrieved
    from converter.evaluate.question import QuestionSet
    from converter.evaluate.resume import Kept
    from converter.evaluate.run import Candidate


def evaluate(  # noqa: PLR0913 - each parameter is an option of the command
    model: Annotated[Path, typer.Argument(metavar="MODEL.gguf", help="The file to ask.")],
    data: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Questions, as published or in the compact form, also in .gz; may be repeated.",
        ),
    ],
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,…",
            help="medqa, medmcqa, pubmedqa or a described set; what the files must hold.",
        ),
    ] = None,
    describe: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE.toml", help="Which fields another set has; may be repeated."),
    ] = None,
    mode: Annotated[
        str,
        typer.Option(
            help="letter: the likelihood of each option's letter (or of yes, no, maybe); text: "
            "that of its text; write: what the model writes.",
        ),
    ] = "letter",
    normalise: Annotated[
        bool, typer.Option(help="With --mode text: divide each likelihood by the option's bytes.")
    ] = True,
    template: Annotated[bool, typer.Option(help="Use the model's chat template.")] = True,
    system: Annotated[str, typer.Option(help="The system message, with the template.")] = "",
    context: Annotated[
        str,
        typer.Option(
            help="published: before a question stands what was published with it; none: nothing; "
            "reference: what --passages holds.",
        ),
    ] = "published",
    passages: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Retrieved passages: JSON lines of id and passages."),
    ] = None,
    shots: Annotated[int, typer.Option(min=0, max=1000, help="Worked examples.")] = 0,
    train: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Where they are drawn from; may be repeated."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Questions at most; 0 for all.")
    ] = 0,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Draws questions and examples.")
    ] = 0,
    context_tokens: Annotated[
        int,
        typer.Option(
            min=0, max=2**31 - 1, help="Tokens at most; 0 for what the model was trained on."
        ),
    ] = 0,
    write_tokens: Annotated[
        int, typer.Option(min=1, max=65536, help="With --mode write: tokens of an answer.")
    ] = 64,
    threads: Threads = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="NAME", help="Write NAME.json, .md, plots and the errors."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was interrupted.")
    ] = False,
) -> None:
    """Ask multiple-choice questions and set the answers beside what guessing gives."""
    from converter.evaluate.evaluation import Mode, Passages, Settings
    from converter.evaluate.passages import read_passages
    from converter.evaluate.publish import check_outputs
    from converter.evaluate.run import Candidate

    check_partners(
        {
            "--resume": (resume, "-o NAME", out is not None),
            "--system": (bool(system), "--template", template),
            "--train": (bool(train), "--shots", shots > 0),
        }
    )
    forms = describe or []
    if out is not None:
        read = (*data, *(train or []), *forms, *([passages] if passages else []), model)
        check_outputs(out, read)
    settings = Settings(
        mode=_one_of("--mode", mode, get_args(Mode)),
        normalised=normalise,
        template=template,
        passages=_one_of("--context", context, get_args(Passages)),
        shots=shots,
        system=system,
        limit=limit,
        seed=seed,
        context=context_tokens,
        write_tokens=write_tokens,
    )
    retrieved = read_passages(passages) if passages else None
    materials = _materials(
        _asked(data, task, forms), _sets(train or [], forms, repeats=True), settings, retrieved
    )
    session = _Session(Candidate.of(model), settings, threads, out, resume)
    evaluations = [session.ask(material) for material in materials]
    with session.keeping():
        _tell(evaluations, materials, out)
    session.forget(materials)


def _one_of(option: str, value: str, known: Sequence[str]) -> Any:
    from app.errors import UsageError
    from app.sanitise import one_line

    if value not in known:
        raise UsageError(
            f"There is no {option} {one_line(value, 40)}; there are {', '.join(known)}."
        )
    return value


def _sets(
    paths: Sequence[Path], describe: Sequence[Path], *, repeats: bool = False
) -> list[QuestionSet]:
    from converter.evaluate.described import read_description
    from converter.evaluate.sets import read_sets

    forms = [read_description(path).form() for path in describe]
    return read_sets(paths, forms, repeats=repeats)


def _asked(data: Sequence[Path], task: str | None, describe: Sequence[Path]) -> list[QuestionSet]:
    """The sets of the data files, which must be those of --task, in its order."""
    from app.errors import BadInputError
    from app.sanitise import one_line

    found = {one.task: one for one in _sets(data, describe)}
    wanted = list(dict.fromkeys(name.strip() for name in task.split(","))) if task else list(found)
    if set(wanted) != set(found):
        raise BadInputError(
            f"The files hold {', '.join(found)}, but --task says "
            f"{one_line(', '.join(wanted), 80)}; name the files of what is asked, and no others."
        )
    return [found[name] for name in wanted]


def _materials(
    asked: Sequence[QuestionSet],
    train: Sequence[QuestionSet],
    settings: Settings,
    retrieved: Retrieved | None,
) -> list[Material]:
    from converter.evaluate.material import gather

    examples = {one.task: one for one in train}
    materials = [gather(one, settings, examples.get(one.task), retrieved) for one in asked]
    for material in materials:
        if material.left_out:
            typer.echo(
                f"{material.left_out:,} training questions of {material.questions.task} are asked "
                "themselves, so none of them is an example.",
                err=True,
            )
    return materials


def _tell(
    evaluations: Sequence[Evaluation], materials: Sequence[Material], out: Path | None
) -> None:
    from converter.evaluate.publish import write_analysis, write_report
    from converter.evaluate.report import terminal

    for line in terminal(evaluations):
        typer.echo(line)
    if out is not None:
        write_report(out, evaluations)
        asked = [material.questions for material in materials]
        write_analysis(out, list(zip(evaluations, asked, strict=True)))


@dataclass(frozen=True, slots=True)
class _Session:
    """What all sets of one command have in common."""

    candidate: Candidate
    settings: Settings
    threads: int
    out: Path | None
    resume: bool

    def ask(self, material: Material) -> Evaluation:
        """Ask a set; with an output, every batch is kept, and a stop says how to go on."""
        from app.sanitise import one_line
        from converter.evaluate.resume import Kept
        from converter.evaluate.run import asked_for

        if self.out is None:
            return self._run(material, None)
        path = self._kept(self.out, material)
        asked = asked_for(self.candidate, material, self.settings)
        with Kept(path, asked, resume=self.resume) as kept:
            if kept.torn:
                name = one_line(path.name)
                typer.echo(f"The end of {name} was torn and is asked again.", err=True)
            try:
                return self._run(material, kept)
            except (KeyboardInterrupt, SystemExit):
                typer.echo(
                    f"Stopped. {kept.count:,} of {len(material.questions.questions):,} answers are "
                    f"kept in {one_line(path.name)}; the same command with --resume goes on.",
                    err=True,
                )
                raise

    def _run(self, material: Material, kept: Kept | None) -> Evaluation:
        from converter.cli.progress import progress_bar
        from converter.evaluate.run import run

        with progress_bar(f"Asking {material.questions.task}", 1) as advance:
            return run(
                self.candidate,
                material,
                self.settings,
                threads=self.threads,
                kept=kept,
                progress=advance,
            )

    @contextlib.contextmanager
    def keeping(self) -> Iterator[None]:
        """Say where the answers are when the report cannot be written: hours may be in them."""
        from app.errors import ResourceError

        try:
            yield
        except ResourceError as error:
            raise ResourceError(
                f"{error} The answers are all kept beside it; the same command with --resume "
                "writes the report."
            ) from error

    def forget(self, materials: Sequence[Material]) -> None:
        """Take away what was kept: it is in the report."""
        if self.out is not None:
            for material in materials:
                self._kept(self.out, material).unlink(missing_ok=True)

    def _kept(self, out: Path, material: Material) -> Path:
        return out.with_name(f"{out.name}-{material.questions.task}.part.jsonl")
