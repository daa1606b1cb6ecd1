"""Runs: what they hand on, the same from the same seed, and the same after a stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import BadInputError, ResourceError, UsageError
from converter.evaluate import batches
from converter.evaluate.evaluation import Evaluation, Mode, Settings
from converter.evaluate.material import gather
from converter.evaluate.paired import way
from converter.evaluate.passages import Retrieved
from converter.evaluate.record import record
from converter.evaluate.resume import Kept
from converter.evaluate.run import Candidate, asked_for, run
from tests.converter.evaluate.asking import ask, questions, yes_no
from tests.converter.evaluate.conftest import Small

COUNT = 12


def kept(model: Small, path: Path, settings: Settings, *, resume: bool = True) -> Kept:
    candidate = Candidate(model.file, "3" * 64)
    told = asked_for(candidate, gather(questions(COUNT), settings), settings)
    return Kept(path, told, resume=resume)


def stopped(model: Small, path: Path, settings: Settings, after: int) -> None:
    """A run that Ctrl-C ends after so many batches."""

    def stop(done: int, total: int) -> None:
        nonlocal after
        after -= 1
        if not after:
            raise KeyboardInterrupt

    material = gather(questions(COUNT), settings)
    candidate = Candidate(model.file, "3" * 64)
    with kept(model, path, settings) as so_far, pytest.raises(KeyboardInterrupt):
        run(candidate, material, settings, threads=1, kept=so_far, progress=stop)


@pytest.mark.parametrize("mode", ["letter", "text", "write"])
def test_resumed_equals_uninterrupted_byte_for_byte(
    small: Small, tmp_path: Path, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_WRITTEN", 256)
    settings = Settings(mode=mode, write_tokens=8)
    whole = record([ask(small, questions(COUNT), settings)])
    for answered in (1, 2):
        path = tmp_path / f"{answered}.jsonl"
        stopped(small, path, settings, answered)
        with kept(small, path, settings) as so_far:
            assert 0 < len(so_far.outcomes) < COUNT
            so_far.seconds = 0.0
            resumed = ask(small, questions(COUNT), settings, kept=so_far)
        assert record([resumed]) == whole
        with kept(small, path, settings) as so_far:
            assert tuple(so_far.outcomes) == resumed.outcomes
            again = ask(small, questions(COUNT), settings, kept=so_far)
        assert again.outcomes == resumed.outcomes, "nothing is left to ask"


def test_the_same_seed_gives_the_same_report(small: Small) -> None:
    settings = Settings(limit=5, seed=3)
    first, second = (record([ask(small, questions(COUNT), settings)]) for _ in range(2))
    assert first == second
    other = ask(small, questions(COUNT), Settings(limit=5, seed=4))
    assert record([other]) != first


def test_what_an_evaluation_hands_on(small: Small) -> None:
    settings = Settings(limit=4, shots=1)
    found = ask(small, questions(COUNT), settings, train=questions(3, first=70))
    assert isinstance(found, Evaluation)
    assert (found.task, found.model, found.available) == ("organs", "small.gguf", COUNT)
    assert (len(found.outcomes), found.available, found.context) == (4, COUNT, 512)
    assert found.settings == replace(settings, passages="none"), "the set publishes none"
    assert found.census.parameters > 10_000
    assert set(found.versions) == {"bedside", "llama-cpp-python", "numpy"}
    assert (found.train_sha256, found.passages_sha256) == ("1" * 64, "")
    asked = {question.id: question for question in questions(COUNT).questions}
    for one in found.outcomes:
        assert (one.truth, one.subject) == (asked[one.id].answer, asked[one.id].subject)


def test_only_what_took_effect_is_said_to_have_been_asked(small: Small, untemplated: Small) -> None:
    settings = Settings(system="Be brief.")
    with_all = ask(small, yes_no(2), settings)
    assert with_all.settings == settings
    without = ask(untemplated, yes_no(2), settings)
    assert without.settings == replace(settings, template=False, system="")
    assert without.template.endswith("the plain form was used, without the system message")
    assert way(without) == "by word, 0-shot, plain prompt, passages as published"
    assert way(ask(small, questions(2), settings)) == "by letter, 0-shot, chat template"


def test_a_question_longer_than_the_context_is_counted_and_named(small: Small) -> None:
    asked = yes_no(4)
    long = Retrieved(
        {question.id: ("word " * 300 if place == 2 else "A word.",)
         for place, question in enumerate(asked.questions)}, "found.jsonl", "4" * 64
    )  # fmt: skip
    settings = Settings(passages="reference", template=False)
    found = ask(small, asked, settings, retrieved=long)
    assert [one.fits for one in found.outcomes] == [True, True, False, True]
    third = found.outcomes[2]
    assert (third.choice, third.scores, third.correct) == (None, (), False)
    assert third.tokens > 512
    tight = ask(small, asked, Settings(template=False, context=40))
    assert tight.context == 40
    assert not any(one.fits for one in tight.outcomes)
    wide = ask(small, asked, Settings(template=False, context=9999))
    assert wide.context == 512, "the model was trained on no more"


def test_other_questions_are_no_run_to_go_on_with(small: Small, tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    stopped(small, path, Settings(), 1)
    with pytest.raises(UsageError, match="a run with other mode, seed; give what was given"):
        kept(small, path, Settings(mode="text", seed=1))
    with pytest.raises(UsageError, match="go on with --resume"):
        kept(small, path, Settings(), resume=False)


def test_a_run_that_answered_nothing_is_not_in_the_way(small: Small, tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    for seed in (1, 2):
        with kept(small, path, Settings(seed=seed), resume=False) as so_far:
            assert so_far.outcomes == []
    assert path.read_bytes().count(b"\n") == 1


def test_two_runs_cannot_write_one_file(small: Small, tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    with kept(small, path, Settings()), pytest.raises(UsageError, match="Another run is writing"):
        kept(small, path, Settings())


def test_a_torn_end_is_dropped_and_told_and_damage_before_it_is_refused(
    small: Small, tmp_path: Path
) -> None:
    path, settings = tmp_path / "kept.jsonl", Settings(mode="text")
    stopped(small, path, settings, 2)
    whole = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == 10]
    with kept(small, path, settings) as so_far:
        assert not so_far.torn
        first = len(so_far.outcomes)
    for length in range(ends[0] + 1, len(whole), 97):
        path.write_bytes(whole[:length])
        with kept(small, path, settings) as so_far:
            assert so_far.torn == (length not in ends)
            assert len(so_far.outcomes) < first
        assert path.read_bytes() == whole[: max(end for end in ends if end <= length)]
    path.write_bytes(whole[: ends[0] - 9])
    with kept(small, path, settings) as so_far:
        assert (so_far.torn, so_far.outcomes) == (True, [])
        ask(small, questions(COUNT), settings, kept=so_far)
    with kept(small, path, settings) as so_far:
        assert (so_far.torn, len(so_far.outcomes)) == (False, COUNT)
    path.write_bytes(whole[:ends[0]] + whole[ends[0]:].replace(b"q1", b"q9", 1))  # fmt: skip
    with pytest.raises(BadInputError, match=r"Line 2 of .* is damaged, and more follows"):
        kept(small, path, settings)


def test_a_full_disk_is_a_sentence(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kept(small, tmp_path / "kept.jsonl", Settings()) as so_far:
        monkeypatch.setattr("os.write", _full)
        with pytest.raises(
            ResourceError, match=r"disk filled up .* 0 answers are kept .* --resume"
        ):
            ask(small, questions(COUNT), Settings(), kept=so_far)


def _full(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_a_folder_that_is_not_there(small: Small, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written there"):
        kept(small, tmp_path / "none" / "kept.jsonl", Settings())


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        b'{"question": "What is asthma?"}\n',
        b"notes",
        b"\n",
        b'{"crc32":"00000000","record":{}}\n',
        b'{"crc32":"561bacaf","record":{"a":1}}\n',
        b'one line\n{"and": "another"}\n',
    ],
    ids=["json", "text", "empty-line", "other-sum", "no-run", "two-lines"],
)
def test_a_file_that_is_no_runs_is_left_as_it_is(
    content: bytes, resume: bool, small: Small, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="is no run's file and would be lost"):
        kept(small, path, Settings(), resume=resume)
    assert path.read_bytes() == content


@pytest.mark.parametrize("length", [0, 1, 10, 12, 40])
def test_a_run_killed_at_its_first_line_begins_anew(
    length: int, small: Small, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    with kept(small, path, Settings()):
        whole = path.read_bytes()
    path.write_bytes(whole[:length])
    with kept(small, path, Settings(), resume=False) as so_far:
        assert so_far.outcomes == []
    assert path.read_bytes() == whole
