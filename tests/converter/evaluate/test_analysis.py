"""Errors grouped, and shown with their questions."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate.analysis import group_errors
from converter.evaluate.examples import analysis_lines, analysis_page
from tests.converter.evaluate.evaluations import MIXED, evaluation, outcome, questions


def test_groups_by_subject_length_and_confidence() -> None:
    found = group_errors(evaluation(MIXED))
    told = [(one.by, one.name, one.questions, one.errors) for one in found]
    assert told[:2] == [("subject", "Heart", 3, 1), ("subject", "Lung", 2, 2)]
    assert told[2:6] == [
        ("length", "10 to 20 tokens", 2, 1),
        ("length", "30 tokens", 1, 1),
        ("length", "40 tokens", 1, 0),
        ("length", "300 tokens", 1, 1),
    ]
    by_confidence = [one for one in told if one[0] == "confidence"]
    assert [one[2] for one in by_confidence] == [1, 1, 1, 1, 1]
    assert [len(one[1]) for one in by_confidence[:-1]] == [len("0.123")] * 4
    assert by_confidence[-1] == ("confidence", "none", 1, 1)


def test_examples_are_the_errors_with_the_widest_margins() -> None:
    held = [
        outcome(number, 0, 1, scores=(0.0, float(number), -9.0, -9.0), subject="one")
        for number in range(1, 7)
    ]
    assert [one.id for one in group_errors(evaluation(held))[0].examples] == ["q6", "q5", "q4"]


def test_one_length_makes_one_group_and_no_subject_none() -> None:
    found = group_errors(evaluation([outcome(0, 0, 0), outcome(1, 0, 1)]))
    assert [(one.by, one.name, one.questions) for one in found] == [("length", "40 tokens", 2)]


@given(st.lists(st.integers(1, 99), min_size=1, max_size=50))
def test_quartiles_hold_each_question_once_and_are_never_empty(lengths: list[int]) -> None:
    held = [outcome(number, 0, 0, tokens=tokens) for number, tokens in enumerate(lengths)]
    groups = [one for one in group_errors(evaluation(held)) if one.by == "length"]
    assert sum(one.questions for one in groups) == len(lengths)
    assert all(one.questions for one in groups)
    assert len(groups) <= 4


def test_each_line_holds_a_question_with_all_that_was_made_of_it() -> None:
    made = evaluation(MIXED)
    lines = [json.loads(line) for line in analysis_lines(made, questions(MIXED))]
    assert [line["right"] for line in lines] == [True, False, False, False, True]
    assert lines[1] == {
        "task": "quiz",
        "id": "q1",
        "question": "What is the q1th thing?",
        "options": {label: f"thing {label} of q1" for label in "ABCD"},
        "truth": "A",
        "choice": "B",
        "right": False,
        "scores": {"A": -2.0, "B": -1.5, "C": -4.0, "D": -5.0},
        "sums": {},
        "margin": 0.5,
        "confidence": lines[1]["confidence"],
        "subject": "Heart",
        "tokens": 20,
        "fits": True,
        "written": "",
    }
    assert 0.5 < lines[1]["confidence"] < 0.7
    assert lines[3]["choice"] is lines[3]["margin"] is lines[3]["confidence"] is None


def test_the_page_shows_examples_in_which_nothing_is_markup() -> None:
    bad = replace(MIXED[1], written="<script>\x1b]52;c;x\x07 # head\nline")
    asked = questions(MIXED)
    hostile = replace(asked.questions[1], text="*a* [b](http://c) |d|")
    asked = replace(asked, questions=(asked.questions[0], hostile, *asked.questions[2:]))
    page = analysis_page(evaluation((MIXED[0], bad, *MIXED[2:])), asked)
    assert "\\*a\\* \\[b\\](http:\\//c) \\|d\\|" in page
    assert "\\<script\\> \\# head line" in page
    assert "\x1b" not in page
    assert "- A: thing A of q1 (-2.0000) **true**" in page
    assert "- B: thing B of q1 (-1.5000) **chosen**" in page
    assert "- Nothing was chosen." in page
    assert "## By subject: Lung\n\n2 of 2 are wrong (100.0%)." in page
