"""A kept conversation as bytes: a header, then sealed records that can only be added to.

    header   magic 8, version u16, log2 N u8, r u8, p u8, file id 16, salt 16,
             HMAC-SHA256 of all that 32, CRC-32 of everything before u32
    record   length u32, CRC-32 of the length u32, nonce 12, ChaCha20-Poly1305 ciphertext and tag

Numbers are little-endian; the length counts nonce, ciphertext and tag. The checksums tell damage
from a wrong passphrase, and a damaged length from an unfinished record; whoever means harm can
make them, and is met by the HMAC and the tags. A record's associated data are the file id and the
record's number, so that it opens at its own place in its own file alone. That whole records were
cut off the end cannot be seen from the file; everything else can.

scrypt is RFC 7914's, HKDF RFC 5869's with SHA-256, the AEAD RFC 8439's.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from app.errors import BadInputError, UsageError

MAGIC = b"BEDVAULT"
VERSION = 1
SHORTEST_PASSPHRASE = 8
LARGEST_RECORD = 4 * 1024 * 1024
"""Bytes; a turn is some thousand."""
LARGEST_FILE = 64 * 1024 * 1024
"""Bytes; it is read whole."""

_SCRYPT_MEMORY = 64 * 1024 * 1024
_FIELDS = struct.Struct("<8sHBBB16s16s")
_CHECK = struct.Struct("<I")
_MAC = 32
_HEAD = struct.Struct("<II")
_NONCE = 12
_TAG = 16
HEADER_LENGTH = _FIELDS.size + _MAC + _CHECK.size


class WrongPassphraseError(UsageError):
    """The passphrase opens nothing, and the file is not damaged as far as can be known."""


class DamagedVaultError(BadInputError):
    """Bytes of the file are not those that were written."""


class NewerVaultError(BadInputError):
    """The file is of a later Bedside."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a guess at the passphrase costs: scrypt's parameters."""

    log_n: int = 15
    r: int = 8
    p: int = 3
    """Three times over 32 MiB is as hard to guess as OWASP's first choice, once over 128 MiB,
    which a board beside a loaded model does not have."""

    @property
    def bearable(self) -> bool:
        """Whether a file may ask for this much; a hostile one would ask for all memory."""
        if not (10 <= self.log_n <= 20 and 1 <= self.r <= 32 and 1 <= self.p <= 16):
            return False
        return 128 * self.r << self.log_n <= _SCRYPT_MEMORY


@dataclass(frozen=True, slots=True)
class Header:
    """The open part of a file's header. Two files of one passphrase may share their salt."""

    cost: Cost
    file_id: bytes
    salt: bytes

    def packed(self) -> bytes:
        """The bytes that the HMAC is over."""
        cost = self.cost
        return _FIELDS.pack(MAGIC, VERSION, cost.log_n, cost.r, cost.p, self.file_id, self.salt)


@dataclass(frozen=True, slots=True)
class FileKeys:
    """The two keys of one file."""

    header: bytes
    records: bytes

    def __repr__(self) -> str:
        """Nothing of them, wherever they are printed."""
        return "FileKeys(…)"


class Passphrase:
    """A passphrase, and what was derived from it: scrypt runs once for each salt.

    It shows itself nowhere; no error of this module holds it. How long it lies in memory cannot be
    ruled from Python: let go of it, and of what was opened with it, when the conversation ends.
    """

    def __init__(self, words: str) -> None:
        plain = unicodedata.normalize("NFC", words)  # keyboards differ in how they make an é
        self._long_enough = len(plain) >= SHORTEST_PASSPHRASE
        self._secret = plain.encode("utf-8", "surrogatepass")
        self._derived: dict[tuple[Cost, bytes], bytes] = {}

    def check_strength(self) -> None:
        """Before something is kept with it. Raises UsageError where it is too short."""
        if not self._long_enough:
            raise UsageError(
                f"The passphrase is too short: take at least {SHORTEST_PASSPHRASE} characters; "
                "four or five unrelated words are better."
            )

    def keys(self, header: Header) -> FileKeys:
        """The keys of the file that the header stands in; takes a good part of a second."""
        place = (header.cost, header.salt)
        if place not in self._derived:
            self._derived[place] = self._derive(header.cost, header.salt)
        expanded = HKDFExpand(SHA256(), 64, b"bedside vault 1" + header.file_id).derive(
            self._derived[place]
        )
        return FileKeys(expanded[:32], expanded[32:])

    def _derive(self, cost: Cost, salt: bytes) -> bytes:
        scrypt = Scrypt(salt=salt, length=32, n=1 << cost.log_n, r=cost.r, p=cost.p)
        return scrypt.derive(self._secret)


def write_header(header: Header, keys: FileKeys) -> bytes:
    """The header's bytes, `HEADER_LENGTH` of them."""
    content = header.packed()
    content += _mac(keys, content)
    return content + _CHECK.pack(zlib.crc32(content))


def read_header(raw: bytes) -> Header:
    """The header that a file begins with; nothing of it is trusted before `check_passphrase`.

    Raises:
        BadInputError: the file is none of Bedside's.
        NewerVaultError: a later Bedside wrote it.
        DamagedVaultError: it is cut short or changed, or asks for more than a board has.
    """
    if raw[: len(MAGIC)] != MAGIC:
        raise BadInputError("This file is no kept conversation of Bedside's.")
    if len(raw) < HEADER_LENGTH:
        raise DamagedVaultError("This kept conversation is damaged: its beginning is cut short.")
    _, version, log_n, r, p, file_id, salt = _FIELDS.unpack_from(raw)
    if version > VERSION:
        raise NewerVaultError(
            "This conversation was kept by a newer Bedside. Update Bedside to read it; the file "
            "is left as it is."
        )
    content, check = raw[: HEADER_LENGTH - _CHECK.size], raw[HEADER_LENGTH - _CHECK.size :]
    cost = Cost(log_n, r, p)
    intact = zlib.crc32(content) == _CHECK.unpack_from(check)[0]
    if version != VERSION or not intact or not cost.bearable:
        raise DamagedVaultError(
            "This kept conversation is damaged: its beginning is not as it was written. A backup "
            "copy may still open."
        )
    return Header(cost, file_id, salt)


def fits(raw: bytes, header: Header, keys: FileKeys) -> bool:
    """Whether the keys are those that the file was begun with."""
    written = raw[_FIELDS.size : _FIELDS.size + _MAC]
    return hmac.compare_digest(written, _mac(keys, header.packed()))


def check_passphrase(raw: bytes, header: Header, keys: FileKeys) -> None:
    """Raises WrongPassphraseError where the keys are not the file's."""
    if not fits(raw, header, keys):
        raise WrongPassphraseError(
            "This passphrase does not open the conversation. Check the keyboard layout and Caps "
            "Lock, then try again."
        )


def seal_record(plain: bytes, header: Header, keys: FileKeys, number: int) -> bytes:
    """A record's bytes, ready to be appended as the file's `number`-th, counted from 0."""
    nonce = secrets.token_bytes(_NONCE)
    sealed = ChaCha20Poly1305(keys.records).encrypt(nonce, plain, _place(header, number))
    length = _CHECK.pack(_NONCE + len(sealed))
    return length + _CHECK.pack(zlib.crc32(length)) + nonce + sealed


@dataclass(frozen=True, slots=True)
class Record:
    """One record that was opened."""

    plain: bytes
    end: int
    """Where the next one begins in the file."""


def open_records(raw: bytes, header: Header, keys: FileKeys) -> Iterator[Record]:
    """The records of a file, in order, up to its end or to a record that was never finished.

    Raises:
        DamagedVaultError: a record is not as it was written, or not at its place. Those before it
            have been handed out.
    """
    cipher = ChaCha20Poly1305(keys.records)
    number, offset = 0, HEADER_LENGTH
    while (end := _end_of_record(raw, offset, number)) is not None:
        body = raw[offset + _HEAD.size : end]
        try:
            plain = cipher.decrypt(body[:_NONCE], body[_NONCE:], _place(header, number))
        except InvalidTag as error:
            if end == len(raw) and _blank(raw[-_TAG:]):
                return
            raise _damaged(number) from error
        yield Record(plain, end)
        number, offset = number + 1, end


def _end_of_record(raw: bytes, offset: int, number: int) -> int | None:
    """Where the record at `offset` ends; None where it is unfinished or there is none.

    After a loss of power the end of a file may read as zeros: blocks that were promised to it and
    never filled. No finished record ends in a tag of zeros, nor is all behind its length zeros.
    """
    rest = len(raw) - offset - _HEAD.size
    if rest < 0:
        return None
    length, check = _HEAD.unpack_from(raw, offset)
    if zlib.crc32(raw[offset : offset + _CHECK.size]) != check:
        if _blank(raw[offset + _HEAD.size :]):
            return None
        raise _damaged(number)
    if not _NONCE + _TAG <= length <= LARGEST_RECORD:
        raise _damaged(number)
    return len(raw) - rest + int(length) if length <= rest else None


def _damaged(number: int) -> DamagedVaultError:
    return DamagedVaultError(
        f"This kept conversation is damaged: its record {number + 1} is not as it was written. "
        "`bedside history export --damaged` saves what stands before it."
    )


def _place(header: Header, number: int) -> bytes:
    return header.file_id + struct.pack("<Q", number)


def _mac(keys: FileKeys, content: bytes) -> bytes:
    return hmac.new(keys.header, content, hashlib.sha256).digest()


def _blank(raw: bytes) -> bool:
    return not any(raw)
