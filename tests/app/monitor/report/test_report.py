"""What a report says of runs worked by hand, and that a page needs nothing but itself."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError, UsageError
from app.monitor.logwriter import LogWriter
from app.monitor.power import WALL_FITS
from app.monitor.report.page import Reported, page
from app.monitor.report.run import find_run, read_run
from app.monitor.report.sentences import ROWS, column, headline, sentences, side_by_side
from app.monitor.report.series import Series, series_of
from app.monitor.report.spreadsheet import spreadsheet
from app.monitor.report.summary import summarise
from app.monitor.report.terminal import HEIGHT, plot
from app.monitor.report.verdict import judge
from app.monitor.runlog import PowerFacts, encode
from tests.app.monitor.report.runs import GAP, HEADER, log, sample, turn

BUSY = log(*[2.0] * 5, *[5.8] * 12, *[2.0] * 5, turns=(turn(5.5),))


def test_the_numbers_of_a_run_worked_by_hand() -> None:
    summary = summarise(BUSY)
    assert (summary.turns, summary.generated, summary.with_energy) == (1, 64, 1)
    assert (summary.decode, summary.prefill, summary.first_token_s) == (8.0, 50.0, 2.1)
    assert summary.mean_w == pytest.approx(5.8)
    assert summary.peak_w == 5.8
    assert summary.token_j == pytest.approx(0.75)
    assert summary.prompt_token_j == pytest.approx(0.1)
    assert summary.reached == pytest.approx(0.8)
    assert summary.idle_w == 2.0 and "quiet" in summary.idle_from
    assert summary.memory_peak == 100 << 20
    assert summary.throttled == 0


def test_the_headline_reads_as_a_tester_wants_it() -> None:
    verdict = judge([(one.t, one.power_w) for one in BUSY.samples], 6.3)
    assert headline(summarise(BUSY), verdict) == (
        "8.0 tokens/s, 80 % of what this memory can give; "
        "5.80 W mean, 5.80 W peak, inside the 6.3 W budget; 0.75 J a token."
    )


def test_what_was_not_measured_is_said_and_not_filled_in() -> None:
    header = replace(HEADER, power=None, memory=None, unavailable={"power_w": "no sensor"})
    bare = log(None, None, turns=(turn(0.0, None),), header=header, end=None)
    said = " ".join(sentences(bare, summarise(bare), judge([], 6.3)))
    assert "joules a token are not known" in said
    assert "Power is unavailable, because no sensor." in said
    assert "cannot be judged" in said
    assert "has no end" in said
    assert "what this memory can give" not in said


def test_throttling_gaps_and_the_wall_estimate_are_said() -> None:
    header = replace(HEADER, power=PowerFacts("pmic", "the board", 1.0, WALL_FITS["pmic"]))
    hot = log(5.0, turns=(turn(0.0),), header=header, notes=(GAP,), samples=(sample(0, 5.0, 4),))
    said = " ".join(sentences(hot, summarise(hot), None))
    assert "do not compare" in said
    assert "At 7 s the machine was suspended for 600 s." in said
    assert "Estimate, not measured: 7.2 W at the wall" in said


def test_idle_power_measured_before_the_run_comes_first() -> None:
    measured = replace(BUSY, header=replace(HEADER, idle_w=2.25))
    assert summarise(measured).idle_w == 2.25
    busy = log(*[5.0] * 11, turns=(turn(0.5),))
    assert summarise(busy).idle_w is None


@pytest.mark.parametrize(
    ("watts", "held", "over", "longest"),
    [
        ([6.0] * 100, True, 0.0, 0.0),
        ([6.0] * 50 + [8.0] * 1 + [6.0] * 49, False, 5.0, 5.0),
        ([6.0] * 200 + [6.5] * 1 + [6.0] * 199, True, 0.0, 0.0),
        ([7.0] * 10, False, 9.0, 9.0),
        ([], False, 0.0, 0.0),
    ],
)
def test_the_verdict_by_hand(watts: list[float], held: bool, over: float, longest: float) -> None:
    found = judge(enumerate(watts), 6.2)
    assert (found.held, found.over_s, found.longest_over_s) == (held, over, longest)
    assert ("NOT" in found.sentence) == (bool(watts) and not held)


def test_a_gap_is_neither_inside_nor_over() -> None:
    found = judge([(0.0, 7.0), (1.0, 7.0), (100.0, 7.0), (101.0, 7.0)], 6.3)
    assert (found.measured_s, found.over_s, found.longest_over_s) == (2.0, 2.0, 1.0)


def test_runs_stand_side_by_side() -> None:
    lines = side_by_side([column(one, summarise(one), None) for one in (BUSY, log(3.0))])
    assert len(lines) == len(ROWS)
    assert lines[ROWS.index("decode, tokens/s")].split()[-2:] == ["8.00", "-"]


def test_a_plot_is_blocks_with_its_scale_and_its_limit() -> None:
    power = series_of(BUSY)[0]
    lines = plot(power, 6.3)
    assert len(lines) == HEIGHT + 2
    assert set("".join(lines[1:-1])) <= set(" |█-.0123456789")
    assert all(len(line) <= 80 for line in lines)
    assert "-" in lines[1] and "6.3" in lines[1] and "2.0" in lines[HEIGHT]
    assert lines[HEIGHT].count("█") > lines[2].count("█") > 0


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.none() | st.floats(-1e6, 1e6)), min_size=1, max_size=50
    )
)
def test_any_series_can_be_drawn(points: list[tuple[float, float | None]]) -> None:
    series = Series("Power", "W", tuple(sorted(points, key=lambda point: point[0])))
    if series.known:
        assert len(plot(series)) == HEIGHT + 2


def test_an_answer_of_years_is_a_plot_like_another() -> None:
    one = turn(5.5)
    years = log(2.0, 2.0, turns=(replace(one, t1=3e8, decode_s=3e8),))
    speed = series_of(years)[2]
    assert speed.title == "Decoding"
    assert len(speed.points) < 1000
    known = [at for at, value in speed.points if value is not None]
    assert (min(known), max(known)) == (0.0, 3e8)
    assert len(plot(speed)) == HEIGHT + 2
    long = log(2.0, 2.0, turns=(replace(one, t1=4000.0, decode_s=3900.0),))
    drawn = [value for _, value in series_of(long)[2].points]
    assert None not in drawn[1:-1], "one line, however far apart its points"


class _Links(HTMLParser):
    """Notes every tag, and anything that would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched += [name for name, _ in attrs if name in ("src", "href", "data", "action")]


def test_the_page_needs_nothing_but_itself_and_believes_no_name() -> None:
    verdict = judge([(one.t, one.power_w) for one in BUSY.samples], 6.3)
    text = page([Reported(BUSY, summarise(BUSY), verdict), Reported(BUSY, summarise(BUSY), None)])
    reader = _Links()
    reader.feed(text)
    assert reader.fetched == [] and "script" not in reader.tags
    assert "svg" in reader.tags and "polyline" in reader.tags
    assert "a &lt;model&gt; &amp; more" in text and "<model>" not in text
    assert "url(" not in text and "http" not in text.replace("http-equiv", "")
    assert 'class="limit"' in text


def test_a_gap_in_the_readings_is_a_gap_in_the_line() -> None:
    torn = log(samples=tuple(sample(t) for t in (0, 1, 2, 50, 51)))
    text = page([Reported(torn, summarise(torn), None)])
    power = re.findall(r"<figure><figcaption>Power.*?</figure>", text)[0]
    assert power.count("<polyline") == 2


def test_the_spreadsheet_has_a_line_for_each_record() -> None:
    rows = list(csv.DictReader(io.StringIO(spreadsheet([BUSY]))))
    assert [row["record"] for row in rows].count("sample") == len(BUSY.samples)
    assert rows[-1]["decode_j"] == "48.0" and rows[-1]["power_w"] == ""


def test_all_parts_of_a_run_are_read_as_one_and_a_missing_one_is_told(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, HEADER, part_bytes=1500, folder_bytes=1 << 20)
    for second in range(40):
        writer.write(sample(float(second)))
    writer.close()
    paths = sorted(tmp_path.iterdir())
    assert len(paths) >= 4
    assert len(read_run(paths[1]).samples) == 40
    paths[1].unlink()
    run = read_run(paths[0])
    assert len(run.samples) < 40 and run.damage == (
        "Part 2 of the log is missing: rotation removes the oldest files first.",
    )


def test_a_torn_tail_is_said_and_a_newer_schema_refused(tmp_path: Path) -> None:
    path = tmp_path / f"{HEADER.id}-001.jsonl"
    path.write_bytes(encode(HEADER) + encode(sample(1.0)) + encode(sample(2.0))[:-9])
    run = read_run(path)
    assert len(run.samples) == 1
    assert "The last line was torn and is left out." in list(sentences(run, summarise(run), None))
    path.write_bytes(encode(replace(HEADER, schema=2)))
    with pytest.raises(BadInputError, match="newer Bedside"):
        read_run(path)


def test_a_run_is_found_by_path_id_or_last(tmp_path: Path) -> None:
    for name in ("20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb"):
        path = tmp_path / f"{name}-001.jsonl"
        path.write_bytes(encode(replace(HEADER, id=name)))
    assert find_run("last", tmp_path) == path
    assert find_run(str(path), tmp_path / "elsewhere") == path
    assert find_run("20260101", tmp_path).name.startswith("20260101")
    with pytest.raises(UsageError, match="Several"):
        find_run("2026", tmp_path)
    with pytest.raises(UsageError, match="no run"):
        find_run("1999", tmp_path)
