"""Questions a second with shared prompts, against a full prompt for each option.

    python -m tests.bench.evaluate_bench MODEL.gguf --data FILE… [--questions 24] [--rounds 7]
        [--threads 1] [--no-template] [--memory 100 1000]

Both ways score the same option texts with the same tokens and compute only the logits they need;
the plain way runs each prompt with each option from its first token on, alone. They take turns,
round by round, on other questions in each, and the median of the rounds' ratios counts; the bar is
2.5. `--memory` runs the evaluation itself on so many questions, each in a process of its own, and
prints the most memory that it held.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.errors import BedsideError
from converter.branches import Branches, Step
from converter.evaluate.batches import lay_out
from converter.evaluate.evaluation import Settings
from converter.evaluate.material import gather
from converter.evaluate.prompts import Asked, Prompts
from converter.evaluate.question import QuestionSet
from converter.evaluate.run import Candidate, run
from converter.evaluate.scoring import likelihoods
from converter.evaluate.sets import read_sets
from converter.measure import negative_log_likelihood
from converter.opened import OpenedModel
from tests.bench.statistics import median

BAR = 2.5
Sums = list[tuple[float, ...]]


def shared(model: OpenedModel, questions: Sequence[Asked], threads: int) -> tuple[Sums, float]:
    """Every option's likelihood as Bedside computes it, and the seconds that it took."""
    layout = lay_out(questions, model.trained, writes=False)
    with Branches(model, cells=layout.cells, threads=threads) as branches:
        begun = time.perf_counter()
        branches.hold(layout.head)
        found: Sums = []
        for batch in layout.batches(questions):
            found += likelihoods(branches, len(layout.head), batch)
        return found, time.perf_counter() - begun


def plain(model: OpenedModel, questions: Sequence[Asked], threads: int) -> tuple[Sums, float]:
    """The same with a full prompt for each option."""
    cells = max(one.length for one in questions)
    with Branches(model, cells=cells, threads=threads) as branches:
        begun = time.perf_counter()
        found = [
            tuple(_alone(branches, one, ending) for ending in one.endings) for one in questions
        ]
        return found, time.perf_counter() - begun


def _alone(branches: Branches, asked: Asked, ending: list[int]) -> float:
    branches.hold([])
    branches.start(0)
    first = len(asked.prompt) - 1
    tokens = [*asked.prompt, *ending[:-1]]
    logits = branches.run(
        [Step(token, place, (1,), place >= first) for place, token in enumerate(tokens)]
    )
    return -float(negative_log_likelihood(logits, np.array(ending)).sum())


def compare(path: Path, asked: QuestionSet, options: argparse.Namespace) -> None:
    """Print one set's line."""
    settings = Settings(mode="text", template=options.template)
    ratios, speeds, furthest = [], [], 0.0
    with OpenedModel(path) as model:
        prompts = Prompts(model, gather(asked, settings), settings)
        for number in range(options.rounds):
            drawn = asked.questions[number :: max(1, len(asked.questions) // options.questions)]
            questions = [prompts.asked(question) for question in drawn[: options.questions]]
            questions = [one for one in questions if one.length <= model.trained]
            ways = (shared, plain) if number % 2 else (plain, shared)
            results = {way: way(model, questions, options.threads) for way in ways}
            (ours, fast), (theirs, slow) = results[shared], results[plain]
            both = zip(sum(ours, ()), sum(theirs, ()), strict=True)
            furthest = max(furthest, *(abs(one - other) for one, other in both))
            ratios.append(slow / fast)
            speeds.append((len(questions) / fast, len(questions) / slow))
    rates = [median(column).value for column in zip(*speeds, strict=True)]
    found = median(ratios)
    print(
        f"{asked.task}: {rates[0]:.2f} questions a second, plain {rates[1]:.2f}; ratio {found}; "
        f"bar {BAR}: {found.verdict(BAR)}; sums differ by {furthest:.2g} nats at most",
        flush=True,
    )


def peak(path: Path, data: Path, count: int, threads: int) -> None:
    """In a process of its own: evaluate, and print the most memory held."""
    (asked,) = read_sets([data])
    settings = Settings(mode="text", limit=count)
    run(Candidate.of(path), gather(asked, settings), settings, threads=threads)
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def _memory(options: argparse.Namespace, data: Path) -> None:
    for count in options.memory:
        task = ["--peak", str(count), str(options.model), "--data", str(data)]
        command = [sys.executable, "-m", "tests.bench.evaluate_bench", *task]
        command += ["--threads", str(options.threads)]
        ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        held = json.loads(ended.stdout.splitlines()[-1])
        print(f"{data.name}: {count:,} questions, at most {held / 1e6:,.1f} MB held", flush=True)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--questions", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--template", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--memory", type=int, nargs="*", default=[])
    parser.add_argument("--peak", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        if options.peak:
            peak(options.model, options.data[0], options.peak, options.threads)
            return
        for asked in read_sets(options.data) if options.rounds else ():
            compare(options.model, asked, options)
        for data in options.data:
            _memory(options, data)
    except BedsideError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
