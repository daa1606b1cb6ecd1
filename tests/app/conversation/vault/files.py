"""Kept conversations to read, and an oracle that writes them byte by byte from the format's page.

The oracle uses the standard library for scrypt and HMAC and does HKDF by hand, so that a fault of
`format` cannot hide in itself.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from app.conversation.turns import Answer, Turn
from app.conversation.vault.format import Cost

WORDS = "correct horse battery"
CHEAP = Cost(log_n=10, r=1, p=1)
"""A tenth of a millisecond a guess: for tests alone."""
HEADER = 81
"""Bytes: 8 + 2 + 3 + 16 + 16 + 32 + 4."""

TURNS = (
    Turn("What is glaucoma?", (Answer("A disease of the eye.", "stop"),)),
    Turn("And my \ud800 tablets?", (Answer("Ask", "cancelled"), Answer("Ask them.", "length"))),
    Turn("Zyxomma?", (Answer("", "failed"),)),
)


@dataclass(frozen=True)
class Oracle:
    """Writes a file with every choice laid open."""

    words: str = WORDS
    log_n: int = 10
    r: int = 1
    p: int = 1
    version: int = 1
    magic: bytes = b"BEDVAULT"
    file_id: bytes = b"\x11" * 16
    salt: bytes = b"\x22" * 16

    def keys(self) -> tuple[bytes, bytes]:
        """For the header's HMAC and for the records."""
        master = hashlib.scrypt(
            self.words.encode(), salt=self.salt, n=1 << self.log_n, r=self.r, p=self.p, dklen=32
        )
        info = b"bedside vault 1" + self.file_id
        first = hmac.digest(master, info + b"\x01", "sha256")
        return first, hmac.digest(master, first + info + b"\x02", "sha256")

    def fields(self) -> bytes:
        """What the HMAC is over."""
        numbers = struct.pack("<HBBB", self.version, self.log_n, self.r, self.p)
        return self.magic + numbers + self.file_id + self.salt

    def header(self, mac: bytes | None = None) -> bytes:
        """The header, with another HMAC where one is given."""
        if mac is None:
            mac = hmac.digest(self.keys()[0], self.fields(), "sha256")
        content = self.fields() + mac
        return content + struct.pack("<I", zlib.crc32(content))

    def record(self, number: int, plain: bytes) -> bytes:
        """A sealed record; the nonce is the number's, which only a test may do."""
        nonce = struct.pack("<8xI", number)
        place = self.file_id + struct.pack("<Q", number)
        body = nonce + ChaCha20Poly1305(self.keys()[1]).encrypt(nonce, plain, place)
        return head(len(body)) + body

    def file(self, *plains: bytes) -> bytes:
        """A whole file."""
        return self.header() + b"".join(self.record(*one) for one in enumerate(plains))


def head(length: int) -> bytes:
    """The open part of a record."""
    raw = struct.pack("<I", length)
    return raw + struct.pack("<I", zlib.crc32(raw))


def plain_turn(place: int, question: str, *answers: Sequence[str]) -> bytes:
    """A turn as JSON."""
    fields = [{"text": text, "reason": reason} for text, reason in answers]
    turn = {"question": question, "answers": fields}
    return json.dumps({"turn": {"place": place, "turn": turn}}).encode()


def records_of(raw: bytes) -> list[bytes]:
    """The records of a file, cut by their lengths alone."""
    found, offset = [], HEADER
    while offset < len(raw):
        (length,) = struct.unpack_from("<I", raw, offset)
        found.append(raw[offset : offset + 8 + length])
        offset += 8 + length
    return found
