"""A run from start to end in its log: samples, turns with their energy, and reasons once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.engine.messages import Finished, Loaded
from app.monitor.logreader import RunLog, read_log
from app.monitor.reading import Reading
from app.monitor.recorder import RunRecorder
from app.monitor.sampler import Sampler
from tests.app.monitor.boards import bare, pi5

MODEL = Loaded(
    name="small",
    architecture="llama",
    parameters=1000,
    bytes=2000,
    census={"Q4_K": 1},
    trained_context=512,
    context=512,
    template="file",
    system_info="",
    llama_cpp="0.3.36",
    extra_buffers=True,
)
FINISHED = Finished("stop", 50, 30, 20, 10, 1.0, 2.0, 4096)


class Run:
    """A recorder with a clock of its own and readings made by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "runs"
        self.now = 100.0
        self.problems: list[str] = []
        self.sampler = Sampler(bare(folder))
        self.recorder = RunRecorder(
            self.folder, "generic", self.problems.append, bare(folder), lambda: self.now
        )
        self.recorder.start(MODEL, None, 3, self.sampler)

    def read(self, at: float, watts: float | None, **reasons: str) -> None:
        """A reading at a time since the start."""
        self.recorder.on_reading(Reading(100.0 + at, power_w=watts, unavailable=reasons))

    def turn(self, asked: float, first: float | None, ended: float) -> None:
        """A turn, in seconds since the start."""
        first_at = None if first is None else 100.0 + first
        self.recorder.turn_finished(FINISHED, 100.0 + asked, first_at, 100.0 + ended)

    def log(self) -> RunLog:
        """The one file that was written."""
        (path,) = self.folder.iterdir()
        return read_log(path)


class _Sampled(Sampler):
    """A sampler that has read once already."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._latest = reading


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_a_turn_is_written_with_the_reading_that_spans_it(run: Run) -> None:
    run.read(0.0, 3.0)
    run.read(1.0, 5.0)
    run.read(2.0, 5.0)
    run.turn(0.5, 1.25, 2.5)
    assert run.log().turns == ()
    run.read(3.0, 7.0)
    (turn,) = run.log().turns
    # 0.5 to 1: (4 + 5) / 2 * 0.5; 1 to 2: 5; 2 to 2.5: (5 + 6) / 2 * 0.5.
    assert turn.energy_j == pytest.approx(2.25 + 5 + 2.75)
    assert (turn.t0, turn.t1, turn.samples) == (0.5, 2.5, 2)
    assert turn.ttft_s == pytest.approx(0.75)
    assert (turn.prompt_tokens, turn.reused, turn.evaluated, turn.generated) == (50, 30, 20, 10)


def test_a_question_at_the_very_start_is_spanned_by_the_reading_before(tmp_path: Path) -> None:
    recorder = RunRecorder(tmp_path / "runs", "generic", print, bare(tmp_path), lambda: 100.0)
    sampler = _Sampled(Reading(99.5, power_w=4.0))
    recorder.start(MODEL, None, 3, sampler)
    recorder.turn_finished(FINISHED, 100.0, None, 101.75)
    for at in (100.5, 101.5, 102.0):
        recorder.on_reading(Reading(at, power_w=4.0))
    (path,) = (tmp_path / "runs").iterdir()
    assert [turn.energy_j for turn in read_log(path).turns] == pytest.approx([7.0])


def test_one_sample_in_a_turn_gives_no_energy_and_says_why(run: Run) -> None:
    run.read(0.0, 3.0)
    run.read(1.0, 3.0)
    run.turn(0.9, None, 1.1)
    run.read(2.0, 3.0)
    log = run.log()
    assert (log.turns[0].energy_j, log.turns[0].samples, log.turns[0].ttft_s) == (None, 1, None)
    assert any(note.field == "energy_j" for note in log.notes)


def test_no_power_is_null_with_its_reason_once(run: Run) -> None:
    for second in range(5):
        run.read(second, None, power_w="no sensor")
    run.turn(1.0, 2.0, 3.0)
    run.read(5, None, power_w="no sensor")
    log = run.log()
    assert log.header.unavailable["power_w"] == "no sensor"
    assert log.header.power is None
    assert log.notes == ()
    assert log.turns[0].energy_j is None
    assert all(sample.power_w is None for sample in log.samples)


def test_a_new_reason_is_noted_once(run: Run) -> None:
    run.read(0, 3.0)
    run.read(1, None, power_w="it hangs")
    run.read(2, None, power_w="it hangs")
    notes = run.log().notes
    assert [(note.t, note.field, note.text) for note in notes] == [(1.0, "power_w", "it hangs")]


def test_the_end_writes_what_is_left_and_closes(run: Run) -> None:
    run.read(0, 3.0)
    run.turn(0.1, 0.2, 0.4)
    run.now = 101.5
    run.recorder.end("left")
    log = run.log()
    assert len(log.turns) == 1 and log.turns[0].energy_j is None
    assert log.end is not None and (log.end.t, log.end.reason) == (1.5, "left")
    run.recorder.end("again")
    assert run.log() == log


def test_a_run_that_ends_before_a_reading_has_a_header(run: Run) -> None:
    run.recorder.end("left")
    assert run.log().header.unavailable["power_w"] == "nothing has been read yet"


def test_a_run_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    RunRecorder(tmp_path / "runs", "generic", print).end("left")
    assert not (tmp_path / "runs").exists()


def test_the_header_names_model_versions_and_what_is_missing(run: Run) -> None:
    run.read(0, 3.0)
    header = run.log().header
    assert (header.board, header.threads, header.model.name) == ("generic", 3, "small")
    assert header.versions["llama_cpp"] == "0.3.36"
    assert {"idle_w", "model.sha256", "governor"} <= set(header.unavailable)


def test_a_log_that_cannot_be_written_is_told_once_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    run = Run(tmp_path)
    for second in range(3):
        run.read(second, 3.0)
    run.turn(0.0, 0.5, 2.0)
    run.recorder.end("left")
    assert len(run.problems) == 1


def test_a_sampler_on_a_fake_pi_fills_a_log(tmp_path: Path) -> None:
    devices = pi5(tmp_path / "board")
    sampler = Sampler(devices, interval_s=0.02)
    recorder = RunRecorder(tmp_path / "runs", "pi5-8gb", print, devices)
    recorder.start(MODEL, "ab" * 32, 2, sampler)
    sampler.start()
    sampler.stop()
    recorder.end("left")
    (path,) = (tmp_path / "runs").iterdir()
    log = read_log(path)
    assert log.header.power is not None and log.header.power.source == "pmic"
    assert (log.header.governor, log.header.throttled) == ("ondemand", 0)
    assert log.samples and all(sample.power_w is not None for sample in log.samples)
    assert log.samples[0].t >= 0
    assert json.loads(path.read_bytes().splitlines()[0])["model"]["sha256"] == "ab" * 32


def test_prefill_and_decoding_have_joules_of_their_own(run: Run) -> None:
    for second, watts in enumerate((2.0, 2.0, 4.0, 4.0, 6.0, 6.0, 6.0, 6.0)):
        run.read(second, watts)
    run.turn(1.0, 4.5, 6.0)
    run.read(8, 2.0)
    (turn,) = run.log().turns
    # FINISHED has 1 s of prefill and 2 s of decoding, which end the turn: 3 to 4 and 4 to 6.
    assert turn.prefill_j == pytest.approx(5.0)
    assert turn.decode_j == pytest.approx(12.0)
    assert turn.decode_samples == 3
    assert turn.energy_j == pytest.approx(3.0 + 4.0 + 5.0 + 12.0)


def test_a_suspended_machine_gets_a_note_and_no_energy_is_invented(run: Run) -> None:
    run.recorder.on_reading(Reading(100.0, power_w=3.0, suspended_s=50.0))
    run.recorder.on_reading(Reading(101.0, power_w=3.0, suspended_s=650.0))
    run.turn(0.2, 0.5, 1.5)
    for second in (2, 3, 4):
        run.recorder.on_reading(Reading(100.0 + second, power_w=3.0, suspended_s=650.0))
    run.turn(2.5, 2.6, 4.5)
    run.recorder.on_reading(Reading(105.0, power_w=3.0, suspended_s=650.0))
    log = run.log()
    assert [turn.energy_j for turn in log.turns] == [None, pytest.approx(3.0 * 2.0)]
    notes = [(note.field, note.text) for note in log.notes]
    assert ("gap", "the machine was suspended for 600 s") in notes
    assert ("energy_j", "the machine was suspended in the turn") in notes


def test_a_stretch_without_readings_is_noted(run: Run) -> None:
    run.read(0, 3.0)
    run.read(9, 3.0)
    assert [note.text for note in run.log().notes] == ["nothing was read for 9.0 s"]
