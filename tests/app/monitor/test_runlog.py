"""The run log: what is written is read back, whatever befalls the file."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInputError, ResourceError
from app.monitor import logwriter
from app.monitor.logreader import decode, read_log
from app.monitor.logwriter import LogWriter, remove_oldest
from app.monitor.runlog import (
    End,
    Header,
    ModelFacts,
    Note,
    PowerFacts,
    Record,
    Sample,
    TurnRecord,
    encode,
)

HEADER = Header(
    id="20260102T030405Z-abcdef",
    started="2026-01-02T03:04:05+00:00",
    board="pi5-8gb",
    model=ModelFacts("small", None, 12345, {"Q4_K": 3, "F32": 2}),
    versions={"bedside": "0.1.0"},
    threads=2,
    power=PowerFacts("pmic", "the board", 1.0),
    unavailable={"idle_w": "not measured"},
)
SAMPLE = Sample(1.5, 5.25, None, 2400.0, 0.5, 1000, 2000, 0)
TURN = TurnRecord(1.0, 4.5, 40, 30, 10, 20, 0.5, 2.5, 0.75, None, 1)

_number = st.floats(0, 1e9).map(lambda value: round(value, 4))
_count = st.integers(0, 2**53)
_records = st.one_of(
    st.builds(
        Sample,
        t=_number,
        power_w=st.none() | _number,
        temp_c=st.none() | _number,
        clock_mhz=st.none() | _number,
        cpu=st.none() | _number,
        engine_rss=st.none() | _count,
        available=st.none() | _count,
        throttled=st.none() | _count,
    ),
    st.builds(Note, t=_number, text=st.text(), field=st.none() | st.text()),
    st.builds(End, t=_number, reason=st.text()),
)


@given(_records)
def test_each_record_is_one_line_and_comes_back(record: Record) -> None:
    line = encode(record)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert decode(line) == record


def test_the_lines_have_the_fields_of_version_1() -> None:
    header = json.loads(encode(HEADER))
    assert header["type"] == "run" and header["schema"] == 1
    wanted = {"id", "started", "board", "model", "versions", "threads", "governor", "throttled"}
    assert wanted | {"power", "idle_w", "unavailable"} <= set(header)
    assert set(header["model"]) == {"name", "sha256", "bytes", "census"}
    assert set(header["power"]) == {"source", "coverage", "rate_hz", "wall"}
    assert list(json.loads(encode(SAMPLE))) == [
        *("type", "t", "power_w", "temp_c", "clock_mhz", "cpu"),
        *("engine_rss", "available", "throttled", "gpu_load", "gpu_mhz"),
    ]
    assert list(json.loads(encode(TURN))) == [
        *("type", "t0", "t1", "prompt_tokens", "reused", "evaluated", "generated"),
        *("prefill_s", "decode_s", "ttft_s", "energy_j", "samples"),
        *("prefill_j", "decode_j", "decode_samples"),
    ]
    assert json.loads(encode(End(1.0, "left"))) == {"type": "end", "t": 1.0, "reason": "left"}


def test_a_number_that_is_not_finite_is_null() -> None:
    assert json.loads(encode(End(float("nan"), "")))["t"] is None


def _written(folder: Path, *records: Record) -> Path:
    writer = LogWriter(folder, HEADER)
    for record in records:
        writer.write(record)
    writer.close()
    return writer.path


def test_a_whole_run_comes_back(tmp_path: Path) -> None:
    note, end = Note(2.0, "a reason", "temp_c"), End(9.0, "left")
    log = read_log(_written(tmp_path / "runs", SAMPLE, note, TURN, end))
    assert log.header == HEADER
    assert (log.samples, log.turns, log.notes, log.end) == ((SAMPLE,), (TURN,), (note,), end)
    assert log.damage == ()


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    path = _written(tmp_path / "runs")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_log_cut_anywhere_loses_its_last_line_at_most(tmp_path: Path) -> None:
    path = _written(tmp_path, SAMPLE, TURN, End(9.0, "left"))
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole)):
        path.write_bytes(whole[:cut])
        log = read_log(path)
        complete = whole[:cut].count(b"\n") - 1
        assert len(log.samples) + len(log.turns) == complete
        assert bool(log.damage) == (not whole[:cut].endswith(b"\n"))


def test_broken_lines_in_the_middle_are_counted(tmp_path: Path) -> None:
    path = _written(tmp_path, SAMPLE)
    with path.open("ab") as file:
        file.write(b"garbage\n{}\n" + encode(SAMPLE))
    log = read_log(path)
    assert len(log.samples) == 2
    assert log.damage == ("2 lines are no record of a run log and left out.",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no run log"),
        (b"\x00" * 100, "no run log"),
        (b'{"type":"sample"}\n', "no run log"),
        (b'{"type":"run","schema":1}\n', "lacks fields"),
        (b'{"type":"run","schema":2,"more":1}\n', "newer Bedside"),
        (encode(HEADER).replace(b'"threads":2', b'"threads":"2"'), "wrong ones"),
        (encode(HEADER).replace(b'"bytes":12345', b'"bytes":1e999'), "wrong ones"),
        (encode(HEADER).replace(b'"schema":1', b'"schema":0'), "wrong ones"),
    ],
)
def test_another_file_is_refused_in_words(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=reason):
        read_log(path)


def test_a_missing_log_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        read_log(tmp_path / "none.jsonl")


@given(st.binary(max_size=300))
def test_no_line_breaks_the_reader(line: bytes) -> None:
    decode(line)


def test_a_long_run_is_cut_into_files_that_each_begin_with_the_header(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, HEADER, part_bytes=2000, folder_bytes=1_000_000)
    for _ in range(60):
        writer.write(SAMPLE)
    writer.close()
    logs = [read_log(path) for path in sorted(tmp_path.iterdir())]
    assert [log.header.part for log in logs] == list(range(1, len(logs) + 1))
    assert sum(len(log.samples) for log in logs) == 60
    assert len(logs) > 2 and all(path.stat().st_size <= 2000 for path in tmp_path.iterdir())


def test_a_week_stays_below_the_folders_size(tmp_path: Path) -> None:
    week, scale = 7 * 24 * 3600, 1000
    writer = LogWriter(
        tmp_path,
        HEADER,
        part_bytes=logwriter.PART_BYTES // scale,
        folder_bytes=logwriter.FOLDER_BYTES // scale,
    )
    largest = 0
    for _ in range(week // scale):
        writer.write(SAMPLE)
        largest = max(largest, sum(path.stat().st_size for path in tmp_path.iterdir()))
    writer.close()
    assert largest <= logwriter.FOLDER_BYTES // scale


def test_the_oldest_logs_go_and_other_files_stay(tmp_path: Path) -> None:
    for age, name in enumerate(["new.jsonl", "middle.jsonl", "old.jsonl", "notes.txt"]):
        (tmp_path / name).write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (1_000_000 - age, 1_000_000 - age))
    remove_oldest(tmp_path, 150)
    assert {path.name for path in tmp_path.iterdir()} == {"new.jsonl", "notes.txt"}


def test_a_full_disk_is_told_and_closes_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LogWriter(tmp_path, HEADER)

    def full(descriptor: int, line: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(ResourceError, match="No space left"):
            writer.write(SAMPLE)
    with pytest.raises(ResourceError, match="closed"):
        writer.write(SAMPLE)
    assert read_log(writer.path).samples == ()


def test_a_line_that_fits_only_in_part_is_a_full_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LogWriter(tmp_path, HEADER)
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, line: real(descriptor, line[:10]))
        with pytest.raises(ResourceError, match="disk is full"):
            writer.write(SAMPLE)
    assert read_log(writer.path).damage == ("The last line was torn and is left out.",)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError, match="not logged"):
        LogWriter(tmp_path / "file" / "runs", HEADER)


def test_a_week_at_one_a_second_is_kept_whole() -> None:
    longest = Sample(
        604800.1234, 15.9216, 61.825, 2400.5, 0.5312, 2**32, 2**33, 0xF000F, 0.842, 999.5
    )
    week = 7 * 24 * 3600 * len(encode(longest))
    assert week < logwriter.FOLDER_BYTES - logwriter.PART_BYTES
