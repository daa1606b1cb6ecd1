"""From text to the terms that stand in the index, the same way for entries and for questions."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from app.knowledge.stem import stem

_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['’]s\b")
_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
_LONGEST_WORD = 40
"""Letters. What is longer is no word (a hash, a sequence, an attack) and is cut there."""

_STOP_WORDS = """
    a about above after again all also am an and any anyone anything are arent around as at
    away be because been before being between both but by came can cannot cant could couldnt
    did didnt do does doesnt doing done dont during each either else even ever every
    everything few for from gave get gets getting give given go goes going gone gonna got had
    has hasnt have havent having he hed help her here hers herself hes him himself his how
    however i id if im in into is isnt it itd itll its itself ive just keep keeps kept kind
    know known knows let lets like likely little lot lots made make makes making many may
    maybe me mean means might more most much must my myself need needs never no nor not
    nothing now of off often ok on one ones only or other others our out over own people
    perhaps person please put quite rather really said same say says see seem seems seen she
    shes should shouldnt since so some someone something sometimes sort stay still stuff such
    sure take taken takes tell than that thats the their theirs them themselves then there
    theres these they theyd theyll theyre theyve thing things think this those though thought
    through to today together told too took toward try trying under until up upon us use used
    using usually very via want wanted wants was wasnt way we well went were werent weve what
    whatever whats when where which while who whom whos whose why will with within without
    wont would wouldnt yes yet you youd youll your youre yours yourself youve
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words that say nothing about a topic. They are neither indexed nor asked for."""


def fold(text: str) -> str:
    """Small letters without accents; "Crohn's" becomes "crohn", "don't" becomes "dont"."""
    text = text.casefold()
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in parts if not unicodedata.combining(letter))
    if "'" in text or "’" in text:
        text = _APOSTROPHE.sub("", _POSSESSIVE.sub("", text))
    return text


def words(text: str) -> list[str]:
    """The folded words of a text that say something, in order."""
    found = (word[:_LONGEST_WORD] for word in _WORD.findall(fold(text)))
    return [word for word in found if word not in STOP_WORDS]


def terms(text: str) -> list[str]:
    """What stands in the index for a text: the stems of its words, stop words left out."""
    return [term(word) for word in words(text)]


@lru_cache(maxsize=1 << 16)
def term(word: str) -> str:
    """The stem of a folded word, spelt the American way, as most medical text is.

    The rules need not be right for every word: they only must send both spellings of a word to
    one term, and seldom two words.
    """
    if len(word) > 4 and word.isalpha():
        word = _american(word)
    return stem(word)


_SPELLINGS = (
    (re.compile(r"(?<=[bcdfghklnprst])ae(?!r[oi])|^ae(?!r[oi])"), "e"),  # anaemia, not aerobic
    (re.compile(r"(?<=[cdfhlmnr])oe(?=[cdlmst])|^oe(?=[dst])"), "e"),
    (re.compile(r"oea"), "ea"),  # diarrhoea, apnoea
    (re.compile(r"our(?=s?$|ed$|ing$|less$|al)"), "or"),
    (re.compile(r"([iy])s(?=(?:e[ds]?|ing|ation|ations|er|ers)$)"), r"\1z"),
    (re.compile(r"(?<=[bt])re(?=s?$)"), "er"),
    (re.compile(r"sulph"), "sulf"),
    (re.compile(r"^grey"), "gray"),
    (re.compile(r"ogue(?=s?$)"), "og"),
)


def _american(word: str) -> str:
    for pattern, replacement in _SPELLINGS:
        word = pattern.sub(replacement, word)
    return word
