"""The kiosk's PIN against whoever tries them all, with a power switch and a clock at hand."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ResourceError, UsageError
from app.ui import pin as module
from app.ui.pin import LONGEST_WAIT, Attempts, Pin, PinLock, boot_id, check_pin
from tests.app.ui.test_idle import Clock

PIN = "2468"
KEPT = Pin.of(PIN)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "kiosk-pin.json"


def attempts(path: Path, clock: Clock, boot: str = "first start") -> Attempts:
    """As a kiosk that begins anew finds them."""
    return Attempts(path, clock, lambda: boot)


def miss(path: Path, clock: Clock, times: int) -> None:
    """Type wrong PINs, each as soon as it is taken."""
    kiosk = attempts(path, clock)
    for _ in range(times):
        clock.now += kiosk.left
        kiosk.begin()


def test_the_hash_is_scrypt_and_holds_no_digit_of_the_pin_in_clear() -> None:
    method, log_n, salt, digest = str(KEPT).split(":")
    expected = hashlib.scrypt(PIN.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32)
    assert (method, log_n, digest) == ("scrypt", "14", expected.hex())
    assert str(Pin.of(PIN)) != str(KEPT), "salted"


def test_it_fits_its_own_pin_alone() -> None:
    read = Pin.read(str(KEPT))
    assert read.fits(PIN)
    for other in ("", "246", "24680", "2469", " 2468", "２４６８", "\ud800"):
        assert not read.fits(other)


@given(st.text())
def test_any_text_is_a_hash_or_refused(text: str) -> None:
    with pytest.raises(UsageError, match="bedside kiosk pin"):
        Pin.read(text)


@pytest.mark.parametrize("change", ["scrypt:18:", "scrypt:9:", "SCRYPT:14:", "scrypt:14::"])
def test_a_hash_may_not_ask_for_all_memory(change: str) -> None:
    with pytest.raises(UsageError):
        Pin.read(change + str(KEPT).removeprefix("scrypt:14:"))


@pytest.mark.parametrize("digits", ["", "123", "1" * 33, "12a4", "１２３４", "12 34", "-123"])
def test_what_no_number_pad_can_type_is_no_pin(digits: str) -> None:
    with pytest.raises(UsageError, match="4 to 32 digits"):
        check_pin(digits)
    check_pin("0000")


def test_each_wrong_pin_doubles_the_wait_up_to_a_minute(path: Path, clock: Clock) -> None:
    kiosk, waits = attempts(path, clock), []
    for _ in range(9):
        kiosk.begin()
        waits.append(kiosk.left)
        clock.now += kiosk.left
        assert kiosk.left == 0
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_all_pins_of_four_digits_take_a_week(path: Path, clock: Clock) -> None:
    miss(path, clock, 7)
    kiosk = attempts(path, clock)
    assert kiosk.left * 10_000 > 6.9 * 24 * 3600


def test_a_kill_or_a_wipe_does_not_shorten_the_wait(path: Path, clock: Clock) -> None:
    miss(path, clock, 6)
    clock.now += 10
    assert attempts(path, clock).left == 22
    clock.now += 22
    again = attempts(path, clock)
    assert again.left == 0
    again.begin()
    assert attempts(path, clock).left == 60


def test_another_start_of_the_machine_begins_the_wait_again(path: Path, clock: Clock) -> None:
    miss(path, clock, 7)
    clock.now = 5.0  # the machine's own time begins anew
    rebooted = attempts(path, clock, "second start")
    assert rebooted.left == LONGEST_WAIT
    clock.now += 59
    assert rebooted.left == 1


def test_without_a_name_of_the_start_time_that_went_back_is_another_one(
    path: Path, clock: Clock
) -> None:
    kiosk = Attempts(path, clock, lambda: "")
    for _ in range(7):
        clock.now += kiosk.left
        kiosk.begin()
    clock.now = 5.0
    assert Attempts(path, clock, lambda: "").left == LONGEST_WAIT


def test_the_clock_on_the_wall_is_not_asked(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    miss(path, clock, 7)
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert attempts(path, clock).left == LONGEST_WAIT
    assert "4e9" not in path.read_text()


def test_another_pin_has_no_wrong_ones_and_the_same_keeps_its_own(path: Path, clock: Clock) -> None:
    def of(pin: str) -> Attempts:
        return Attempts(path, clock, lambda: "first start", pin=pin)

    kiosk = of("old")
    for _ in range(7):
        kiosk.begin()
    assert of("old").left == LONGEST_WAIT
    assert of("new").left == 0


def test_what_an_earlier_bedside_noted_is_of_this_pin(path: Path, clock: Clock) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"wrong": 7, "boot": "first start", "at": clock.now}))
    assert Attempts(path, clock, lambda: "first start", pin="any").left == LONGEST_WAIT


def test_the_right_pin_forgets_the_wrong_ones(path: Path, clock: Clock) -> None:
    miss(path, clock, 3)
    clock.now += 10
    lock = PinLock(KEPT, attempts(path, clock))
    assert lock.opens(PIN)
    assert not path.exists()
    assert not lock.opens("0000")
    assert lock.left == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"wrong": 3}', b'{"wrong": 0, "boot": "first start", "at": 0}',
     b'{"wrong": -5, "boot": "", "at": 0}', b'{"wrong": 1e999, "boot": "", "at": 0}', b"\xff",
     b'{"wrong": 9, "boot": "first start", "at": NaN}', b"[" * 99_999],
)  # fmt: skip
def test_a_file_that_makes_no_sense_counts_as_many(
    path: Path, clock: Clock, content: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    kiosk = attempts(path, clock)
    assert kiosk.left == LONGEST_WAIT
    clock.now += LONGEST_WAIT
    assert kiosk.left == 0, "and it is not for ever"


def test_while_it_waits_the_right_pin_is_not_even_judged(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = PinLock(KEPT, attempts(path, clock))
    assert not lock.opens("0000")
    monkeypatch.setattr(Pin, "fits", lambda *_: pytest.fail("judged"))
    assert not lock.opens(PIN)


def test_an_attempt_is_counted_before_it_is_judged(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_fails(*_: object) -> bool:
        raise KeyboardInterrupt

    lock = PinLock(KEPT, attempts(path, clock))
    monkeypatch.setattr(Pin, "fits", power_fails)
    with pytest.raises(KeyboardInterrupt):
        lock.opens("0000")
    assert json.loads(path.read_text())["wrong"] == 1
    assert attempts(path, clock).left == 1


def test_the_wait_begins_once_the_pin_was_judged(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*_: object) -> bool:
        clock.now += 3
        return False

    monkeypatch.setattr(Pin, "fits", slowly)
    lock = PinLock(KEPT, attempts(path, clock))
    assert not lock.opens("0000")
    assert lock.left == 1


def test_a_full_disk_is_told_and_keeps_nobody_out(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ResourceError("The disk is full.")

    monkeypatch.setattr(module, "write_whole", full)
    lock = PinLock(KEPT, attempts(path, clock))
    assert not lock.opens("0000")
    assert (lock.trouble, lock.left) == ("The disk is full.", 1)
    clock.now += 1
    assert lock.opens(PIN)


def test_nothing_of_a_pin_is_in_the_file(path: Path, clock: Clock) -> None:
    PinLock(KEPT, attempts(path, clock)).opens("13579")
    assert "13579" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(path.read_text())) == {"wrong", "boot", "at", "pin"}


def test_a_start_of_this_machine_has_one_name() -> None:
    assert boot_id() == boot_id()
