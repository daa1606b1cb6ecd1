"""Keeping a conversation: what is written comes back, and nothing of it is lost on the way."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from itertools import accumulate
from pathlib import Path

import pytest

from app.conversation.turns import Answer, Turn
from app.conversation.vault import (
    About,
    Contents,
    DamagedVaultError,
    Passphrase,
    Vault,
    WrongPassphraseError,
    read_vault,
    titles,
)
from app.conversation.vault.format import Cost
from app.conversation.vault.reading import read_open
from app.errors import BadInputError, ResourceError, UsageError
from tests.app.conversation.vault.files import CHEAP, HEADER, TURNS, WORDS, records_of
from tests.shared import ROOT

ABOUT = About("Eyes", "tiny", "Do not rely on this.")


@pytest.fixture
def passphrase() -> Passphrase:
    return Passphrase(WORDS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def keep(folder: Path, passphrase: Passphrase, *turns: Turn, about: About = ABOUT) -> Path:
    with Vault.create(folder, passphrase, about, CHEAP) as vault:
        for turn in turns:
            vault.append(turn)
    return vault.path


def test_what_was_kept_comes_back_and_goes_on(folder: Path, passphrase: Passphrase) -> None:
    path = keep(folder, passphrase, *TURNS[:2])
    with Vault.open(path, Passphrase(WORDS)) as vault:
        assert (vault.turns, vault.about, vault.torn) == (TURNS[:2], ABOUT, False)
        vault.append(TURNS[2])
        vault.rename("Other")
    contents = read_vault(path, passphrase)
    assert (contents.turns, contents.torn, contents.damage) == (TURNS, False, None)
    assert contents.about == About("Other", "tiny", "Do not rely on this.")


def test_only_its_owner_can_see_it(folder: Path, passphrase: Passphrase) -> None:
    path = keep(folder, passphrase)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [one.name for one in folder.iterdir()] == [path.name]


def test_the_standard_cost_is_within_its_memory(folder: Path, passphrase: Passphrase) -> None:
    with Vault.create(folder, passphrase) as vault:
        vault.append(TURNS[0])
    raw = vault.path.read_bytes()
    log_n, r, p = raw[10:13]
    assert 128 * r * 2**log_n <= 64_000_000
    assert 2**log_n * r * p >= 2**17 * 5, "OWASP's least for scrypt"
    assert read_vault(vault.path, passphrase).turns == TURNS[:1]


def test_a_marker_is_nowhere_in_clear(folder: Path, passphrase: Passphrase) -> None:
    marker = "Quixotropia"
    turn = Turn(f"{marker}?", (Answer(f"Yes, {marker}.", "stop"),))
    keep(folder, passphrase, turn, about=About(title=marker, model=marker))
    for path in folder.rglob("*"):
        assert marker.encode() not in path.read_bytes()
        assert marker not in path.name


def test_lengths_tell_little(folder: Path, passphrase: Passphrase) -> None:
    one = keep(folder, passphrase, Turn("Yes?", (Answer("No.", "stop"),)))
    other = keep(folder, passphrase, Turn("What is it then?", (Answer("Nothing " * 9, "stop"),)))
    assert one.stat().st_size == other.stat().st_size


def test_the_same_words_are_sealed_differently_each_time(
    folder: Path, passphrase: Passphrase
) -> None:
    one, other = (windows(keep(folder, passphrase, TURNS[0]).read_bytes()) for _ in range(2))
    assert not one & other


def windows(raw: bytes) -> set[bytes]:
    """All runs of 12 bytes of a file's records: longer than the open part of one."""
    return {raw[n : n + 12] for n in range(HEADER, len(raw) - 11)}


def test_keep_writes_what_is_new_or_changed(folder: Path, passphrase: Passphrase) -> None:
    with Vault.create(folder, passphrase, cost=CHEAP) as vault:
        vault.keep(TURNS[:2])
        size = vault.path.stat().st_size
        vault.keep(TURNS[:2])
        assert vault.path.stat().st_size == size
        again = Turn("What is glaucoma?", (*TURNS[0].answers, Answer("More.", "stop")))
        vault.keep([again, *TURNS[1:]])
        vault.keep([again])  # a turn that was taken back for good
        assert vault.turns == (again, *TURNS[1:])
    assert read_vault(vault.path, passphrase).turns == (again, *TURNS[1:])


def test_short_passphrases_are_refused_where_something_is_kept(folder: Path) -> None:
    with pytest.raises(UsageError, match="8 characters"):
        Vault.create(folder, Passphrase("1234567"))
    assert not folder.exists()
    with Vault.create(folder, Passphrase("12345678"), cost=CHEAP) as vault:
        path = vault.path
    with pytest.raises(WrongPassphraseError):
        Vault.open(path, Passphrase("1234567"))


@pytest.mark.parametrize(
    ("typed", "again"),
    [("caf\u00e9 au lait", "cafe\u0301 au lait"), ("\ud800 eight chars", "\ud800 eight chars")],
)
def test_keyboards_write_the_same_passphrase(folder: Path, typed: str, again: str) -> None:
    path = keep(folder, Passphrase(typed), TURNS[0])
    assert read_vault(path, Passphrase(again)).turns == TURNS[:1]


def test_a_wrong_passphrase_is_told_and_nothing_is_said_of_it(
    folder: Path, passphrase: Passphrase
) -> None:
    path = keep(folder, passphrase, *TURNS)
    secret = "Quixotropia-1"
    for attempt in (Vault.open, read_vault, lambda _, words: titles(folder, words)):
        words = Passphrase(secret)
        with pytest.raises(WrongPassphraseError) as caught:
            attempt(path, words)
        seen: BaseException | None = caught.value
        while seen is not None:
            assert secret not in f"{seen!r} {seen} {words!r}"
            seen = seen.__cause__ or seen.__context__


def test_one_vault_has_one_writer(folder: Path, passphrase: Passphrase) -> None:
    with Vault.create(folder, passphrase, cost=CHEAP) as vault:
        with pytest.raises(UsageError, match="another Bedside"):
            Vault.open(vault.path, passphrase)
        with pytest.raises(UsageError, match="another Bedside"):
            Vault.delete(vault.path)
        vault.append(TURNS[0])
        assert read_vault(vault.path, passphrase).turns == TURNS[:1]
    Vault.open(vault.path, passphrase).close()
    Vault.delete(vault.path)
    assert list(folder.iterdir()) == []


def test_only_kept_conversations_are_deleted(tmp_path: Path) -> None:
    other = tmp_path / "letter.md"
    other.write_text("dear")
    for path in (other, tmp_path / "00000000.vault"):
        with pytest.raises(BadInputError):
            Vault.delete(path)
    assert other.exists()


def test_titles(folder: Path, passphrase: Passphrase) -> None:
    named = keep(folder, passphrase, TURNS[0])
    unnamed = keep(folder, passphrase, Turn("My\n\x1b[2J eyes " + "x" * 90), about=About())
    empty = keep(folder, passphrase, about=About())
    other = keep(folder, Passphrase("another passphrase"), TURNS[0])
    for order, path in enumerate((named, unnamed, empty, other)):
        os.utime(path, (order, order))
    (folder / "11111111.vault").write_bytes(b"no vault")
    (folder / "22222222.vault").symlink_to(named)
    os.mkfifo(folder / "33333333.vault")
    (folder / "notes.txt").write_text("mine")
    listing = titles(folder, passphrase)
    assert [(one.path, one.turns, one.written) for one in listing.titles] == [
        (empty, 0, 2.0),
        (unnamed, 1, 1.0),
        (named, 1, 0.0),
    ]
    assert [one.title[:9] for one in listing.titles] == ["(nothing ", "My eyes x", "Eyes"]
    assert len(listing.titles[1].title) == 60
    assert listing.others == 1
    assert {path.stem for path, _ in listing.refused} == {"11111111", "22222222", "33333333"}


def test_an_empty_list_asks_for_nothing(folder: Path, passphrase: Passphrase) -> None:
    assert titles(folder, passphrase).titles == ()


def test_the_list_takes_one_scrypt(
    folder: Path, passphrase: Passphrase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        keep(folder, Passphrase(WORDS), TURNS[0])
    derived: list[bytes] = []
    derive = Passphrase._derive

    def counted(words: Passphrase, cost: Cost, salt: bytes) -> bytes:
        derived.append(salt)
        return derive(words, cost, salt)

    monkeypatch.setattr(Passphrase, "_derive", counted)
    assert len(titles(folder, passphrase).titles) == 3
    assert len(derived) == 1


def test_a_stranger_cannot_choose_the_salt(folder: Path, passphrase: Passphrase) -> None:
    known = keep(folder, Passphrase("the stranger's own"), TURNS[0]).read_bytes()[29:45]
    assert keep(folder, passphrase).read_bytes()[29:45] != known


class Disk:
    """Lets so many bytes through, then fails, as `os.pwrite`."""

    def __init__(self, room: int, number: int = errno.ENOSPC) -> None:
        self.room, self.number = room, number
        self._write = os.pwrite

    def pwrite(self, descriptor: int, content: bytes, offset: int) -> int:
        if self.room == 0:
            raise OSError(self.number, os.strerror(self.number))
        part = content[: self.room]
        self.room -= len(part)
        return self._write(descriptor, part, offset)


@pytest.mark.parametrize("room", [0, 1, 8, 100, 547])
@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "full"), (errno.EIO, "Input/output")])
def test_a_disk_that_fails_costs_that_turn_alone(
    folder: Path,
    passphrase: Passphrase,
    monkeypatch: pytest.MonkeyPatch,
    room: int,
    number: int,
    said: str,
) -> None:
    with Vault.create(folder, passphrase, cost=CHEAP) as vault:
        vault.append(TURNS[0])
        size = vault.path.stat().st_size
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", Disk(room, number).pwrite)
            with pytest.raises(ResourceError, match=f"not kept .*{said}.*goes on"):
                vault.keep(TURNS[:2])
        assert vault.path.stat().st_size == size
        assert vault.turns == TURNS[:1]
        vault.keep(TURNS)  # there is room again
    assert read_vault(vault.path, passphrase).turns == TURNS


def test_a_disk_that_fails_for_good_leaves_what_was_kept(
    folder: Path, passphrase: Passphrase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "gone")

    with Vault.create(folder, passphrase, cost=CHEAP) as vault:
        vault.append(TURNS[0])
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(ResourceError):
            vault.append(TURNS[1])
        monkeypatch.setattr(os, "ftruncate", fail)
        with pytest.raises(ResourceError):
            vault.append(TURNS[1])
    assert read_vault(vault.path, passphrase).turns == TURNS[:1]


def test_a_full_disk_at_the_beginning_leaves_no_file(
    folder: Path, passphrase: Passphrase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="full"):
        Vault.create(folder, passphrase, cost=CHEAP)
    assert list(folder.iterdir()) == []


def test_a_file_that_was_deleted_meanwhile_is_told(folder: Path, passphrase: Passphrase) -> None:
    with Vault.create(folder, passphrase, cost=CHEAP) as vault:
        vault.path.unlink()
        with pytest.raises(ResourceError, match="was deleted"):
            vault.append(TURNS[0])


def test_a_turn_that_is_too_long_is_told(folder: Path, passphrase: Passphrase) -> None:
    with Vault.create(folder, passphrase, cost=CHEAP) as vault:
        with pytest.raises(ResourceError, match="too long"):
            vault.append(Turn("x" * 5_000_000))
        vault.append(TURNS[0])
    assert read_vault(vault.path, passphrase).turns == TURNS[:1]


@pytest.mark.parametrize("zeros", [False, True])
def test_no_finished_turn_is_lost_wherever_the_writing_ended(
    folder: Path, passphrase: Passphrase, zeros: bool
) -> None:
    """`kill -9` cuts a write short; a loss of power may leave zeros where it did not arrive."""
    path = keep(folder, passphrase, *TURNS[:2])
    raw = path.read_bytes()
    ends = [HEADER, *accumulate(map(len, records_of(raw)), initial=HEADER)]
    for length in range(HEADER, len(raw)):
        end = next(end for end in ends if end > length)
        missing = end - length if zeros and length not in ends else 0
        if 0 < missing < 16:
            continue  # less than a tag of zeros is called damage
        left = raw[:length] + bytes(missing)
        contents = in_memory(left, passphrase)
        finished = max(sum(end <= length for end in ends[2:]) - 1, 0)
        assert contents.turns == TURNS[:finished], length
        assert contents.damage is None, length
        assert contents.torn is (length not in ends), length
        if length % 97 == 0:
            path.write_bytes(left)
            goes_on(path, passphrase)


def in_memory(raw: bytes, passphrase: Passphrase) -> Contents:
    """What a file of these bytes holds; a disk would take a minute over thousands of them."""
    descriptor = os.memfd_create("vault")
    try:
        os.write(descriptor, raw)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return read_open(descriptor, passphrase)[2]
    finally:
        os.close(descriptor)


def goes_on(path: Path, passphrase: Passphrase) -> None:
    """Add a turn to what there is."""
    before = read_vault(path, passphrase)
    with Vault.open(path, passphrase) as vault:
        assert vault.torn is before.torn
        vault.append(TURNS[2])
    whole = read_vault(path, passphrase)
    assert (whole.turns, whole.torn) == ((*before.turns, TURNS[2]), False)


def test_a_flipped_bit_anywhere_is_found(folder: Path, passphrase: Passphrase) -> None:
    raw = keep(folder, passphrase, *TURNS[:2]).read_bytes()
    for place in range(len(raw)):
        flipped = _flipped(raw, place, 1 << place % 8)
        if place < HEADER:
            # Magic and version make it another file; the rest is damage, no wrong passphrase.
            kind = BadInputError if place < 10 else DamagedVaultError
            with pytest.raises(kind):
                in_memory(flipped, passphrase)
        else:
            assert in_memory(flipped, passphrase).damage is not None, place


def test_damage_is_not_written_to(folder: Path, passphrase: Passphrase) -> None:
    path = keep(folder, passphrase, *TURNS[:2])
    flipped = _flipped(path.read_bytes(), HEADER + 30, 1)
    path.write_bytes(flipped)
    with pytest.raises(DamagedVaultError):
        Vault.open(path, passphrase)
    assert path.read_bytes() == flipped


def test_what_stands_before_damage_can_still_be_read(folder: Path, passphrase: Passphrase) -> None:
    path = keep(folder, passphrase, *TURNS)
    raw = path.read_bytes()
    path.write_bytes(_flipped(raw, len(raw) - 5, 1))
    contents = read_vault(path, passphrase)
    assert contents.turns == TURNS[:2]
    assert "export --damaged" in str(contents.damage)
    assert titles(folder, passphrase).titles[0].damaged
    assert path.read_bytes() != raw, "and nothing was cut off"
    assert len(path.read_bytes()) == len(raw)


def _flipped(raw: bytes, place: int, mask: int) -> bytes:
    return raw[:place] + bytes([raw[place] ^ mask]) + raw[place + 1 :]


WRITER = """
import sys
from pathlib import Path
from app.conversation.turns import Answer, Turn
from app.conversation.vault import Passphrase, Vault
from tests.app.conversation.vault.files import CHEAP, WORDS
vault = Vault.create(Path(sys.argv[1]), Passphrase(WORDS), cost=CHEAP)
for number in range(100_000):
    vault.append(Turn(f"{number}?", (Answer("x" * 3000, "stop"),)))
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [0, 3, 17])
def test_kill_9_loses_no_turn_that_was_told_to_be_kept(
    folder: Path, passphrase: Passphrase, after: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    with process.stdout as told:
        for _ in range(after + 1):
            told.readline()
        process.send_signal(signal.SIGKILL)
        last = after + len(told.read().splitlines())
    process.wait()
    (path,) = folder.glob("*.vault")
    contents = read_vault(path, passphrase)
    assert contents.damage is None
    assert len(contents.turns) >= last + 1
    assert [turn.question for turn in contents.turns] == [
        f"{number}?" for number in range(len(contents.turns))
    ]
