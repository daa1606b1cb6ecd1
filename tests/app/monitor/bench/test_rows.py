"""A row by hand: speeds, joules a token, the share of the memory, and when it does not count."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from app.engine.messages import EngineSettings
from app.errors import UsageError
from app.monitor.bench.bandwidth import Bandwidth, measure
from app.monitor.bench.formats import FORMATS, as_csv, as_json, as_llama_bench, table
from app.monitor.bench.plan import Plan, numbers
from app.monitor.bench.row import Bench, Facts, Row, make_row
from app.monitor.reading import Reading
from app.monitor.runlog import TurnRecord
from tests.app.monitor.test_recorder import MODEL

FACTS = Facts(EngineSettings(), 2.5, Bandwidth(10e9, 2, ((1, 9e9), (2, 10e9))), 800_000_000)
COOL = Reading(0.0, temp_c=50.0, throttled=0, engine_rss=1000)


def _turn(start: float, decode_s: float) -> TurnRecord:
    """128 tokens of prompt in 2 s, then 65 of answer, of which 64 were decoded."""
    end = start + 2.0 + decode_s
    return TurnRecord(
        start, end, 128, 0, 128, 65, 2.0, decode_s, 2.1, 30.0, 8, 10.0, 16.0 * decode_s / 8, 5
    )


def _row(before: Reading = COOL, after: Reading = COOL, *between: Reading) -> Row:
    turns = [_turn(1.0, 8.0), _turn(12.0, 16.0), _turn(31.0, 8.0)]
    readings = between or (replace(COOL, at=2.0, power_w=4.0), replace(COOL, at=3.0, power_w=5.5))
    return make_row(FACTS, turns, readings, before, after)


def _bench(*rows: Row) -> Bench:
    return Bench(
        board="a board",
        model=MODEL,
        sha256="ab" * 32,
        versions={"bedside": "1"},
        started="2026-01-02T03:04:05+00:00",
        bandwidth=FACTS.bandwidth,
        bytes_per_token=FACTS.bytes_per_token,
        cached=1.0,
        load_s=0.5,
        power="a chip, which covers itself",
        rows=rows,
    )


def test_a_row_worked_by_hand() -> None:
    row = _row()
    assert row.prefill is not None and row.decode is not None
    assert row.prefill.median == 64.0
    assert (row.decode.median, row.decode.low, row.decode.high) == (8.0, 4.0, 8.0)
    assert row.reached == pytest.approx(8.0 * 0.8 / 10)
    assert row.decode_j == pytest.approx(16.0 / 64)
    assert row.tokens_per_joule == pytest.approx(4.0)
    assert row.prefill_j == pytest.approx(10.0 / 128)
    assert row.mean_w == pytest.approx(3.0)
    assert (row.peak_w, row.idle_w, row.memory_peak, row.void) == (5.5, 2.5, 1000, ())


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (_row(replace(COOL, throttled=0x50000)), "before it"),
        (_row(COOL, replace(COOL, throttled=0x50005)), "during it"),
        (_row(COOL, COOL, replace(COOL, throttled=4)), "during it"),
        (_row(COOL, replace(COOL, suspended_s=60.0)), "suspended"),
    ],
)
def test_a_throttled_row_is_void_in_words(row: Row, word: str) -> None:
    assert any(word in reason for reason in row.void)
    assert "is void" in table(_bench(row)) and word in table(_bench(row))
    assert as_llama_bench(_bench(row)) == ""


def test_where_throttling_is_not_told_no_row_is_called_clean() -> None:
    unknown = replace(COOL, throttled=None)
    row = _row(unknown, unknown, replace(unknown, at=2.0))
    assert row.void == () and row.peak_w is None
    assert "no row could be found void" in table(_bench(row))


def test_one_answer_without_energy_leaves_no_joules() -> None:
    turns = [_turn(1.0, 8.0), replace(_turn(12.0, 8.0), decode_j=None, energy_j=None)]
    row = make_row(FACTS, turns, [], COOL, COOL)
    assert (row.decode_j, row.mean_w, row.tokens_per_joule) == (None, None, None)


def test_the_table_fits_into_80_columns() -> None:
    lines = table(_bench(_row(), _row())).splitlines()
    tables = [line for line in lines if line.lstrip().startswith(("row", "1 ", "2 "))]
    assert len(tables) == 6
    assert all(len(line) <= 80 for line in tables)


def test_programs_get_every_value_by_name() -> None:
    bench = _bench(_row())
    assert json.loads(as_json(bench))["rows"][0]["decode_j"] == 0.25
    (line,) = csv.DictReader(io.StringIO(as_csv(bench)))
    assert (line["decode_median"], line["decode_j"], line["void"]) == ("8.0", "0.25", "")
    assert set(FORMATS) == {"table", "json", "csv", "llama-bench"}


LLAMA_BENCH_FIELDS = frozenset(
    """
build_commit build_number cpu_info gpu_info backends model_filename model_type model_size
model_n_params n_batch n_ubatch n_threads cpu_mask cpu_strict poll type_k type_v n_gpu_layers
n_cpu_moe split_mode main_gpu no_kv_offload flash_attn devices tensor_split tensor_buft_overrides
load_mode lazy_mode embeddings no_op_offload no_host repack fit_target fit_min_ctx n_prompt n_gen
n_depth test_time avg_ns stddev_ns avg_ts stddev_ts samples_ns samples_ts
""".split()  # noqa: SIM905  as a column it would be two pages
)
"""As `llama-bench -o jsonl` of the tested llama.cpp writes them."""


def test_llama_benchs_readers_find_its_fields() -> None:
    prompt, answer = map(json.loads, as_llama_bench(_bench(_row())).splitlines())
    assert set(prompt) == set(answer) == LLAMA_BENCH_FIELDS
    assert (prompt["n_prompt"], prompt["n_gen"], prompt["avg_ts"]) == (128, 0, 64.0)
    assert (answer["n_prompt"], answer["n_gen"], answer["n_depth"]) == (0, 64, 128)
    assert answer["samples_ts"] == [8.0, 4.0, 8.0]
    assert answer["samples_ns"] == [8_000_000_000, 16_000_000_000, 8_000_000_000]


def test_a_plan_is_every_length_at_every_setting() -> None:
    plan = Plan((10, 20), (5,), (1, 2), ("f16", "q8_0"))
    settings = list(plan.settings(EngineSettings()))
    assert plan.rows == 8 and len(settings) == 4 and len(plan.lengths) == 2
    assert {one.context for one in settings} == {20 + 5 + 64}
    assert all(one.flash_attention == (one.value_type == "q8_0") for one in settings)
    assert [one.decode_threads for one in settings] == [1, 1, 2, 2]


@pytest.mark.parametrize("text", ["", ",", "1,x", "-1", "1.5", "99999999"])
def test_a_list_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        numbers(text)


@pytest.mark.parametrize(
    "plan", [Plan((0,), (5,)), Plan((5,), (1,)), Plan(tuple(range(1, 300)), (5,))]
)
def test_a_plan_of_nothing_or_of_too_much_is_refused(plan: Plan) -> None:
    with pytest.raises(UsageError):
        plan.check()


def test_the_bandwidth_is_bytes_over_the_fastest_pass() -> None:
    ticks = iter([0.0, 0.5, 1.0, 1.2, 2.0, 2.4, 3.0, 3.1])
    found = measure(2, buffer_bytes=4096, passes=2, clock=lambda: next(ticks))
    assert [threads for threads, _ in found.by_threads] == [1, 2]
    assert [speed for _, speed in found.by_threads] == pytest.approx([4096 / 0.2, 4096 / 0.1])
    assert found.threads == 2
