"""One kept conversation, open to be added to."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from app.conversation.turns import Turn
from app.conversation.vault.format import (
    LARGEST_FILE,
    LARGEST_RECORD,
    Cost,
    FileKeys,
    Header,
    Passphrase,
    fits,
    read_header,
    seal_record,
    write_header,
)
from app.conversation.vault.reading import (
    SUFFIX,
    Contents,
    kept_files,
    load,
    lock,
    open_file,
    read_open,
)
from app.conversation.vault.records import About, Kept, encode
from app.errors import BadInputError, ResourceError
from app.files import sync_folder, write_whole
from app.sanitise import one_line

_NOTHING = About()
_COST = Cost()


class Vault:
    """One kept conversation, open to be added to; no other Bedside can open it meanwhile.

    A turn is on the disk when `append` or `keep` returns, and `kill -9` cannot take it away.
    """

    def __init__(
        self, path: Path, descriptor: int, header: Header, keys: FileKeys, contents: Contents
    ) -> None:
        """Take over a locked descriptor; `create` and `open` are the ways here."""
        self.path = path
        self.torn = contents.torn
        """Whether an unfinished turn was dropped when the file was opened; say `UNFINISHED`."""
        self._descriptor = descriptor
        self._header, self._keys = header, keys
        self._about, self._turns = contents.about, list(contents.turns)
        self._records, self._end = contents.records, contents.end

    @classmethod
    def create(
        cls,
        folder: Path,
        passphrase: Passphrase,
        about: About = _NOTHING,
        cost: Cost = _COST,
    ) -> Vault:
        """Begin a new file under a random name; the folder is made where there is none (0700).

        Raises:
            UsageError: the passphrase is too short.
            ResourceError: the disk is full or cannot be written.
        """
        passphrase.check_strength()
        header = Header(cost, secrets.token_bytes(16), _salt(folder, passphrase, cost))
        keys = passphrase.keys(header)
        first = seal_record(encode(about), header, keys, 0)
        path = _free_path(folder)
        write_whole(path, write_header(header, keys) + first)
        return cls.open(path, passphrase)

    @classmethod
    def open(cls, path: Path, passphrase: Passphrase) -> Vault:
        """Open a kept conversation, to go on with it. What is torn at its end is dropped.

        Raises:
            WrongPassphraseError: the passphrase is not the file's.
            DamagedVaultError: bytes were changed; `read_vault` still gets at what is before them.
            NewerVaultError: a later Bedside wrote it.
            UsageError: another Bedside has it open.
            BadInputError: it cannot be read, or is none of Bedside's.
        """
        descriptor = open_file(path, os.O_RDWR)
        try:
            lock(descriptor)
            header, keys, contents = read_open(descriptor, passphrase)
            if contents.damage is not None:
                raise contents.damage
            return cls(path, descriptor, header, keys, contents)
        except BaseException:
            os.close(descriptor)
            raise

    @staticmethod
    def delete(path: Path) -> None:
        """Delete a kept conversation; `DELETED` says what that can and cannot do.

        Raises:
            UsageError: it is open, here or in another Bedside.
            BadInputError: there is no such file, or it is no kept conversation's.
            ResourceError: the disk refuses.
        """
        if path.suffix != SUFFIX:
            raise BadInputError(f"{one_line(path.name, 80)} is no kept conversation.")
        descriptor = open_file(path, os.O_RDONLY)
        try:
            lock(descriptor)
            path.unlink()
            sync_folder(path.parent)
        except OSError as error:
            raise ResourceError(
                f"The kept conversation could not be deleted ({error.strerror}). Check the "
                "folder's permissions and the disk."
            ) from error
        finally:
            os.close(descriptor)

    @property
    def about(self) -> About:
        """What it is about."""
        return self._about

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns that are kept."""
        return tuple(self._turns)

    def append(self, turn: Turn) -> None:
        """Keep one more finished turn.

        Raises:
            ResourceError: it is not kept: the disk is full or failing, or the file has become too
                long or was deleted. What was kept before is whole, and a later try may succeed.
        """
        self._write(Kept(len(self._turns), turn))
        self._turns.append(turn)

    def keep(self, turns: Sequence[Turn]) -> None:
        """Keep a whole conversation as it now stands: what is new, and what has changed.

        An answer that was given again, a question that was asked in other words and a turn that
        an earlier try could not keep all come right. A turn that was taken back for good stays.

        Raises:
            ResourceError: as `append`.
        """
        for place, turn in enumerate(turns):
            if place == len(self._turns):
                self.append(turn)
            elif self._turns[place] != turn:
                self._write(Kept(place, turn))
                self._turns[place] = turn

    def rename(self, title: str) -> None:
        """Give it another title; an empty one is the first question again.

        Raises:
            ResourceError: as `append`.
        """
        about = replace(self._about, title=title)
        self._write(about)
        self._about = about

    def close(self) -> None:
        """Let go of the file and its keys."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self._keys = FileKeys(b"", b"")

    def __enter__(self) -> Vault:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, record: About | Kept) -> None:
        sealed = seal_record(encode(record), self._header, self._keys, self._records)
        if len(sealed) > LARGEST_RECORD or self._end + len(sealed) > LARGEST_FILE:
            raise ResourceError(
                "This conversation has become too long to be kept further. Begin a new one."
            )
        with _told_as_unkept(), self._undone_if_it_fails():
            if os.fstat(self._descriptor).st_nlink == 0:
                raise FileNotFoundError(errno.ENOENT, "its file was deleted")
            os.ftruncate(self._descriptor, self._end)  # what a torn write has left
            _write_at(self._descriptor, sealed, self._end)
            os.fsync(self._descriptor)
        self._end += len(sealed)
        self._records += 1

    @contextmanager
    def _undone_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            with suppress(OSError):  # half a record stays, which the next write and readers drop
                os.ftruncate(self._descriptor, self._end)
            raise


def _salt(folder: Path, passphrase: Passphrase, cost: Cost) -> bytes:
    """The salt of the latest file, where the passphrase opens that: the list then takes one scrypt.

    A file that was put there by someone else cannot choose the salt: its HMAC would not fit.
    """
    for path in kept_files(folder)[:1]:
        with suppress(BadInputError):  # a file that cannot be read has no salt to share
            descriptor = open_file(path, os.O_RDONLY)
            try:
                raw = load(descriptor)
            finally:
                os.close(descriptor)
            header = read_header(raw)
            if header.cost == cost and fits(raw, header, passphrase.keys(header)):
                return header.salt
    return secrets.token_bytes(16)


def _free_path(folder: Path) -> Path:
    while (path := folder / f"{secrets.token_hex(4)}{SUFFIX}").exists():
        pass
    return path


def _write_at(descriptor: int, content: bytes, offset: int) -> None:
    """Write all of it: one call may take a part alone when the disk becomes full."""
    while content:
        written = os.pwrite(descriptor, content, offset)
        content, offset = content[written:], offset + written


@contextmanager
def _told_as_unkept() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        reason = "the disk is full" if full else error.strerror
        raise ResourceError(
            f"The last turn is not kept ({reason}). The conversation goes on, and what was kept "
            "before is whole."
        ) from error
