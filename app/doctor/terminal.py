"""Whether this terminal can show the chat."""

from __future__ import annotations

from collections.abc import Mapping

from app.doctor.check import Check, attention, not_checked, ok
from app.doctor.offers import offer
from app.glyphs import OWN
from app.sanitise import one_line


def terminal(environ: Mapping[str, str], is_terminal: bool, encoding: str) -> Check:
    """What the terminal can do.

    Args:
        environ: the environment.
        is_terminal: whether the output goes to one.
        encoding: of the output.
    """
    if not is_terminal:
        return not_checked("terminal", "The output does not go to a terminal.")
    name = one_line(environ.get("TERM", ""))
    if name in ("", "dumb", "unknown"):
        return attention(
            "terminal",
            f"The terminal cannot place text (TERM is “{name}”).",
            "Use `bedside chat --plain`, or set TERM to what the terminal is.",
        )
    if encoding.lower().replace("-", "") != "utf8":
        return attention(
            "terminal",
            f"The locale's encoding is {encoding}, so accents and borders are not shown.",
            "Set a UTF-8 locale, for example `export LC_ALL=C.UTF-8`.",
        )
    return ok("terminal", f"{name} with UTF-8 and {_colours(environ, name)}.")


def font(environ: Mapping[str, str], drawn: frozenset[str] | None) -> Check:
    """Whether the console's font has every sign that the screens draw.

    Args:
        environ: the environment.
        drawn: the characters of the loaded font; None where no console told them.
    """
    if drawn is None and environ.get("TERM") != "linux":
        return not_checked("font", "A terminal does not tell its font.")
    if drawn is None:
        return not_checked("font", "The console did not tell its font.", f"{offer('font')}.")
    missing = [sign for sign in OWN if sign not in drawn]
    if missing:
        return attention(
            "font",
            f"The console's font lacks {' '.join(missing)}, which the screens draw.",
            f"{offer('font')}.",
        )
    return ok("font", "The console's font has every sign that the screens draw.")


def _colours(environ: Mapping[str, str], name: str) -> str:
    if environ.get("NO_COLOR"):
        return "no colours (NO_COLOR is set)"
    if environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "16 million colours"
    return "256 colours" if "256" in name else "16 colours"
