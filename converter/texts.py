"""Texts that a model is measured on: plain, JSON lines or either in gzip, known by their hashes."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import BadInputError, UsageError
from app.sanitise import one_line

_LARGEST = 1 << 30
"""Bytes of text in a file, unpacked; a hundred times what calibration reads."""
_GZIP = b"\x1f\x8b"
_JSON_LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
CHAT_TOKEN = "<|im_start|>"
"""What a model must have as one token to know conversations by their markers."""
_ASKS = "<|im_start|>user\n"
_ANSWERS = "<|im_end|>\n<|im_start|>assistant\n"
_ENDS = "<|im_end|>\n"
_TURNS = {_ASKS: "", _ANSWERS: "\n\n", _ENDS: "\n"}
_TEXT_FIELDS = ("text", "content")
"""The fields of JSON lines that are read without being named."""


@dataclass(frozen=True, slots=True)
class TextSource:
    """A file of text, as plans and saliency files remember it."""

    path: str
    """As the person named it."""
    sha256: str
    """Of the file's bytes, compressed where it is compressed."""
    field: str | None = None
    """The field of its JSON lines that was read; None where it was found without being named."""

    def record(self) -> dict[str, str]:
        """Its form in JSON files."""
        named = {} if self.field is None else {"field": self.field}
        return {"path": self.path, "sha256": self.sha256, **named}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a document."""

    text: str
    special: bool = False
    """Whether tokens of the template (`<|im_start|>`) written in it count as such."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text that stands for itself: a file of plain text, or a row of JSON lines."""

    source: TextSource
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Sample:
    """How much text is read, and how it is cut up."""

    length: int = 512
    """Tokens in a chunk."""
    tokens: int = 65536
    """At most so many in all; whole chunks are read."""
    share: float = 1.0
    """Of the domain's text in them; the rest is general."""
    seed: int = 0
    """Decides the order in which documents are read; the saliency file keeps 32 bits of it."""

    def check(self) -> None:
        """Refuse what nothing can be measured with.

        Raises:
            UsageError: a share outside 0 to 1, fewer tokens than a chunk has, or a seed that the
                saliency file could not say.
        """
        if not 0 <= self.share <= 1:
            raise UsageError(f"The share of domain text is {self.share:g}; it lies in 0 to 1.")
        if not 2 <= self.length <= self.tokens:
            raise UsageError(
                f"A chunk of {self.length} tokens and {self.tokens} tokens in all do not go "
                "together; a chunk has at least 2, and all have at least one chunk."
            )
        if not -(2**31) <= self.seed < 2**31:
            raise UsageError(f"A seed of {self.seed} is too large; take one of 32 bits.")


def read_texts(paths: Iterable[Path], field: str | None = None) -> list[Document]:
    """The documents of all files, in their order.

    A file of JSON lines (by its name, or because a field is named) holds a document a line: the
    named field, or `text`, or a MedQuAD row's question and answer in the form that chat models
    are trained on. Any other file is one document of plain text. Either may be in gzip.

    Raises:
        BadInputError: a file is missing, is not UTF-8 text, has no such field, or no words.
    """
    return [document for path in paths for document in _read(path, field)]


def file_text(path: Path, largest: int) -> tuple[str, str]:
    """The text of a file, plain or in gzip, and the SHA-256 of its bytes as they are.

    Raises:
        BadInputError: it is missing, larger than `largest` bytes unpacked, or no UTF-8 text.
    """
    data = _bytes(path, largest)
    return _decoded(_unpacked(data, path, largest), path), hashlib.sha256(data).hexdigest()


def _read(path: Path, field: str | None) -> list[Document]:
    text, sha256 = file_text(path, _LARGEST)
    source = TextSource(str(path), sha256, field)
    if field is not None or path.name.endswith(_JSON_LINES):
        documents = list(_rows(text, source, path))
    else:
        documents = [Document(source, (Piece(text),))]
    if not any(character.isalpha() for document in documents for character in document.text):
        raise BadInputError(f"{_named(path)} has no words in it; name a file of text.")
    return documents


def _bytes(path: Path, largest: int) -> bytes:
    try:
        size = path.stat().st_size if path.is_file() else None
        if size is None or size > largest:
            reason = "is not a file" if size is None else "is too large to be read at once"
            raise BadInputError(f"{_named(path)} {reason}; name a file of text.")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise BadInputError(f"{_named(path)} cannot be read; name a file of text.") from error


def _unpacked(data: bytes, path: Path, largest: int) -> bytes:
    """The text's bytes out of all members of a gzip file; a bomb is stopped at the bound."""
    if not data.startswith(_GZIP):
        return data
    unpacked = b""
    try:
        while data:
            unpacker = zlib.decompressobj(31)
            unpacked += unpacker.decompress(data, largest - len(unpacked) + 1)
            if len(unpacked) > largest or not unpacker.eof:
                raise EOFError  # now: with no room left the next bound would be 0, which is none
            data = unpacker.unused_data.lstrip(b"\0")
    except (EOFError, zlib.error) as error:
        raise BadInputError(
            f"{_named(path)} is a damaged or oversized gzip file; fetch it again."
        ) from error
    return unpacked


def _decoded(data: bytes, path: Path) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"{_named(path)} is not UTF-8 text (byte {error.start} does not fit; it may be "
            "Latin-1, or no text at all). Convert it: iconv -f latin1 -t utf-8."
        ) from error
    if "\0" in text:
        raise BadInputError(f"{_named(path)} holds NUL characters, so it is no text; name a text.")
    return text


def _rows(text: str, source: TextSource, path: Path) -> Iterator[Document]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadInputError(f"Line {number} of {_named(path)} is not JSON; mend it.") from error
        pieces = _pieces(row, source.field) if isinstance(row, dict) else None
        if pieces is None:
            raise BadInputError(_missing(source.field, number, path))
        yield Document(source, pieces)


def _pieces(row: dict[str, Any], field: str | None) -> tuple[Piece, ...] | None:
    names = _TEXT_FIELDS if field is None else (field,)
    for name in names:
        if isinstance(row.get(name), str):
            return (Piece(row[name]),)
    question, answer = row.get("question"), row.get("answer")
    if field is None and isinstance(question, str) and isinstance(answer, str):
        return _conversation(question, answer)
    return None


def _conversation(question: str, answer: str) -> tuple[Piece, ...]:
    """A question and its answer in ChatML; what the row says cannot close a turn."""
    return (
        Piece(_ASKS, special=True),
        Piece(question),
        Piece(_ANSWERS, special=True),
        Piece(answer),
        Piece(_ENDS, special=True),
    )


def without_turns(text: str) -> str:
    """The markers of a conversation as plain paragraphs, for models that have no such tokens."""
    return _TURNS.get(text, text)


def _missing(field: str | None, number: int, path: Path) -> str:
    wanted = (
        f"no text field {one_line(field, 40)!r}; name another with --field"
        if field is not None
        else "none of `text`, `content`, or `question` and `answer`; name the field with --field"
    )
    return f"Line {number} of {_named(path)} has {wanted}."


def _named(path: Path) -> str:
    return one_line(str(path))


def shuffled(documents: Sequence[Document], seed: int) -> list[Document]:
    """The documents in an order that the seed and their words decide, the same on any machine."""

    def key(document: Document) -> bytes:
        return hashlib.sha256(f"{seed}\n{document.text}".encode("utf-8", "replace")).digest()

    return sorted(documents, key=key)


def cut_up(
    documents: Iterable[Document],
    tokenise: Callable[[Document], list[int]],
    *,
    length: int,
    tokens: int,
    bos: int | None,
) -> list[list[int]]:
    """Chunks of exactly `length` ids out of the documents run together, up to `tokens` of them.

    As in llama.cpp's own tools, BOS takes the place of each chunk's first id. Where the text ends
    before the first chunk does, that one is shorter.

    Args:
        documents: read until there is enough.
        tokenise: a document's ids, without BOS.
        length: ids in a chunk.
        tokens: the most in all chunks together.
        bos: put before each document and at the start of each chunk; None for a model without.
    """
    chunks: list[list[int]] = []
    held: list[int] = []
    for document in documents:
        held += [*([] if bos is None else [bos]), *tokenise(document)]
        while len(held) >= length and (len(chunks) + 1) * length <= tokens:
            chunks.append(_begun(held[:length], bos))
            del held[:length]
        if (len(chunks) + 1) * length > tokens:
            break
    return chunks or ([_begun(held, bos)] if len(held) > 1 else [])


def _begun(chunk: list[int], bos: int | None) -> list[int]:
    return chunk if bos is None else [bos, *chunk[1:]]


@dataclass(frozen=True, slots=True)
class Mixed:
    """Chunks of domain and general text in the asked ratio."""

    chunks: tuple[list[int], ...]
    domain: int
    """How many of them are of the domain."""

    @property
    def share(self) -> float:
        """Of the domain's chunks in all."""
        return self.domain / len(self.chunks) if self.chunks else 0.0


def mix(
    domain: Sequence[Document],
    general: Sequence[Document],
    sample: Sample,
    tokenise: Callable[[Document], list[int]],
    bos: int | None,
) -> Mixed:
    """Chunks of both texts, evenly interleaved, so that a run that is stopped has the ratio too.

    Where one text is too short for its part, the other gives less as well: the ratio is kept.

    Raises:
        UsageError: the ratio needs a text that was not given.
    """
    sample.check()
    if sample.share < 1 and not general:
        raise UsageError("A share of general text needs a file of it; name one with --general.")
    if sample.share > 0 and not domain:
        raise UsageError("There is no domain text; name a file of it with --text.")

    def part(documents: Sequence[Document], share: float) -> list[list[int]]:
        budget = round(sample.tokens // sample.length * share) * sample.length
        return cut_up(
            shuffled(documents, sample.seed) if budget else (),
            tokenise,
            length=sample.length,
            tokens=budget,
            bos=bos,
        )

    return _interleaved(part(domain, sample.share), part(general, 1 - sample.share), sample.share)


def _interleaved(domain: list[list[int]], general: list[list[int]], share: float) -> Mixed:
    """Whole chunks in the ratio, as far as both reach."""
    if share in (0, 1):
        chunks = domain or general
        return Mixed(tuple(chunks), len(domain))
    total = min(round(len(domain) / share), round(len(general) / (1 - share)))
    chosen: list[list[int]] = []
    taken = 0
    for number in range(total):
        due = round((number + 1) * share) > taken and taken < len(domain)
        if due:
            chosen.append(domain[taken])
            taken += 1
        elif number - taken < len(general):
            chosen.append(general[number - taken])
    return Mixed(tuple(chosen), taken)
