"""The fixed prompt is read back at the next start, and only what is whole and its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.engine.kept_state import KeptState
from app.engine.messages import EngineSettings, Generate, Message, Warm, Warmed
from app.files import passing
from tests.app.engine.helpers import GREEDY, SYSTEM, Bench, only, said

MARKER = "Zyxomma"
QUESTION = Message("user", "What is glaucoma?")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "prompts"


@pytest.fixture
def bench(tiny_model: Path, folder: Path) -> Iterator[Bench]:
    yield _bench(tiny_model, folder)


def _bench(model: Path, folder: Path) -> Bench:
    bench = Bench()
    bench.load(model, state_folder=str(folder), model_sha256="ab" * 32)
    return bench


def _warm(bench: Bench) -> Warmed:
    return only(Warmed, bench.do(Warm((SYSTEM,))))


def _state(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_a_second_start_restores_and_answers_the_same(
    bench: Bench, tiny_model: Path, folder: Path
) -> None:
    first = _warm(bench)
    computed = bench.do(Generate((SYSTEM, QUESTION), GREEDY))
    again = _bench(tiny_model, folder)
    second = _warm(again)
    restored = again.do(Generate((SYSTEM, QUESTION), GREEDY))
    assert (first.restored, second.restored) == (False, True)
    assert first.tokens == second.tokens > 4
    assert said(restored) == said(computed) != ""
    assert again.cache[: second.tokens] == bench.cache[: first.tokens]


def test_the_first_question_reuses_the_restored_prompt(
    bench: Bench, tiny_model: Path, folder: Path
) -> None:
    _warm(bench)
    again = _bench(tiny_model, folder)
    warmed = _warm(again)
    finished = again.do(Generate((SYSTEM, QUESTION), GREEDY))[-1]
    assert finished.reused == warmed.tokens  # type: ignore[union-attr]


def test_no_word_of_a_user_is_kept(bench: Bench, folder: Path) -> None:
    _warm(bench)
    before = _state(folder).read_bytes()
    bench.do(Generate((SYSTEM, Message("user", f"I take {MARKER}.")), GREEDY))
    _warm(bench)
    ids = bench.llama.tokenize(MARKER, special=False)
    raw = b"".join(token.to_bytes(4, "little") for token in ids)
    assert _state(folder).read_bytes() == before
    assert MARKER.encode() not in before and raw not in before


def test_warming_after_a_conversation_forgets_it(bench: Bench, folder: Path) -> None:
    """What is kept then is the fixed prompt's state alone."""
    _warm(bench)
    fresh = _state(folder).read_bytes()
    _state(folder).unlink()
    bench.do(Generate((SYSTEM, Message("user", f"I take {MARKER}.")), GREEDY))
    assert _warm(bench).restored is False
    assert _state(folder).read_bytes() == fresh


def _flip(raw: bytes, place: int) -> bytes:
    return raw[:place] + bytes([raw[place] ^ 0x40]) + raw[place + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda raw: b"",
    "truncated": lambda raw: raw[: len(raw) // 2],
    "one byte short": lambda raw: raw[:-1],
    "one byte more": lambda raw: raw + b"\0",
    "foreign": lambda raw: b"GGUF" + raw[4:],
    "a bit in the numbers": lambda raw: _flip(raw, len(raw) * 3 // 4),
    "a bit in the tokens": lambda raw: _flip(raw, 14),
    "zeros": lambda raw: bytes(len(raw)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_state_is_dropped_and_computed_again(
    damage: str, bench: Bench, tiny_model: Path, folder: Path
) -> None:
    _warm(bench)
    whole = _state(folder).read_bytes()
    _state(folder).write_bytes(DAMAGE[damage](whole))
    again = _bench(tiny_model, folder)
    assert _warm(again).restored is False
    assert _state(folder).read_bytes() == whole
    assert said(again.do(Generate((SYSTEM, QUESTION), GREEDY))) == said(
        bench.do(Generate((SYSTEM, QUESTION), GREEDY))
    )


def test_another_prompt_finds_no_state(bench: Bench, folder: Path) -> None:
    _warm(bench)
    other = only(Warmed, bench.do(Warm((Message("system", "Be quick."),))))
    assert other.restored is False
    assert len(list(folder.iterdir())) == 2


def test_the_state_of_another_prompt_under_this_ones_name_is_dropped(
    bench: Bench, tiny_model: Path, folder: Path
) -> None:
    _warm(bench)
    mine = _state(folder)
    bench.do(Warm((Message("system", "Be quick."),)))
    (other,) = set(folder.iterdir()) - {mine}
    digest = other.stem.rpartition("-")[2]
    shutil.move(other, mine.with_name(f"{mine.stem.rpartition('-')[0]}-{digest}.state"))
    mine.unlink()
    assert _warm(_bench(tiny_model, folder)).restored is False


def test_the_file_and_its_folder_are_the_owners_alone(bench: Bench, folder: Path) -> None:
    _warm(bench)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert _state(folder).stat().st_mode & 0o777 == 0o600


def test_where_nothing_can_be_written_the_prompt_is_computed(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prompts").write_text("a file is in the way")
    bench = _bench(tiny_model, tmp_path / "prompts")
    assert _warm(bench).restored is False
    assert _warm(bench).tokens > 4
    assert "was not kept" in capsys.readouterr().err


def test_a_read_only_folder_still_gives_its_state(
    bench: Bench, tiny_model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    _warm(bench)
    monkeypatch.setattr(os, "utime", refuse)
    assert _warm(_bench(tiny_model, folder)).restored is True


def test_a_folder_that_cannot_be_read_costs_a_computation_only(
    bench: Bench, tiny_model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    _warm(bench)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert _warm(_bench(tiny_model, folder)).restored is False


class FakeHolder:
    """A model whose state is the text of its tokens."""

    def save_state(self, path: str, tokens: object) -> int:
        return Path(path).write_text(repr(tokens))

    def load_state(self, path: str, room: int) -> list[int]:
        return [int(one) for one in Path(path).read_text().strip("[]").split(",")][:room]

    def clear(self) -> None: ...


def test_half_a_state_that_a_kill_left_is_gone_after_the_next(folder: Path) -> None:
    folder.mkdir()
    with passing(folder, "prompt") as place:
        place.touch()
        left = place.name
    (folder / left).write_text("half")
    KeptState(folder, "ab", "0.3.36", EngineSettings()).keep(FakeHolder(), [1, 2])
    (kept,) = folder.iterdir()
    assert kept.suffix == ".state"


def test_the_oldest_states_go(folder: Path) -> None:
    kept = KeptState(folder, "ab", "0.3.36", EngineSettings())
    holder = FakeHolder()
    for number in range(6):
        kept.keep(holder, [number, 7])
        for path in folder.iterdir():  # a file of a later second, without waiting for it
            os.utime(path, (path.stat().st_atime - 10, path.stat().st_mtime - 10))
    assert [kept.restore(holder, [number, 7]) for number in range(6)] == [False] * 2 + [True] * 4


@pytest.mark.parametrize(
    "change",
    [
        {"model_sha256": "cd"},
        {"llama_cpp": "0.3.37"},
        {"settings": EngineSettings(key_type="q8_0")},
        {"settings": EngineSettings(value_type="f32")},
        {"settings": EngineSettings(flash_attention=True)},
        {"settings": EngineSettings(gpu_layers=9)},
    ],
)
def test_what_the_state_depends_on_is_in_its_name(change: dict[str, object], folder: Path) -> None:
    same: dict[str, object] = {
        "model_sha256": "ab",
        "llama_cpp": "0.3.36",
        "settings": EngineSettings(),
    }
    KeptState(folder, **same).keep(FakeHolder(), [1, 2])  # type: ignore[arg-type]
    other = KeptState(folder, **same | change)  # type: ignore[arg-type]
    assert other.restore(FakeHolder(), [1, 2]) is False
    assert len(list(folder.iterdir())) == 1


def test_nothing_is_kept_without_a_folder_or_a_hash(tiny_model: Path, folder: Path) -> None:
    for fields in ({"state_folder": str(folder)}, {"model_sha256": "ab"}):
        bench = Bench()
        bench.load(tiny_model, **fields)
        _warm(bench)
    assert not folder.exists()
