"""`bedside-convert` as a person types it: what it prints and the code it ends with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from converter.cli import app
from tests.converter.checkpoints import Recipe, build
from tests.shared import ROOT


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_convert_then_inspect(recipe_folder: Callable[[str], Path], tmp_path: Path) -> None:
    out = tmp_path / "out.gguf"
    made = run("convert", recipe_folder("tied-bf16"), out, "--type", "q4_k_m", "--threads", 2)
    assert made.exit_code == 0, made.stderr
    assert "1.3 M parameters" in made.stdout
    assert "Q4_K" in made.stdout
    assert "fell back" not in made.stdout
    told = run("inspect", out)
    assert told.exit_code == 0
    assert "layers: 2" in told.stdout
    assert "chat template:\n  {% for m in messages %}" in told.stdout
    record = json.loads(run("inspect", out, "--json").stdout)
    assert record["shapes"]["width"] == 256
    assert {share["kind"] for share in record["census"]} == {"Q4_K", "Q6_K", "F32"}
    assert record["bits_per_weight"] == round(
        8 * sum(share["nbytes"] for share in record["census"]) / record["parameters"], 4
    )


def test_fallbacks_are_told_in_words(recipe_folder: Callable[[str], Path], tmp_path: Path) -> None:
    made = run("convert", recipe_folder("uneven-f32"), tmp_path / "out.gguf", "--type", "Q5_K_M")
    assert made.exit_code == 0, made.stderr
    assert "tensors fell back to Q5_1, Q8_0: Q5_K_M stores rows in blocks of 256" in made.stdout
    assert "(96, 288 weights) are no multiple of it" in made.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("convert", "{folder}", "{out}", "--type", "Q9"), 2, "There is no file type 'Q9'"),
        (("convert", "{folder}", "{tmp}/out.bin"), 2, "ends in .gguf"),
        (("convert", "{folder}", "{tmp}/none/out.gguf"), 2, "There is no folder"),
        (("convert", "{tmp}", "{out}"), 3, "no config.json"),
        (("convert", "{tmp}/none", "{out}"), 3, "no checkpoint folder"),
        (("convert", "{folder}"), 2, "Missing argument"),
        (("convert", "{folder}", "{out}", "--threads", "-1"), 2, "--threads"),
        (("inspect", "{tmp}/none.gguf"), 3, "does not exist"),
        (("nonsense",), 2, "nonsense"),
    ],
    ids=str,
)
def test_a_failure_is_a_sentence_on_stderr_and_a_code(
    arguments: tuple[str, ...], code: int, sentence: str,
    recipe_folder: Callable[[str], Path], tmp_path: Path,
) -> None:  # fmt: skip
    places = {"folder": recipe_folder("tied-bf16"), "out": tmp_path / "out.gguf", "tmp": tmp_path}
    ended = run(*(argument.format(**places) for argument in arguments))
    assert ended.exit_code == code
    assert sentence in ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr


def test_an_existing_output_needs_force(
    recipe_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.gguf"
    out.write_bytes(b"precious")
    ended = run("convert", recipe_folder("tied-bf16"), out)
    assert (ended.exit_code, out.read_bytes()) == (2, b"precious")
    assert run("convert", recipe_folder("tied-bf16"), out, "--force").exit_code == 0
    assert out.read_bytes().startswith(b"GGUF")


def test_a_checkpoint_without_a_tokenizer(tmp_path: Path) -> None:
    folder = build(tmp_path / "model", Recipe(layers=1))
    (folder / "tokenizer.model").unlink()
    ended = run("convert", folder, tmp_path / "out.gguf")
    assert ended.exit_code == 3
    assert "no tokenizer" in ended.stderr


def test_texts_of_a_file_cannot_steer_the_terminal(tmp_path: Path) -> None:
    folder = build(tmp_path / "model", Recipe(layers=1))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["chat_template"] = "\x1b]52;c;QQ==\x07{{ messages }}\u202e"
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "README.md").write_text('---\nlicense: "mit\\e[2J"\n---\n')
    for arguments in ((folder,), (folder, "--json")):
        shown = run("inspect", *arguments).stdout
        assert "{{ messages }}" in shown
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_debug_shows_the_trace(tmp_path: Path) -> None:
    ended = run("--debug", "inspect", tmp_path / "none.gguf")
    assert ended.exit_code == 3
    assert "Traceback" in ended.stderr
    assert "does not exist" in ended.stderr.splitlines()[-1]


PROBE = """
import sys
sys.argv = ["bedside-convert", "--help"]
from converter.cli import main
try:
    main()
finally:
    heavy = {"numpy", "gguf", "llama_cpp", "rich", "yaml"} & sys.modules.keys()
    print("heavy:", sorted(heavy))
"""


def test_help_answers_without_loading_anything_heavy() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "convert" in ended.stdout
    assert "heavy: []" in ended.stdout


DEFECT = """
import sys
from converter import cli
from converter.cli import inspection
def fail(): raise RuntimeError("unforeseen")
cli.app.command("fail")(fail)
sys.argv = ["bedside-convert", *sys.argv[1:], "fail"]
cli.main()
"""


@pytest.mark.parametrize("debug", [False, True])
def test_a_defect_is_called_one(debug: bool) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", DEFECT, *["--debug"][: int(debug)]],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ("Traceback" in ended.stderr) is debug
    assert ("a defect of Bedside (RuntimeError)" in ended.stderr) is not debug


HANG_UP = """
import os, signal, sys
from converter import cli
def survive():
    os.kill(os.getpid(), signal.SIGHUP)
    print("went on")
cli.app.command("survive")(survive)
sys.argv = ["bedside-convert", "survive"]
signal.signal(signal.SIGHUP, signal.{handler})
cli.main()
"""


@pytest.mark.parametrize(("handler", "code"), [("SIG_DFL", 129), ("SIG_IGN", 0)])
def test_a_closed_terminal_ends_it_unless_nohup_says_otherwise(handler: str, code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANG_UP.format(handler=handler)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == code, ended.stderr
    assert ("went on" in ended.stdout) is (code == 0)
