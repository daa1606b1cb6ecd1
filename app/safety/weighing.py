"""How much a text reads like the words of people in danger: weights of words, added up.

Rules find what somebody thought of; a crisis is mostly told in words that nobody listed. So beside
them stands a logistic regression over the stems of single words and of pairs, fitted to the
sentence tables by `python -m tests.app.safety.fit`. It understands nothing and cannot say why, so
it only ever adds an alert, and a general one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from app.safety.words import Word, Words

FEW = 16
"""Features. Of fewer than that not much is concluded."""
_NUMBER = "#"
"""All numbers are one: what they mean is the measures' business."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A fitted model for each of some levels."""

    levels: tuple[str, ...] = ()
    """What is weighed: "call", "crisis"."""
    bias: tuple[float, ...] = ()
    """By level, in the order of `levels`, as all that follow; natural log-odds."""
    of: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """By feature."""

    def weigh(self, words: Words) -> dict[str, float]:
        """The log-odds of each level, of the whole text or of the two neighbouring sentences where
        they are highest: an emergency at the end of a long letter must not be thinned out."""
        sentences = [
            {one: self.of[one] for one in features(sentence) if one in self.of}
            for sentence in by_sentence(words)
        ]
        whole: dict[str, tuple[float, ...]] = {}
        for sentence in sentences:
            whole.update(sentence)
        parts = [whole, *(a | b for a, b in pairwise(sentences))]
        highest = map(max, zip(*map(self._sum, parts), strict=True))
        return dict(zip(self.levels, highest, strict=True))

    def _sum(self, known: Mapping[str, tuple[float, ...]]) -> tuple[float, ...]:
        """Σ w / √n + bias over the n known features of a part, n at least `FEW`."""
        scale = max(FEW, len(known)) ** -0.5
        return tuple(
            bias + scale * sum(one[column] for one in known.values())
            for column, bias in enumerate(self.bias)
        )


def by_sentence(words: Words) -> Iterator[Sequence[Word]]:
    """The words of a text, sentence by sentence."""
    for _, sentence in groupby(words.words, key=lambda word: word.sentence):
        yield list(sentence)


def features(sentence: Sequence[Word]) -> set[str]:
    """What is weighed of a sentence: stems, neighbours, and pairs with any one word between."""
    stems = [_NUMBER if word.text[0].isdigit() else word.stem for word in sentence]
    found = set(stems)
    found.update(map(" ".join, pairwise(stems)))
    found.update(f"{a} _ {b}" for a, b in zip(stems, stems[2:], strict=False))
    return found


def parse(text: str) -> Weights:
    """Weights from their file: tab-separated, a feature and its weight for each level.

    The first line names the levels, the second, whose feature is empty, has the biases.

    Raises:
        ValueError: the text is no such file.
    """
    (_, *levels), (_, *bias), *rows = (line.split("\t") for line in text.splitlines())
    if any(len(row) != len(levels) + 1 for row in rows) or len(bias) != len(levels):
        raise ValueError("a line of the weights has another number of columns")
    return Weights(
        tuple(levels),
        tuple(map(float, bias)),
        {feature: tuple(map(float, weights)) for feature, *weights in rows},
    )
