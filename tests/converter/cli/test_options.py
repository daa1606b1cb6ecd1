"""Options that would do nothing are refused, and the shared ones mean the same everywhere."""

from __future__ import annotations

from inspect import signature
from typing import get_type_hints

import pytest

from converter.cli import app
from converter.cli.options import Threads
from tests.converter.cli.test_cli import run

CUTS = "--neurons, --heads, --layers, --bytes or --speed"


@pytest.mark.parametrize(
    ("command", "option", "partner"),
    [
        ("make m out.gguf --general more.txt", "--general", "--text"),
        ("make m out.gguf --field answer", "--field", "--text"),
        ("make m out.gguf --score random", "--score", CUTS),
        ("make m out.gguf --per-layer", "--per-layer", CUTS),
        ("make m out.gguf --plan p --per-layer", "--per-layer", CUTS),
        ("make m out.gguf --neurons .5 --layers-by block", "--layers-by", "--layers"),
        ("make m out.gguf -t F16 --tensor-type ffn=Q8_0", "--tensor-type", "a quantised --type"),
        ("convert m out.gguf -t F16 --tensor-type ffn=Q8_0", "--tensor-type", "a quantised --type"),
        ("convert m out.gguf -t BF16 --imatrix i", "--imatrix", "a quantised --type"),
        ("plan m s --neurons .5 --text t.txt", "--text", "--layers"),
        ("plan m s --neurons .5 --layers-by block", "--layers-by", "--layers"),
        ("prune m p out --text t.txt", "--text", "--restore"),
        ("prune m p out --restore --field answer", "--field", "--text"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    command: str, option: str, partner: str
) -> None:
    ended = run(*command.split())
    assert ended.exit_code == 2
    assert ended.stderr == f"{option} does nothing without {partner}; give both, or neither.\n"


COMPUTING = ("convert", "saliency", "plan", "prune", "make", "compare", "evaluate", "perplexity")


@pytest.mark.parametrize("name", COMPUTING)
def test_threads_mean_one_per_cpu_where_nothing_is_said(name: str) -> None:
    callbacks = (one.callback for one in app.registered_commands if one.callback is not None)
    (command,) = (one for one in callbacks if one.__name__ == name)
    assert get_type_hints(command, include_extras=True)["threads"] == Threads
    assert signature(command).parameters["threads"].default == 0
