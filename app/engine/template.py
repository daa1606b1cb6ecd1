"""The chat template of a model file: rendered in a sandbox, with its edges kept apart.

A template is a program that came with the file, so it runs in Jinja's immutable sandbox, without
a clock, for a bounded time and in bounded memory. It never sees what was said: each message's
content is stood in for by a sentinel, and the rendered text is cut at the sentinels. The pieces of
the template are tokenised with special tokens and the contents without, so that nobody can close
a turn by typing `<|im_end|>`.
"""

from __future__ import annotations

import re
import resource
import secrets
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.engine.messages import Message, Role
from app.errors import BadInputError
from app.sanitise import one_line

RENDER_SECONDS = 2.0
RENDER_BYTES = 512 << 20
LONGEST_TEMPLATE = 256 << 10
"""Characters. The longest published ones (tools in many forms) are near 30,000."""

CHATML = (
    "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PLAIN = (
    "{{ bos_token }}{% for m in messages %}{{ m['role'] | capitalize }}: {{ m['content'] }}\n\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant: {% endif %}"
)


_FAILURES = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RuntimeError,
    SyntaxError,
)
"""What a template that is wrong about its input raises. Jinja compiles to Python, whose own limits
(nested blocks, parentheses, digits) are SyntaxError, RecursionError and ValueError."""


class TemplateRefusal(Exception):
    """The template itself refused these messages (`raise_exception`)."""


class _Overrun(BaseException):
    """The template ran out of its time. Not an Exception: Jinja's optimiser drops those."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the prompt: text of the template, or one message's content."""

    text: str
    role: Role | None = None
    """Whose content this is; None for text of the template."""


class ChatTemplate:
    """One compiled template. Rendering needs the main thread: its time limit is a signal."""

    def __init__(self, source: str, bos: str, eos: str) -> None:
        """Compile `source`. Raises BadInputError where it is no template or is far too long."""
        if len(source) > LONGEST_TEMPLATE:
            raise BadInputError("The model's chat template is far longer than any real one.")
        environment = _Sandbox(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.globals["raise_exception"] = _refuse
        with _bounded("cannot be read as one"):  # constants are computed while compiling
            self._template = environment.from_string(source)
        self._bos, self._eos = bos, eos

    def render(self, messages: Sequence[Message]) -> list[Segment]:
        """The prompt for these messages, ending where the answer begins.

        A system message that the template refuses or leaves out goes before the first question.
        Raises BadInputError where the template fails, or loses a message.
        """
        try:
            segments, held = self._render(messages)
            if len(held) == len(messages):
                return segments
        except TemplateRefusal as refusal:
            if not _has_system(messages):
                reason = one_line(str(refusal))
                raise BadInputError(f"The model's chat template refuses: {reason}") from refusal
        if _has_system(messages):
            return self.render(_merge_system(messages))
        raise BadInputError("The model's chat template loses a part of the conversation.")

    def _render(self, messages: Sequence[Message]) -> tuple[list[Segment], set[int]]:
        """The segments, and which messages stand in them."""
        nonce = secrets.token_hex(8)
        stand_ins = [
            {"role": message.role, "content": f"\ue000{nonce}:{index}\ue001"}
            for index, message in enumerate(messages)
        ]
        with _bounded("fails on a conversation"):
            text = self._template.render(
                messages=stand_ins,
                bos_token=self._bos,
                eos_token=self._eos,
                add_generation_prompt=True,
            )
            return _cut(text, nonce, messages)


def choose_template(source: str | None, has_chatml: bool) -> tuple[str, str]:
    """The template to use and where it came from: the file's, or a stated fallback."""
    if source:
        return source, "file"
    if has_chatml:
        return CHATML, "none in the file; ChatML, whose tokens the vocabulary has"
    return PLAIN, "none in the file; plain «User:» and «Assistant:» lines"


def _cut(text: str, nonce: str, messages: Sequence[Message]) -> tuple[list[Segment], set[int]]:
    """Template text and contents in turn; re.split puts the messages' indices at odd places."""
    parts = re.split(f"\ue000{nonce}:([0-9]+)\ue001", text)
    indices = [int(part) for part in parts[1::2]]
    segments = [Segment(parts[0])]
    for index, following in zip(indices, parts[2::2], strict=True):
        segments.append(Segment(messages[index].content, messages[index].role))
        segments.append(Segment(following))
    return [segment for segment in segments if segment.text], set(indices)


def _has_system(messages: Sequence[Message]) -> bool:
    return len(messages) > 1 and messages[0].role == "system"


def _merge_system(messages: Sequence[Message]) -> list[Message]:
    system, first, *rest = messages
    return [Message(first.role, f"{system.content}\n\n{first.content}"), *rest]


def _refuse(reason: object = "") -> None:
    raise TemplateRefusal(str(reason))


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox, without the operators that make much out of little."""

    intercepted_binops = frozenset(["*", "**", "%"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or isinstance(left, str | list) or isinstance(right, str | list):
            raise TemplateError(f"The operator {operator} is not for templates.")
        return super().call_binop(context, operator, left, right)


@contextmanager
def _bounded(failure: str) -> Iterator[None]:
    """Run a template's code within its limits; what goes wrong there becomes BadInputError."""
    try:
        with _limits(RENDER_SECONDS, RENDER_BYTES):
            yield
    except _Overrun as error:
        raise BadInputError("The model's chat template takes too long.") from error
    except MemoryError as error:
        raise BadInputError("The model's chat template takes too much memory.") from error
    except _FAILURES as error:
        raise BadInputError(f"The model's chat template {failure}.") from error


@contextmanager
def _limits(seconds: float, extra_bytes: int) -> Iterator[None]:
    """Let the block run for so long, and let the process grow by so much, and no more."""

    def stop(_signal: int, _frame: object) -> None:
        raise _Overrun

    restore = _limit_memory(extra_bytes)
    earlier = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)
        restore()


def _limit_memory(extra_bytes: int) -> Callable[[], None]:
    """Lower the limit of the address space; what is returned lifts it again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # no /proc: the time limit alone has to do
        return lambda: None
    limit = pages * resource.getpagesize() + extra_bytes
    if soft != resource.RLIM_INFINITY:
        limit = min(limit, soft)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
