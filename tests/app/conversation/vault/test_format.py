"""The bytes of a kept conversation: one fault a file, each with the error it must end in."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.conversation.turns import Answer, Turn
from app.conversation.vault import (
    About,
    DamagedVaultError,
    NewerVaultError,
    Passphrase,
    Vault,
    WrongPassphraseError,
    read_vault,
)
from app.conversation.vault.format import Cost
from app.conversation.vault.records import Kept, decode, encode
from app.errors import BadInputError, BedsideError
from tests.app.conversation.vault.files import (
    HEADER,
    WORDS,
    Oracle,
    head,
    plain_turn,
    records_of,
)

ORACLE = Oracle()
PLAINS = (
    b'{"about": {"title": "Eyes", "model": "tiny"}}',
    plain_turn(0, "One?", ("First.", "stop")),
    plain_turn(1, "Two?", ("Second.", "length")),
    plain_turn(0, "One?", ("First.", "stop"), ("Other.", "stop")),
)
GOOD = ORACLE.file(*PLAINS)
RECORDS = records_of(GOOD)
PASSPHRASE = Passphrase(WORDS)
ONE = Turn("One?", (Answer("First.", "stop"),))
TWO = Turn("Two?", (Answer("Second.", "length"),))
AGAIN = Turn("One?", (*ONE.answers, Answer("Other.", "stop")))
BEGINNINGS = [(), (ONE,), (ONE, TWO), (AGAIN, TWO)]
"""The turns after so many records."""


def join(*records: bytes) -> bytes:
    return ORACLE.header() + b"".join(records)


def checked(content: bytes) -> bytes:
    """A header's content with a checksum that holds, as whoever means harm would make it."""
    return content + zlib.crc32(content).to_bytes(4, "little")


def test_a_file_of_the_oracles_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.vault"
    path.write_bytes(GOOD)
    contents = read_vault(path, PASSPHRASE)
    assert contents.about == About("Eyes", "tiny")
    assert contents.turns == BEGINNINGS[-1]
    assert (contents.records, contents.end) == (4, len(GOOD))


FAULTS: dict[str, tuple[bytes, type[BedsideError]]] = {
    "empty": (b"", BadInputError),
    "another magic": (b"BEDVAULX" + GOOD[8:], BadInputError),
    "a model": (b"GGUF" + bytes(200), BadInputError),
    "a header cut short": (GOOD[: HEADER - 1], DamagedVaultError),
    "version 0": (replace(ORACLE, version=0).file(*PLAINS), DamagedVaultError),
    "version 2": (replace(ORACLE, version=2).file(*PLAINS), NewerVaultError),
    "version 2 with another header": (
        replace(ORACLE, version=2).fields() + bytes(90),
        NewerVaultError,
    ),
    "N of 1": (replace(ORACLE, log_n=0).header(bytes(32)), DamagedVaultError),
    "N of 2^63": (replace(ORACLE, log_n=63).header(bytes(32)), DamagedVaultError),
    "128 MiB": (replace(ORACLE, log_n=17, r=8).header(bytes(32)), DamagedVaultError),
    "r of 0": (replace(ORACLE, r=0).header(bytes(32)), DamagedVaultError),
    "r of 255": (replace(ORACLE, r=255).header(bytes(32)), DamagedVaultError),
    "p of 0": (replace(ORACLE, p=0).header(bytes(32)), DamagedVaultError),
    "p of 255": (replace(ORACLE, p=255).header(bytes(32)), DamagedVaultError),
    "a checksum that is wrong": (GOOD[: HEADER - 1] + b"?" + GOOD[HEADER:], DamagedVaultError),
    "another passphrase": (
        replace(ORACLE, words="another one").file(*PLAINS),
        WrongPassphraseError,
    ),
    "an HMAC that was forged": (
        ORACLE.header(bytes(32)) + b"".join(RECORDS),
        WrongPassphraseError,
    ),
    "another file id": (
        checked(replace(ORACLE, file_id=bytes(16)).fields() + GOOD[45:77]) + GOOD[HEADER:],
        WrongPassphraseError,
    ),
    "a cheaper scrypt": (
        checked(replace(ORACLE, p=2).fields() + GOOD[45:77]) + GOOD[HEADER:],
        WrongPassphraseError,
    ),
    "two records exchanged": (join(RECORDS[0], RECORDS[2], RECORDS[1]), DamagedVaultError),
    "the first record missing": (join(*RECORDS[1:]), DamagedVaultError),
    "one missing in the middle": (join(RECORDS[0], *RECORDS[2:]), DamagedVaultError),
    "one twice": (join(RECORDS[0], RECORDS[1], RECORDS[1]), DamagedVaultError),
    "one of another file": (
        join(RECORDS[0], replace(ORACLE, file_id=b"\x33" * 16).record(1, PLAINS[1])),
        DamagedVaultError,
    ),
    "a length of nothing": (join(RECORDS[0], head(0)), DamagedVaultError),
    "a length without a tag": (join(RECORDS[0], head(27) + bytes(26) + b"?"), DamagedVaultError),
    "a length of 4 GiB": (join(RECORDS[0], head(2**32 - 1) + b"?" * 99), DamagedVaultError),
    "a length that is wrong": (
        join(RECORDS[0], b"\xff" + RECORDS[1][1:], RECORDS[2]),
        DamagedVaultError,
    ),
    "zeros in the middle": (join(RECORDS[0], bytes(600), RECORDS[2]), DamagedVaultError),
    "a tag of zeros in the middle": (
        join(RECORDS[0], RECORDS[1][:-16] + bytes(16), RECORDS[2]),
        DamagedVaultError,
    ),
    "sealed, and no JSON": (ORACLE.file(b"no"), BadInputError),
    "sealed, nested without end": (ORACLE.file(b"[" * 100_000), BadInputError),
    "sealed, of a later kind": (ORACLE.file(b'{"picture": {}}'), BadInputError),
    "sealed, with a later field": (ORACLE.file(b'{"about": {"colour": "red"}}'), BadInputError),
    "sealed, a number for a text": (ORACLE.file(b'{"about": {"title": 3}}'), BadInputError),
    "sealed, a turn far behind": (ORACLE.file(plain_turn(7, "?")), BadInputError),
    "sealed, a turn before the first": (ORACLE.file(plain_turn(-1, "?")), BadInputError),
    "sealed, a reason unheard of": (ORACLE.file(plain_turn(0, "?", ("", "tired"))), BadInputError),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_ends_in_its_own_error(name: str, tmp_path: Path) -> None:
    raw, kind = FAULTS[name]
    path = tmp_path / "a.vault"
    path.write_bytes(raw)
    with pytest.raises(BedsideError) as caught:
        Vault.open(path, PASSPHRASE)
    assert type(caught.value) is kind, caught.value
    assert path.read_bytes() == raw, "a file that is refused is left as it is"


def test_a_sealed_record_that_cannot_be_read_says_none_of_its_words() -> None:
    with pytest.raises(BadInputError) as caught:
        decode(b'{"about": {"title": 3, "Quixotropia": 1}}', 0)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert "Quixotropia" not in str(caught.value)


def test_whole_records_cut_off_the_end_go_unseen(tmp_path: Path) -> None:
    """The one bound, which the format's page admits."""
    path = tmp_path / "a.vault"
    path.write_bytes(join(*RECORDS[:2]))
    contents = read_vault(path, PASSPHRASE)
    assert (contents.turns, contents.torn) == ((ONE,), False)


text = st.text(st.characters(exclude_categories=()))  # lone surrogates too
reason = st.sampled_from(["stop", "length", "cancelled", "repetition", "failed"])
remarks = st.lists(text, max_size=2).map(tuple)
answers = st.lists(st.builds(Answer, text, reason, remarks), max_size=3).map(tuple)
turns = st.builds(Turn, text, answers)


@given(st.integers(0, 9), turns)
def test_every_turn_comes_back_as_it_was(place: int, turn: Turn) -> None:
    plain = encode(Kept(place, turn))
    assert decode(plain, 9) == Kept(place, turn)
    assert len(plain) % 512 == 0


@given(text, text, text)
def test_every_title_comes_back(title: str, model: str, sentence: str) -> None:
    about = About(title, model, sentence)
    assert decode(encode(about), 0) == about


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
field = st.sampled_from(["about", "turn", "place", "question", "answers", "title", "text"])
fields = st.dictionaries(field, json_values)
shaped = st.dictionaries(field, st.dictionaries(field, json_values | fields))


@given(json_values | shaped)
def test_sealed_json_of_any_shape_is_read_or_refused(value: object) -> None:
    try:
        record = decode(json.dumps(value).encode(), 3)
    except BedsideError:
        return
    assert isinstance(record, About | Kept)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.binary(max_size=200).map(lambda tail: GOOD[:HEADER] + tail)
    | st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=40)).map(
        lambda cut: GOOD[: cut[0]] + cut[1] + GOOD[cut[0] + len(cut[1]) :]
    )
)
def test_any_bytes_are_read_or_refused_in_words(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.vault"
    path.write_bytes(raw)
    try:
        contents = read_vault(path, PASSPHRASE)
    except BedsideError as error:
        assert str(error)
        return
    assert contents.turns in BEGINNINGS, "only whole turns, at their places"


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_no_file_asks_for_more_than_64_mb(log_n: int, r: int, p: int) -> None:
    cost = Cost(log_n, r, p)
    if cost.bearable:
        assert 128 * r * 2**log_n <= 64 * 2**20
        assert 2**log_n * r * p <= 2**23, "eleven times the standard's time at most"
    assert Cost().bearable
