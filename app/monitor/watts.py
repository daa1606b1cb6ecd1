"""Powers as people type them."""

from __future__ import annotations


def parse_watts(text: str) -> float:
    """Watts of `6.3W`, `6.3 W`, `6300mW` or `6.3`.

    Raises:
        ValueError: it is something else, or no power above zero and below a kilowatt.
    """
    word = text.strip().lower().replace(" ", "")
    scale = 1.0
    for unit, factor in (("mw", 0.001), ("w", 1.0)):
        if word.endswith(unit):
            word, scale = word.removesuffix(unit), factor
            break
    if not word.replace(".", "", 1).isdigit() or not word.isascii():
        raise ValueError(f"{text!r} is no power")
    watts = float(word) * scale
    if not 0 < watts < 1000:
        raise ValueError(f"{text!r} is no power of a board")
    return watts
