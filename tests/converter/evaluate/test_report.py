"""Evaluations as people read them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import UsageError
from converter.evaluate import plots
from converter.evaluate.evaluation import Settings
from converter.evaluate.paired import pair
from converter.evaluate.publish import check_outputs, write_analysis, write_report
from converter.evaluate.report import markdown, terminal
from tests.converter.evaluate.evaluations import MIXED, evaluation, outcome, outcomes, questions

FULL = evaluation(MIXED)
PLAIN = evaluation(outcomes([0, 1], [0, 0]), model="plain.gguf")
HOSTILE = "*a|b*<script>\x1b[2J\n# www.evil.example"


def test_the_terminal_shows_both_kinds_of_guessing_beside_each_row() -> None:
    lines = list(terminal([FULL], [pair(FULL, FULL)]))
    assert lines[0] == (
        "quiz: small.gguf, asked by letter, 0-shot, chat template, passages as published"
    )
    rows = [line.split("  ")[0].strip() for line in lines[1:8]]
    assert rows == [
        "answers",
        "the model's", "always A (majority)", "chance",
        "the model's, to what fits", "always A (majority)", "chance",
    ]  # fmt: skip
    assert len({len(line) for line in lines[1:8]}) == 1
    text = "\n".join(lines)
    assert "2 of 5 right (40.0%" in text
    assert "So it shows no skill at these questions beyond guessing." in text
    assert "Longer than the context of 128 tokens, and so wrong: 1 (q3)." in text
    assert "Of the others: 2 of 4 right" in text
    assert "Expected calibration error" in text
    assert "It took 2.0 seconds, 2.5 questions a second." in text
    assert "McNemar's exact test" in text


def test_where_nothing_fits_nothing_is_said_of_the_model() -> None:
    nothing = evaluation(outcomes([0, 1], [None, None]))
    assert any("None fits, so nothing was asked" in line for line in terminal([nothing]))
    assert not any("None fits" in line for line in terminal([FULL]))


def test_a_label_reaches_no_terminal_and_no_page_as_it_is() -> None:
    labels = (HOSTILE, *FULL.labels[1:])
    hostile = replace(FULL, labels=labels)
    assert not any("\x1b" in line or "\n" in line for line in terminal([hostile]))
    assert "\x1b" not in markdown([hostile])
    assert "\n# www" not in markdown([hostile])


def test_one_answer_to_everything_and_none_at_all_are_said() -> None:
    same = evaluation(outcomes([0, 1, 2], [0, 0, None]))
    assert "It answers A to 100.0% of the questions it answers." in list(terminal([same]))
    nothing = evaluation(outcomes([0, 1], [None, None]))
    assert not any("It answers" in line for line in terminal([nothing]))
    written = evaluation([replace(outcome(0, 0, None), fits=True), outcome(1, 0, 0)])
    assert any(
        "nothing could be read from, and so wrong: 1." in line for line in terminal([written])
    )


def test_what_was_asked_can_be_asked_again_from_the_page() -> None:
    settings = Settings(mode="text", shots=2, limit=5, seed=7, system="Be brief.")
    page = markdown([replace(FULL, settings=settings, train_sha256="e" * 64)])
    assert "asked by text, per byte, 2-shot" in page
    assert "5 of 10 questions, drawn by seed 7" in page
    assert "SHA-256 eeeeeeeeeeeeeeee…" in page
    assert "System message: Be brief." in page
    assert "confidence is no probability" in page


def test_the_page_has_no_clock_and_no_question() -> None:
    page = markdown([FULL])
    assert page == markdown([replace(FULL, seconds=77.0)])
    assert all(question.text not in page for question in questions(MIXED).questions)


def test_every_table_of_the_page_is_whole_and_names_are_only_names() -> None:
    held = [replace(one, subject=HOSTILE, id=f"{one.id}{HOSTILE}") for one in MIXED]
    bad = evaluation(held, task=HOSTILE, model=HOSTILE)
    bad = replace(bad, template=HOSTILE, versions={HOSTILE: HOSTILE})
    page = markdown([bad, PLAIN], [pair(bad, bad)], [("Accuracy", "a (b).svg")])
    assert "\x1b" not in page
    assert "<script>" not in page
    assert "www.evil" not in page
    for block in page.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") - line.count("\\|") for line in lines}) <= 1
    heads = [line for line in page.splitlines() if line.startswith("#")]
    assert len(heads) == 4
    assert page.count("not shown") == 3  # both evaluations, and the one subject
    assert "![Accuracy](a%20%28b%29.svg)" in page


def texts(svg: str) -> list[str]:
    tree = ET.fromstring(svg)
    return [element.text or "" for element in tree.iter("{http://www.w3.org/2000/svg}text")]


def test_the_pictures_are_svg_and_hold_every_model() -> None:
    hostile = replace(FULL, model="<a & b>")
    assert {"quiz: <a & b>", "quiz: plain.gguf"} <= set(texts(plots.accuracy([hostile, PLAIN])))
    shown = texts(plots.reliability([hostile, PLAIN]))
    assert "<a & b>" in shown
    assert "plain.gguf" not in shown  # its answers have no confidence
    assert "No answer has a confidence." in texts(plots.reliability([PLAIN]))


def test_an_interval_is_drawn_where_it_lies() -> None:
    tree = ET.fromstring(plots.accuracy([FULL]))
    space = "{http://www.w3.org/2000/svg}"
    (point,) = tree.iter(f"{space}circle")
    places = {
        float(label.text): float(label.get("x", 0))
        for label in tree.iter(f"{space}text")
        if label.get("text-anchor") == "middle" and label.text
    }
    assert float(point.get("cx", 0)) == pytest.approx(places[0.4])


def test_files_are_written_beside_each_other(tmp_path: Path) -> None:
    out = tmp_path / "quiz"
    check_outputs(out)
    report = write_report(out, [FULL])
    analysis = write_analysis(out, [(FULL, questions(MIXED))])
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in (*report, *analysis)} == {
        "quiz.json", "quiz.md", "quiz.svg", "quiz-reliability.svg",
        "quiz-errors.jsonl", "quiz-errors.md",
    }  # fmt: skip
    assert "![Accuracy](quiz.svg)" in (tmp_path / "quiz.md").read_text()
    secret = questions(MIXED).questions[1].text
    assert all(secret not in path.read_text() for path in report)
    assert all(secret in path.read_text() for path in analysis)


def test_files_that_cannot_be_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        check_outputs(tmp_path / "none" / "quiz")
    (tmp_path / "quiz.json").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        check_outputs(tmp_path / "quiz")
    with pytest.raises(UsageError, match="give the files a name"):
        check_outputs(Path("/"))
