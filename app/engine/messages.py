"""Every request to the engine and every event from it: the whole vocabulary on one page.

On the wire a message is one JSON object a line; `type` holds the class name, the other keys are
its fields. `encode` and `decode_request`/`decode_event` are exact inverses.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, cast, get_args, get_type_hints

from app.errors import EngineError

Role = Literal["system", "user", "assistant"]
StopReason = Literal["stop", "length", "cancelled", "repetition"]
KvType = Literal["f32", "f16", "q8_0"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation as the chat template sees it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. The defaults suit small models that answer questions."""

    temperature: float = 0.3
    """0 takes the most likely token each time (greedy)."""
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.1
    """Divides the logits of tokens among the last `repeat_window`; 1 turns it off."""
    repeat_window: int = 128
    max_tokens: int = 512
    seed: int = 0
    guard_repetition: bool = True
    """End the answer when the same few tokens come round again and again."""
    stop_at_end: bool = True
    """End where the model says that its turn is over; a bench goes on to `max_tokens`."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How llama.cpp is set up; a board profile fills it."""

    context: int = 2048
    """Tokens asked for; the file's trained context and the memory may make it smaller."""
    decode_threads: int = 2
    prefill_threads: int = 4
    gpu_layers: int = 0
    flash_attention: bool = False
    key_type: KvType = "f16"
    value_type: KvType = "f16"
    micro_batch: int = 128
    """Tokens of prefill between two looks at a cancel (at most 400 ms of work on CUDA)."""
    mmap: bool = True
    extra_buffers: bool = True
    """Let the CPU back end repack weights for its own kernels."""


@dataclass(frozen=True, slots=True)
class Load:
    """Open a model. Answered by Loading… and Loaded, or Failed."""

    path: str
    settings: EngineSettings = EngineSettings()
    state_folder: str | None = None
    """Where the state of the fixed prompt is kept; None keeps none."""
    model_sha256: str | None = None
    """Names the model in the kept state's key; without it no state is kept."""
    ignore_memory: bool = False
    """Load although the estimate says that memory does not suffice."""


@dataclass(frozen=True, slots=True)
class Warm:
    """Bring the fixed messages (the system prompt) into the cache. Answered by Warmed or Failed."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Generate:
    """Answer the conversation. Answered by Prefill…, Text… and Finished, or Failed."""

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()


@dataclass(frozen=True, slots=True)
class Cancel:
    """End what is running. The running request is answered by Finished with stop `cancelled`."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many tokens the rendered messages are. Answered by Counted or Failed."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class SetPace:
    """Slow down or speed up, also while an answer runs. Not answered."""

    threads: int
    """Of decoding; a prompt is always read with all that it was given."""
    duty: float = 1.0
    """Share of the time that computing may use, 0 < duty ≤ 1."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Forget the conversation: cache, kept answers. Answered by Cleared."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End the process."""


@dataclass(frozen=True, slots=True)
class Loading:
    """Progress of a Load."""

    fraction: float


@dataclass(frozen=True, slots=True)
class Loaded:
    """The model is open and has decoded a first token."""

    name: str
    architecture: str
    parameters: int
    bytes: int
    """Size of the file's tensors."""
    census: Mapping[str, int]
    """Tensor type to the number of tensors."""
    trained_context: int
    context: int
    template: str
    """Where the chat template came from: `file`, or the stated fallback."""
    system_info: str
    """llama.cpp's own list of what it was built with and found."""
    llama_cpp: str
    """Version of llama-cpp-python."""
    extra_buffers: bool
    network: str = ""
    """What keeps the engine from the network."""


@dataclass(frozen=True, slots=True)
class Warmed:
    """The fixed prompt is in the cache."""

    tokens: int
    restored: bool
    """Read from the kept state and not computed."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Prefill:
    """The prompt is being read. done and total count the tokens that were not in the cache."""

    done: int
    total: int
    reused: int


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer: whole characters only."""

    text: str
    tokens: int
    """Tokens generated so far."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer, with what it took."""

    reason: StopReason
    prompt_tokens: int
    reused: int
    evaluated: int
    """Prompt tokens that were computed: prompt_tokens − reused."""
    generated: int
    prefill_s: float
    decode_s: float
    resident_bytes: int
    """Resident memory of the engine process."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The answer to Count."""

    tokens: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """The answer to Reset."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A request could not be done, or (code `died`) the process ended."""

    code: Literal["bad_model", "memory", "context", "template", "died", "internal"]
    sentence: str
    detail: Mapping[str, int] = field(default_factory=dict)
    """For `memory`: needed and available bytes. For `context`: tokens and room."""


Request = Load | Warm | Generate | Cancel | Count | SetPace | Reset | Quit
Event = Loading | Loaded | Warmed | Prefill | Text | Finished | Counted | Cleared | Failed

_SURROGATE = re.compile("[\ud800-\udfff]")
_REQUESTS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Request)}
_EVENTS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}


def encode(message: Request | Event) -> bytes:
    """One line of JSON, with its newline. Lone surrogates become U+FFFD: JSON text is UTF-8."""
    fields = {"type": type(message).__name__, **dataclasses.asdict(message)}
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return _SURROGATE.sub("\ufffd", text).encode() + b"\n"


def decode_request(line: bytes) -> Request:
    """The request that a line holds. Raises EngineError where it holds none."""
    request: Request = _decode(line, _REQUESTS)
    return request


def decode_event(line: bytes) -> Event:
    """The event that a line holds. Raises EngineError where it holds none."""
    event: Event = _decode(line, _EVENTS)
    return event


def _decode(line: bytes, kinds: Mapping[str, type[Any]]) -> Any:
    try:
        fields = json.loads(line)
        return _build(kinds[fields.pop("type")], fields)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EngineError(f"The engine sent or got a line that is no message ({error}).") from error


def _build(kind: type[Any], fields: Mapping[str, Any]) -> Any:
    """A dataclass from JSON fields; nested messages and settings are rebuilt by their type."""
    hints = _hints(cast(Hashable, kind))
    values = {name: _value(hints[name], value) for name, value in fields.items()}
    return kind(**values)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value)
    if hint == tuple[Message, ...]:
        return tuple(_build(Message, item) for item in value)
    return value
