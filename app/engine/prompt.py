"""From messages to token ids, so that what was in the cache before is found there again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from app.engine.messages import Message
from app.engine.template import ChatTemplate, Segment

_KEPT_ANSWERS = 64


class Tokenizer(Protocol):
    """What of the model the prompt needs."""

    bos: int
    adds_bos: bool

    def tokenize(self, text: str, special: bool) -> list[int]: ...


class PromptBuilder:
    """Renders and tokenises conversations, and remembers the ids of the answers it saw made.

    An answer's text, tokenised again, gives other ids about half the time; the cache holds the
    ids that were generated, so those are used wherever the answer stands in a later prompt.
    """

    def __init__(self, template: ChatTemplate, tokenizer: Tokenizer) -> None:
        self._template = template
        self._tokenizer = tokenizer
        self._answers: OrderedDict[str, list[int]] = OrderedDict()

    def build(self, messages: Sequence[Message]) -> list[int]:
        """The prompt's ids, BOS once. Raises BadInputError where the template fails."""
        ids: list[int] = []
        for segment in self._template.render(messages):
            ids += self._segment_ids(segment)
        return self._with_one_bos(ids)

    def fixed_prefix(self, messages: Sequence[Message]) -> list[int]:
        """The ids that every prompt beginning with `messages` has in common.

        A template may write the end of a message in a way that depends on what follows, so the
        prefix is found by comparing two conversations that differ right after it.
        """
        first = self.build([*messages, Message("user", "a")])
        second = self.build([*messages, Message("user", "7")])
        return first[: common_length(first, second)]

    def keep_answer(self, text: str, ids: Sequence[int]) -> None:
        """Remember by which ids an answer was generated."""
        self._answers[text] = list(ids)
        self._answers.move_to_end(text)
        while len(self._answers) > _KEPT_ANSWERS:
            self._answers.popitem(last=False)

    def forget(self) -> None:
        """Forget every answer."""
        self._answers.clear()

    def _segment_ids(self, segment: Segment) -> list[int]:
        if segment.role is None:
            return self._tokenizer.tokenize(segment.text, special=True)
        if segment.role == "assistant" and segment.text in self._answers:
            return self._answers[segment.text]
        return self._tokenizer.tokenize(segment.text, special=False)

    def _with_one_bos(self, ids: list[int]) -> list[int]:
        bos = self._tokenizer.bos
        start = 0
        while start < len(ids) and ids[start] == bos:
            start += 1
        wants_bos = self._tokenizer.adds_bos or start > 0
        return [bos, *ids[start:]] if wants_bos else ids[start:]


def common_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many ids two sequences have in common from their start."""
    length = min(len(first), len(second))
    for place in range(length):
        if first[place] != second[place]:
            return place
    return length
