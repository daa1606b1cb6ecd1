"""Porter's stemmer: words of one family ("swell", "swelling", "swollen" not) share a stem.

M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980. Written out here, and not
taken from FTS5, because the thesaurus and the ranking need the very stems that stand in the index.
"""

from __future__ import annotations

import re

_CONSONANT = r"(?:[^aeiouy]|(?<![^aeiou])y)"
_VOWEL = r"(?:[aeiou]|(?<=[^aeiou])y)"
_SEQUENCE = re.compile(rf"{_VOWEL}+{_CONSONANT}+")
_HAS_VOWEL = re.compile(_VOWEL)
_DOUBLE = re.compile(rf"({_CONSONANT})\1$")
_SHORT_END = re.compile(rf"{_CONSONANT}{_VOWEL}(?![wxy]){_CONSONANT}$")

_STEP_2 = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize",
    "abli": "able", "alli": "al", "entli": "ent", "eli": "e", "ousli": "ous",
    "ization": "ize", "ation": "ate", "ator": "ate", "alism": "al", "iveness": "ive",
    "fulness": "ful", "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble",
}  # fmt: skip
_STEP_3 = {
    "icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": "",
}  # fmt: skip
_STEP_4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion",
    "ou", "ism", "ate", "iti", "ous", "ive", "ize",
)  # fmt: skip


def stem(word: str) -> str:
    """The stem of a folded word; words of one or two letters are their own."""
    if len(word) <= 2 or not word.isalpha():
        return word
    word = _plural(word)
    word = _past(word)
    if word.endswith("y") and _HAS_VOWEL.search(word[:-1]):
        word = word[:-1] + "i"
    word = _replaced(word, _STEP_2)
    word = _replaced(word, _STEP_3)
    word = _without_suffix(word)
    return _without_last_e(word)


def _measure(part: str) -> int:
    """Porter's m: how often a vowel run is followed by a consonant run."""
    return len(_SEQUENCE.findall(part))


def _plural(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    for suffix in ("ed", "ing"):
        part = word.removesuffix(suffix)
        if part != word and _HAS_VOWEL.search(part):
            return _mended(part)
    return word


def _mended(part: str) -> str:
    """Gives back the letter that "-ed" or "-ing" has cost: "hop" of "hopping", "size"."""
    if part.endswith(("at", "bl", "iz")):
        return part + "e"
    if _DOUBLE.search(part) and part[-1] not in "lsz":
        return part[:-1]
    return part + "e" if _measure(part) == 1 and _SHORT_END.search(part) else part


def _replaced(word: str, suffixes: dict[str, str]) -> str:
    for length in range(7, 2, -1):
        if (ending := word[-length:]) in suffixes:
            part = word[:-length]
            return part + suffixes[ending] if _measure(part) else word
    return word


def _without_suffix(word: str) -> str:
    longest = max((suffix for suffix in _STEP_4 if word.endswith(suffix)), key=len, default="")
    part = word[: len(word) - len(longest)]
    if not longest or _measure(part) < 2 or (longest == "ion" and not part.endswith(("s", "t"))):
        return word
    return part


def _without_last_e(word: str) -> str:
    if word.endswith("e"):
        part = word[:-1]
        measure = _measure(part)
        if measure > 1 or (measure == 1 and not _SHORT_END.search(part)):
            word = part
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word
