"""The comparison in all its forms."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from converter.compare.plot import svg
from converter.compare.report import markdown, record, terminal
from tests.converter.compare.tables import row, table

CUT = row("cut-Q4_K_M", 15, 9.0, "candidate")


@pytest.mark.parametrize("speed", [False, True])
def test_terminal_lines_stand_in_columns_from_the_largest_down(speed: bool) -> None:
    lines = list(terminal(table(CUT, speed=speed)))
    rows = lines[: lines.index("")]
    assert len({len(line) for line in rows}) == 1
    assert [line.split("  ")[0] for line in rows[1:]] == [
        "full model", "Q8_0", "Q4_K_M", "cut-Q4_K_M", "IQ4_XS by importance", "Q3_K_M", "Q2_K"
    ]  # fmt: skip
    assert ("decode/s" in rows[0]) is speed
    assert ("150 MB" in rows[1]) is speed
    assert any("context 512, 40 chunks" in line and "12.9% of its runs" in line for line in lines)
    assert lines[-1].startswith("cut-Q4_K_M: perplexity 9.000; its rival IQ4_XS by importance")


def test_without_a_candidate_the_ladder_alone_is_shown() -> None:
    assert list(terminal(table()))[-1].startswith("There is no candidate")


def test_markdown_is_a_table_in_which_names_are_only_names() -> None:
    text = markdown(table(replace(CUT, name="*a|b*<script>")), "plot.svg")
    lines = text.splitlines()
    columns = {line.count("|") - line.count("\\|") for line in lines if line.startswith("|")}
    assert columns == {7}
    assert "**\\*a\\|b\\*\\<script\\>**" in text
    assert "![Perplexity over bytes](plot.svg)" in text
    assert "![Perplexity over bytes](my%20plot%29.svg)" in markdown(table(CUT), "my plot).svg")
    assert "(plot" not in markdown(table(CUT))


def test_json_holds_everything_and_the_verdicts() -> None:
    told = json.loads(record(table(CUT, speed=True)))
    assert told["rows"][-1]["scores"][0] == {
        "value": 9.0,
        "error": 0.1,
        "window_nlls": [],
    }
    assert told["rows"][-1]["speed"]["memory"] == 150_000_000
    assert told["corpora"][0]["sha256"] == "a" * 64
    assert told["verdicts"] == [
        {
            "candidate": "cut-Q4_K_M",
            "rival": "IQ4_XS by importance",
            "curve": pytest.approx(8.299, abs=1e-3),
            "wins": False,
            "difference": None,
            "close": False,
            "sentence": told["verdicts"][0]["sentence"],
        }
    ]


def test_the_picture_is_svg_with_every_file_but_the_unquantised() -> None:
    name = "<a & b>"
    tree = ET.fromstring(svg(table(replace(CUT, name=name))))
    space = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in tree.iter(f"{space}text")]
    assert name in texts
    assert "full model" not in texts
    assert {"Q8_0", "Q4_K_M", "Q3_K_M", "IQ4_XS", "Q2_K"} <= set(texts)
    points = [(float(p.get("cx", 0)), float(p.get("cy", 0))) for p in tree.iter(f"{space}circle")]
    places = dict(zip(["Q8_0", "Q4_K_M", "Q3_K_M", "IQ4_XS", "Q2_K", name], points, strict=False))
    assert places["Q2_K"][0] < places["Q4_K_M"][0] < places["Q8_0"][0]  # more bytes, further right
    assert places["Q2_K"][1] < places["Q3_K_M"][1] < places["Q8_0"][1]  # worse is higher
    assert all(0 < x < 760 and 0 < y < 460 for x, y in points)


def test_one_file_alone_can_be_drawn() -> None:
    assert ET.fromstring(svg(replace(table(), rows=(CUT,)))) is not None
