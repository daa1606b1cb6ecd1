"""`bedside-convert prune` at its command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from converter.checkpoint import open_checkpoint
from converter.cli import app
from converter.cut.plan import Plan, write_plan
from converter.cut.source import source_hash
from converter.export import lay_out, write
from converter.quantise import FileType
from converter.texts import read_texts
from tests import llama
from tests.converter import gguffile
from tests.converter.checkpoints import Recipe, build
from tests.converter.cut.plans import layers, plan

RECIPE = Recipe(layers=2, width=64, neurons=512, heads=4, kv_heads=2, head_dim=16)
WORDS = "abcdefghijklmnopqrstuvwxyz"


def bedside(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["prune", *map(str, arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("prune") / "model", RECIPE)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    letters = np.random.default_rng(3).choice(list(WORDS), 4000)
    (tmp_path / "letters.txt").write_text("".join(letters))
    return tmp_path / "letters.txt"


@pytest.fixture
def even(folder: Path) -> Plan:
    return plan(layers(RECIPE, {0: 256, 1: 256}, {0: 1, 1: 1}), source_hash(folder))


def kept(path: Path, made: Plan) -> Path:
    write_plan(path, made)
    return path


def test_a_checkpoint_becomes_a_folder_and_a_file(folder: Path, even: Plan, tmp_path: Path) -> None:
    where = kept(tmp_path / "plan.json", even)
    told = bedside(folder, where, tmp_path / "cut")
    assert told.exit_code == 0, told.output
    assert "kept 2 of 2 layers, 512 of 1024 neurons, 2 of 4 head groups" in told.output
    assert json.loads((tmp_path / "cut" / "config.json").read_text())["intermediate_size"] == 256
    assert bedside(folder, where, tmp_path / "cut.gguf").exit_code == 0
    kinds = {kind for _, _, kind, _ in gguffile.tensors(tmp_path / "cut.gguf")}
    assert kinds == {"BF16", "F32"}


def test_a_gguf_file_is_cut_like_its_checkpoint(folder: Path, even: Plan, tmp_path: Path) -> None:
    full = tmp_path / "full.gguf"
    write(lay_out(open_checkpoint(folder), FileType.BF16), full, threads=1)
    uneven = replace(even, layers=layers(RECIPE, {0: 256}, {1: 1}))
    for source, name in ((folder, "a.gguf"), (full, "b.gguf")):
        made = replace(uneven, source_sha256=source_hash(source))
        told = bedside(source, kept(tmp_path / "plan.json", made), tmp_path / name, "--type", "F32")
        assert told.exit_code == 0, told.output
        assert "architecture deci" in told.output
    assert gguffile.tensors(tmp_path / "a.gguf") == gguffile.tensors(tmp_path / "b.gguf")
    a, b = gguffile.keys(tmp_path / "a.gguf"), gguffile.keys(tmp_path / "b.gguf")
    assert {key for key in a if a[key] != b.get(key)} == {"bedside.cut.source_sha256"}
    with llama.load(tmp_path / "b.gguf") as model:
        assert np.isfinite(model.logits([1, 2, 3])).all()


def test_a_file_can_be_cut_again(folder: Path, even: Plan, tmp_path: Path) -> None:
    """From uneven to even: the second cut makes a `llama` file and tells of itself alone."""
    uneven = replace(even, layers=layers(RECIPE, {0: 256}))
    bedside(folder, kept(tmp_path / "plan.json", uneven), tmp_path / "once.gguf")
    once = tmp_path / "once.gguf"
    again = replace(
        even,
        source_sha256=source_hash(once),
        layers=(layers(RECIPE)[0], layers(RECIPE, {1: 256})[1]),
    )
    again = replace(again, layers=(replace(again.layers[0], neurons=tuple(range(256))),
                                   again.layers[1]))  # fmt: skip
    told = bedside(once, kept(tmp_path / "plan.json", again), tmp_path / "twice.gguf")
    assert told.exit_code == 0, told.output
    keys = gguffile.keys(tmp_path / "twice.gguf")
    assert keys["general.architecture"][1] == "llama"
    assert keys["bedside.cut"][1].startswith("2 of 2 layers, 512 of 768 neurons")


def test_restoring_prints_a_gain_for_each_matrix(
    folder: Path, even: Plan, text: Path, tmp_path: Path
) -> None:
    source = read_texts([text])[0].source
    where = kept(tmp_path / "plan.json", replace(even, calibration=(source,)))
    options = ("--restore", "--chunk", 32, "--cache", tmp_path / "cache")
    told = bedside(folder, where, tmp_path / "a", *options)
    assert told.exit_code == 0, told.output
    lines = [line.split()[:2] for line in told.output.splitlines() if line.startswith("  layer")]
    assert lines == [["layer", "0"]] * 4 + [["layer", "1"]] * 4
    assert bedside(folder, where, tmp_path / "b", *options, "--text", text).exit_code == 0
    assert bedside(folder, where, tmp_path / "c").exit_code == 0
    a, b, c = (open_checkpoint(tmp_path / name).tensors for name in "abc")
    name = "model.layers.0.mlp.down_proj.weight"
    assert np.array_equal(a[name].map(), b[name].map())
    assert not np.array_equal(a[name].map(), c[name].map())


def test_a_quantised_file_is_refused_or_its_loss_told(
    folder: Path, even: Plan, tmp_path: Path
) -> None:
    full = tmp_path / "full.gguf"
    write(lay_out(open_checkpoint(folder), FileType.Q8_0), full, threads=1)
    where = kept(tmp_path / "plan.json", replace(even, source_sha256=source_hash(full)))
    refused = bedside(full, where, tmp_path / "cut.gguf")
    assert refused.exit_code == 3
    assert "quantised already (Q8_0)" in refused.output
    assert not (tmp_path / "cut.gguf").exists()
    told = bedside(full, where, tmp_path / "cut.gguf", "--dequantise")
    assert told.exit_code == 0, told.output
    assert "what that lost stays lost" in told.output
    assert {kind for _, _, kind, _ in gguffile.tensors(tmp_path / "cut.gguf")} == {"F32"}


def test_what_cannot_be_is_refused_in_a_sentence(
    folder: Path, even: Plan, text: Path, tmp_path: Path
) -> None:
    where = kept(tmp_path / "plan.json", even)
    uneven = kept(tmp_path / "uneven.json", replace(even, layers=layers(RECIPE, {0: 256})))
    other = kept(tmp_path / "other.json", replace(even, source_sha256="1" * 64))
    full = tmp_path / "full.gguf"
    write(lay_out(open_checkpoint(folder), FileType.BF16), full, threads=1)
    of_full = kept(tmp_path / "full.json", replace(even, source_sha256=source_hash(full)))
    gone = replace(read_texts([text])[0].source, sha256="2" * 64)
    changed = kept(tmp_path / "changed.json", replace(even, calibration=(gone,)))
    out = tmp_path / "out"
    cases: list[tuple[tuple[object, ...], int, str]] = [
        ((folder, uneven, out), 2, "ends in .gguf"),
        ((folder, other, out), 3, "made for another model"),
        ((full, of_full, out), 2, "cut into a GGUF file"),
        ((folder, where, out, "--type", "Q4_K_M"), 2, "give --type with OUT.gguf"),
        ((folder, where, out, "--force"), 2, "never replaced"),
        ((folder, where, full), 2, "exists"),
        ((folder, where, out, "--restore"), 2, "names no text"),
        ((folder, changed, out, "--restore"), 3, "is not the text that the plan was made with"),
        ((tmp_path / "none", where, out), 3, "does not exist"),
    ]  # fmt: skip
    for arguments, code, sentence in cases:
        told = bedside(*arguments)
        assert (told.exit_code, told.output.count("\n")) == (code, 1), told.output
        assert sentence in told.output
        assert not out.exists()
