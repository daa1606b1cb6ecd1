"""PDF files, through pypdf, which is installed with the extra `pdf` and imported when needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import BadInputError, UsageError
from app.knowledge.readers.text import LARGEST, read_bytes, shown, too_large
from app.sanitise import one_line

if TYPE_CHECKING:
    from pypdf import PdfReader

_MOST_PAGES = 5000


def read_pdf(path: Path) -> tuple[str, str]:
    """The title that the file gives itself (may be empty), and the text of all its pages.

    Raises:
        UsageError: pypdf is not installed.
        BadInputError: the file is damaged, locked by a password, or holds no text.
    """
    try:
        import pypdf
        from pypdf.errors import PyPdfError
    except ImportError as error:
        raise UsageError(
            "Reading PDF files needs the package pypdf, which is not installed. Install it with "
            "`pip install 'bedside[pdf]'`, or turn the file into text first."
        ) from error
    import io

    content = read_bytes(path)
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            raise BadInputError(
                f"{shown(path)} is locked by a password. Save an unlocked copy and add that."
            )
        title = reader.metadata.title if reader.metadata else ""
        return one_line(title or ""), _text(reader, path)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError,
            RecursionError, OSError) as error:  # fmt: skip
        # pypdf meets broken files with errors of these kinds from all over its code.
        raise BadInputError(
            f"{shown(path)} is no sound PDF ({type(error).__name__}). Get it again, or turn it "
            "into text first."
        ) from error


def _text(reader: PdfReader, path: Path) -> str:
    if len(reader.pages) > _MOST_PAGES:
        raise BadInputError(f"{shown(path)} has more than {_MOST_PAGES} pages. Add it in parts.")
    pages: list[str] = []
    length = 0
    for page in reader.pages:
        pages.append(page.extract_text())
        length += len(pages[-1])
        if length > LARGEST:
            raise too_large(path)
    if not any(page.strip() for page in pages):
        raise BadInputError(
            f"{shown(path)} holds no text, only pictures of it. Run it through text recognition "
            "(OCR) first."
        )
    return "\n\n".join(pages)
