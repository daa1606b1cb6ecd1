"""Questions as tokens: prompt and answers, with the seam between them in one known place.

A prompt's tokens never depend on the answer that follows. In a chat the answer's text is tokenised
alone, as Bedside's engine does with every turn. In the plain form it follows `Answer:`, and some
tokenizers put a space of their own before whatever comes first; so `Answer: text` is tokenised,
and the tokens of `Answer:` are taken off. Where a tokenizer merges across that seam (none is
known to), the answer is tokenised alone there too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from app.engine.messages import Message
from app.engine.prompt import PromptBuilder
from app.engine.template import ChatTemplate
from app.errors import BadInputError
from app.sanitise import one_line
from converter.evaluate import wording
from converter.evaluate.evaluation import Settings
from converter.evaluate.material import Material
from converter.evaluate.question import Question
from converter.opened import OpenedModel


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in tokens."""

    question: Question
    prompt: list[int]
    endings: list[list[int]]
    """Each option's, without the prompt."""
    by_label: bool
    """Whether the options are the set's labels."""
    room: int
    """Tokens that must fit behind the prompt: the longest ending, or what may be written."""

    @property
    def length(self) -> int:
        """Tokens of context that it needs."""
        return len(self.prompt) + self.room

    @property
    def cells(self) -> int:
        """Tokens that it puts into the cache. Nothing follows an ending's last, so that stays out;
        the prompt is there once for all endings."""
        followed = sum(len(ending) - 1 for ending in self.endings) if self.endings else self.room
        return len(self.prompt) + followed

    @property
    def lanes(self) -> int:
        """Sequences that it runs as."""
        return max(1, len(self.endings))


class Prompts:
    """Puts the questions of one run into tokens."""

    def __init__(self, model: OpenedModel, material: Material, settings: Settings) -> None:
        """Read the model's template, where it is to be used and there is one.

        Raises:
            BadInputError: the template is none.
        """
        self._model = model
        self._material = material
        self._settings = settings
        self._by_label = material.questions.by_label
        self._builder: PromptBuilder | None = None
        source = model.header.metadata.get("tokenizer.chat_template")
        self.template = "not used"
        """Where the chat template came from, in words."""
        if settings.template and isinstance(source, str) and source:
            self._builder = PromptBuilder(ChatTemplate(source, *model.edges), _Tokens(model))
            self.template = "the file's"
        elif settings.template:
            unsaid = ", without the system message" if settings.system else ""
            self.template = f"none in the file; the plain form was used{unsaid}"
        self._before = model.tokenize(wording.LEAD, special=False)
        self._shown = "" if self._builder else "".join(self._worked())

    @property
    def applied(self) -> Settings:
        """The settings without what came to nothing: a report must not claim a template that the
        file lacks, a system message that had no place, or passages of a set that publishes none."""
        applied, held = self._settings, self._material
        if self._builder is None:
            applied = replace(applied, template=False, system="")
        if applied.passages == "published":
            shown = (*held.examples, *held.questions.questions)
            if not any(question.passages for question in shown):
                applied = replace(applied, passages="none")
        return applied

    def after(self, done: int) -> Iterator[Asked]:
        """Every question but the first `done`, made when its turn comes, so that not all lie in
        memory."""
        return map(self.asked, islice(self._material.questions.questions, done, None))

    def asked(self, question: Question) -> Asked:
        """A question's tokens.

        Raises:
            BadInputError: the template refuses it, or an option has no token.
        """
        endings = [self._ending(answer) for answer in self._answers(question)]
        if not all(endings):
            raise BadInputError(
                f"An option of the question {one_line(question.id, 40)} has no token in this "
                "model's vocabulary; leave the question out."
            )
        writes = self._settings.mode == "write"
        room = self._settings.write_tokens if writes else max(map(len, endings))
        return Asked(
            question, self._prompt(question), [] if writes else endings, self._by_label, room
        )

    def _prompt(self, question: Question) -> list[int]:
        if self._builder is not None:
            return self._builder.build(self._messages(question))
        text = self._shown + self._plain(question)
        bos = self._model.bos
        return [*([] if bos is None else [bos]), *self._model.tokenize(text, special=False)]

    def _ending(self, answer: str) -> list[int]:
        if self._builder is None:
            tokens = self._model.tokenize(wording.LEAD + answer, special=False)
            if tokens[: len(self._before)] == self._before:
                return tokens[len(self._before) :]
        return self._model.tokenize(answer, special=False)

    def _answers(self, question: Question) -> tuple[str, ...]:
        in_chat = self._builder is not None
        return wording.answers(question, self._settings.mode, self._by_label, in_chat=in_chat)

    def _plain(self, question: Question) -> str:
        passages = self._material.passages(question, self._settings)
        return wording.plain(question, passages, self._settings.mode, self._by_label)

    def _worked(self) -> Iterator[str]:
        for example in self._material.examples:
            yield f"{self._plain(example)}{self._answers(example)[example.answer]}\n\n"

    def _messages(self, question: Question) -> list[Message]:
        messages = [Message("system", self._settings.system)] if self._settings.system else []
        for example in self._material.examples:
            messages.append(self._turn(example))
            messages.append(Message("assistant", self._answers(example)[example.answer]))
        return [*messages, self._turn(question)]

    def _turn(self, question: Question) -> Message:
        passages = self._material.passages(question, self._settings)
        text = wording.chat(question, passages, self._settings.mode, self._by_label)
        return Message("user", text)


class _Tokens:
    """An opened model as the engine's prompts see it."""

    def __init__(self, model: OpenedModel) -> None:
        self._model = model
        self.bos = model.bos_token
        self.adds_bos = model.bos is not None

    def tokenize(self, text: str, special: bool) -> list[int]:
        return self._model.tokenize(text, special)
