"""The kiosk's PIN: kept as a hash, and guessed at slowly whatever is restarted meanwhile.

It keeps passers-by from a screen. Whoever can read the settings can try all PINs of four digits in
minutes, hash or not; longer ones take longer.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from app.errors import ResourceError, UsageError
from app.files import write_whole
from app.sanitise import one_line
from app.ui.idle import running_clock

FILE = "kiosk-pin.json"
"""Below the user's state folder: how many wrong PINs were typed, and when the last."""

LONGEST_WAIT = 60.0
"""Seconds. All PINs of four digits take a week then."""
_MANY = 7
"""Wrong PINs whose wait is the longest there is."""
_DIGITS = range(4, 33)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Pin:
    """A PIN's scrypt hash (RFC 7914, r = 8, p = 1): `scrypt:14:salt:digest`, both in hex."""

    log_n: int
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, digits: str) -> Pin:
        """Hash a PIN. Its 16 MiB are what a board has left beside a loaded model."""
        salt = secrets.token_bytes(16)
        return cls(14, salt, _scrypt(digits, salt, 14))

    @classmethod
    def read(cls, text: str) -> Pin:
        """The hash that the settings hold. Raises UsageError where it is none."""
        found = re.fullmatch(r"scrypt:(1[0-7]):([0-9a-f]{32}):([0-9a-f]{64})", text)
        if found is None:
            raise UsageError(
                "The setting “ui.kiosk_pin_hash” is no hash of a PIN. Set the PIN with "
                "`bedside kiosk pin`."
            )
        return cls(int(found[1]), bytes.fromhex(found[2]), bytes.fromhex(found[3]))

    def fits(self, typed: str) -> bool:
        """Whether this is the PIN; takes the better part of a tenth of a second."""
        return hmac.compare_digest(_scrypt(typed, self.salt, self.log_n), self.digest)

    def __str__(self) -> str:
        return f"scrypt:{self.log_n}:{self.salt.hex()}:{self.digest.hex()}"


def check_pin(digits: str) -> None:
    """Before a PIN is set. Raises UsageError where it is none that a number pad could type."""
    if not (digits.isascii() and digits.isdigit() and len(digits) in _DIGITS):
        raise UsageError(
            f"A PIN has {_DIGITS[0]} to {_DIGITS[-1]} digits and nothing else; six or more are "
            "better."
        )


def boot_id() -> str:
    """Which start of the machine this is; empty where the system does not tell."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


class Attempts:
    """Counts wrong PINs in a file, so that neither a kill nor a power switch shortens the wait.

    Time is the machine's own, counted from its start: setting the clock moves nothing, and after
    another start the whole wait begins again. Another PIN has no wrong ones yet: whoever sets it
    may be another user than the kiosk's, and cannot reach this file.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = running_clock,
        boot: Callable[[], str] = boot_id,
        *,
        pin: str = "",
    ) -> None:
        """Read what was noted.

        Args:
            path: the file; it need not exist.
            clock: seconds since the machine's start.
            boot: which start of the machine this is.
            pin: what tells this PIN from another, such as its salt; empty for all that none tells.
        """
        self._path, self._clock, self._boot, self._pin = path, clock, boot(), pin
        self._wrong, self._at = self._read()

    @property
    def left(self) -> float:
        """Seconds until the next PIN is taken; it doubles with each wrong one."""
        if self._wrong == 0:
            return 0.0
        wait = min(2.0 ** (min(self._wrong, _MANY) - 1), LONGEST_WAIT)
        return max(0.0, self._at + wait - self._clock())

    def begin(self) -> None:
        """Count one as wrong, before it is judged: the power may go while it is.

        Raises ResourceError where that cannot be written; it is counted until a restart then.
        """
        self._wrong, self._at = self._wrong + 1, self._clock()
        noted = {"wrong": self._wrong, "boot": self._boot, "at": self._at, "pin": self._pin}
        write_whole(self._path, json.dumps(noted).encode())

    def refuse(self) -> None:
        """It was wrong: the wait begins now, however long the judging took."""
        self._at = self._clock()

    def forget(self) -> None:
        """The PIN was right. Raises ResourceError."""
        self._wrong = 0
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise ResourceError(
                f"The file {one_line(str(self._path))} cannot be removed ({error.strerror}). "
                "Check the permissions and the disk."
            ) from error

    def _read(self) -> tuple[int, float]:
        """How many were wrong, and when the last; a file that makes no sense counts as many."""
        now = self._clock()
        try:
            noted = json.loads(self._path.read_bytes())
            wrong, boot, at = int(noted["wrong"]), noted["boot"], float(noted["at"])
            if wrong < 1:
                raise ValueError("a file is there because one was wrong")
            if noted.get("pin", self._pin) != self._pin:
                return 0, now
        except FileNotFoundError:
            return 0, now
        except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
            return _MANY, now
        same_start = boot == self._boot and at <= now
        return wrong, (at if same_start else now)


class PinLock:
    """What the lock's screen asks."""

    def __init__(self, pin: Pin, attempts: Attempts) -> None:
        self.trouble = ""
        """Why wrong PINs cannot be counted beyond a restart; empty where they can."""
        self._pin, self._attempts = pin, attempts

    @property
    def left(self) -> int:
        """Whole seconds until the next PIN is taken."""
        return ceil(self._attempts.left)

    def opens(self, typed: str) -> bool:
        """Whether this is the PIN. Slow on purpose: call it in a thread, one at a time.

        A disk that is full must not keep the staff out, so it is told and no more.
        """
        if self._attempts.left > 0:
            return False
        self._noting(self._attempts.begin)
        fits = self._pin.fits(typed)
        if fits:
            self._noting(self._attempts.forget)
        else:
            self._attempts.refuse()
        return fits

    def _noting(self, note: Callable[[], None]) -> None:
        try:
            note()
            self.trouble = ""
        except ResourceError as error:
            self.trouble = str(error)


def _scrypt(digits: str, salt: bytes, log_n: int) -> bytes:
    secret = digits.encode("utf-8", "surrogatepass")
    most = 128 * 8 * (2 << log_n)  # twice what it takes
    return hashlib.scrypt(secret, salt=salt, n=1 << log_n, r=8, p=1, maxmem=most, dklen=32)
