"""Opening a model: the header's check, the context that fits, a first decode, the template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine import memory, modelfile
from app.engine.generation import Cache
from app.engine.kept_state import KeptState
from app.engine.llama import Llama, StopFlag, llama_cpp_version, system_info
from app.engine.messages import Load, Loaded
from app.engine.prompt import PromptBuilder
from app.engine.template import ChatTemplate, choose_template
from app.errors import BedsideError
from app.sanitise import one_line

if TYPE_CHECKING:
    from app.engine.header import Header


class NotEnoughMemory(BedsideError):
    """The estimate of what the model needs is above what is available."""

    exit_code = 4

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(
            f"This model needs about {_gigabytes(needed)} of memory and "
            f"{_gigabytes(available)} are available."
        )
        self.detail: Mapping[str, int] = {"needed": needed, "available": available}


@dataclass(slots=True)
class Session:
    """A loaded model and everything that belongs to it."""

    llama: Llama
    cache: Cache
    builder: PromptBuilder
    context: int
    kept_state: KeptState | None
    loaded: Loaded


def open_session(load: Load, stop: StopFlag, progress: Callable[[float], None]) -> Session:
    """Open the file of a request.

    Raises BadInputError (no model, or a broken one), NotEnoughMemory, ResourceError.
    """
    header = modelfile.read_header(Path(load.path))
    context = _fitting_context(header, load)
    llama = Llama(load.path, load.settings, context, stop, progress)
    try:
        try_decode(llama)
        template, origin = _template(header, llama)
    except BaseException:
        llama.close()  # gigabytes, which the next model needs
        raise
    return Session(
        llama=llama,
        cache=Cache(llama),
        builder=PromptBuilder(template, llama),
        context=context,
        kept_state=_kept_state(load),
        loaded=_describe(header, load, llama, context, origin),
    )


def _template(header: Header, llama: Llama) -> tuple[ChatTemplate, str]:
    """The chat template, and where it came from."""
    source = header.metadata.get("tokenizer.chat_template")
    has_chatml = len(llama.tokenize("<|im_start|>", special=True)) == 1
    chosen, origin = choose_template(source if isinstance(source, str) else None, has_chatml)
    return ChatTemplate(chosen, llama.token_text(llama.bos), llama.token_text(llama.eos)), origin


def try_decode(llama: Llama) -> None:
    """Decode a few tokens at once and one alone, and forget them.

    On some x86 machines a library kernel kills the process at the first decode of a k-quant file.
    It is to happen here, while a model is loading, and not under somebody's first question.
    """
    tokens = llama.tokenize("The first words.", special=False)[: llama.micro_batch] or [0]
    llama.evaluate(tokens, 0, wants_logits=True)
    llama.evaluate(tokens[:1], len(tokens), wants_logits=True)
    llama.clear()


def _fitting_context(header: Header, load: Load) -> int:
    """The smallest of the profile's context, the file's own and what memory allows."""
    settings = load.settings
    available = memory.available_memory()
    if load.ignore_memory or available is None:
        return min(settings.context, memory.trained_context(header) or settings.context)
    fitting = memory.largest_context(header, settings, available)
    if fitting is None:
        need = memory.estimate(header, settings, memory.SMALLEST_CONTEXT)
        raise NotEnoughMemory(need.total, available)
    return fitting


def _kept_state(load: Load) -> KeptState | None:
    if load.state_folder is None or load.model_sha256 is None:
        return None
    return KeptState(Path(load.state_folder), load.model_sha256, llama_cpp_version(), load.settings)


def _describe(header: Header, load: Load, llama: Llama, context: int, origin: str) -> Loaded:
    name = header.metadata.get("general.name")
    return Loaded(
        name=one_line(name) if isinstance(name, str) and name else Path(load.path).stem,
        architecture=one_line(str(header.metadata["general.architecture"])),
        parameters=modelfile.parameters(header),
        bytes=modelfile.tensor_bytes(header),
        census=modelfile.census(header),
        trained_context=llama.trained_context,
        context=context,
        template=origin,
        system_info=system_info(),
        llama_cpp=llama_cpp_version(),
        extra_buffers=load.settings.extra_buffers,
    )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
