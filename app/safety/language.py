"""Whether a text is English, told by its script and its commonest words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache

from app.safety.words import Word

_ENGLISH = (
    "i a an the and or but not no my me you your he she it we they his her is am are was were be "
    "been have has had do does did can could will would should may might to of in on at for with "
    "from by about after before since this that these what when where why how who which if so as "
    "there than then now feel take get help need pain just very too all more some any"
)
_FOREIGN = (
    "el la los las un una unos y que en es muy tengo mi me duele dolor pecho puedo respirar no "
    "por con para estoy fiebre hijo hija ayuda "
    "le les des et est je mon ma mes ai mal ne pas dans qui vous avec pour mais une du douleur "
    "der die das und ich habe mein meine ist nicht schmerzen mit ein eine sehr kann seit bin zu "
    "il lo gli che di non ho sono mio mia dolore per del della molto "
    "o os as eu estou com minha meu não dor uma muito tenho "
    "ik heb mijn een het van niet met voor pijn en "
    "mam mnie boli nie jest się mi bardzo w na "
    "benim ağrı var çok bir ve göğsüm "
    "jag har ont och det är inte min som"
)
"""Of Spanish, French, German, Italian, Portuguese, Dutch, Polish, Turkish and Swedish."""
_LETTERS_NEEDED = 8
_MOST_FOREIGN_LETTERS = 0.3
_FOREIGN_NEEDED = 2
"""Words. One may be a name, or a word of both languages."""


def is_english(text: str, words: Sequence[Word], known: frozenset[str]) -> bool:
    """False where the rules cannot have understood the text.

    Args:
        text: normalised.
        words: of it.
        known: stems that the rules know, which speak for English ("severe headache").
    """
    if not text.isascii() and _is_foreign_script(text[:4000]):
        return False
    spoken = [word for word in words[:600] if word.text.isalpha()]
    if sum(len(word.text) for word in spoken) < _LETTERS_NEEDED:
        return True
    english, foreign = _common()
    strange = sum(word.text in foreign for word in spoken)
    if strange < _FOREIGN_NEEDED:
        return True
    return strange <= sum(word.text in english or word.stem in known for word in spoken)


@cache
def _common() -> tuple[frozenset[str], frozenset[str]]:
    """English words, and those of other languages that are none."""
    english = frozenset(_ENGLISH.split())
    return english, frozenset(_FOREIGN.split()) - english


def _is_foreign_script(text: str) -> bool:
    letters = [one for one in text if one.isalpha()]
    latin = sum(one.isascii() or "LATIN" in unicodedata.name(one, "") for one in letters)
    return len(letters) - latin > _MOST_FOREIGN_LETTERS * len(letters)
