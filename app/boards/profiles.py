"""How the engine is set up on each board, with the reason of every single setting.

Where a number comes from is said in its reason; speeds are other people's measurements on these
boards with llama.cpp, and `bedside bench` measures the one at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.boards.detect import BoardId, cores
from app.engine.messages import EngineSettings
from app.errors import UsageError


@dataclass(frozen=True, slots=True)
class Profile:
    """The engine's settings on one board."""

    id: BoardId
    settings: EngineSettings
    reasons: Mapping[str, str]
    """One sentence for each field of the settings, by the field's name."""
    bandwidth_gb_s: float | None
    """Bytes of weights that decoding reads in a second, in GB (10^9); None where unknown."""

    def predicted_tokens_per_s(self, bytes_per_token: int) -> float | None:
        """Decode speed that the memory allows: each token reads every weight once.

        Args:
            bytes_per_token: the file's tensors, without a token table that is only looked up in.
        """
        if self.bandwidth_gb_s is None or bytes_per_token <= 0:
            return None
        return self.bandwidth_gb_s * 1e9 / bytes_per_token


def profile(board_id: str, available_cores: int | None = None) -> Profile:
    """The profile of a board.

    Args:
        board_id: one of `PROFILES`.
        available_cores: for `generic`, which fits itself to the machine; None looks.

    Raises:
        UsageError: there is no such profile.
    """
    if board_id not in PROFILES:
        known = ", ".join(PROFILES)
        raise UsageError(f"There is no board profile “{board_id}”. Choose one of: {known}.")
    return PROFILES[board_id](cores() if available_cores is None else available_cores)


def _pi5(board_id: BoardId, context: int, context_reason: str) -> Profile:
    settings = EngineSettings(
        context=context,
        decode_threads=2,
        prefill_threads=4,
        gpu_layers=0,
        flash_attention=False,
        key_type="f16",
        value_type="f16",
        micro_batch=128,
        mmap=False,
        extra_buffers=True,
    )
    reasons = {
        "context": context_reason,
        "decode_threads": "Decoding waits for memory, and two cores already fill it: "
        "four are 19 % slower than two.",
        "prefill_threads": "Reading the prompt is arithmetic, and all four cores help.",
        "gpu_layers": "llama.cpp has no use for the Pi's GPU.",
        "flash_attention": "Its gain on this CPU is not established; off is the plain path.",
        "key_type": "16-bit keys cost no accuracy, and this context is short enough for them.",
        "value_type": "As the keys; 8-bit values would need flash attention.",
        "micro_batch": "The prompt's progress moves every second or two on a 1.5B model.",
        "mmap": "Off: repacked weights are a copy, and a mapped file would stay beside it.",
        "extra_buffers": "Repacked weights read a prompt 1.9 to 2.6 times as fast on this CPU, "
        "for at most 7 % of the decode speed.",
    }
    # 11.34 and 11.82 GB/s are two independent fits of tokens/s over bytes a token.
    return Profile(board_id, settings, MappingProxyType(reasons), bandwidth_gb_s=11.6)


def _pi5_4gb(_: int) -> Profile:
    return _pi5("pi5-4gb", 2048, "Beside a 1 to 1.5B model, 4 GB have room for this much.")


def _pi5_8gb(_: int) -> Profile:
    return _pi5("pi5-8gb", 4096, "Beside a 3 to 4B model, 8 GB have room for this much.")


def _orin_nano(_: int) -> Profile:
    settings = EngineSettings(
        context=4096,
        decode_threads=2,
        prefill_threads=4,
        gpu_layers=-1,
        flash_attention=True,
        key_type="f16",
        value_type="f16",
        micro_batch=128,
        mmap=False,
        extra_buffers=True,
    )
    reasons = {
        "context": "Beside a 3 to 4B model, 8 GB shared by CPU and GPU have room for this much.",
        "decode_threads": "The GPU decodes; two threads look up tokens and leave cores for the "
        "screen.",
        "prefill_threads": "The GPU reads the prompt too; more threads bring nothing.",
        "gpu_layers": "All layers: the GPU reads memory four times as fast as a Pi's CPU.",
        "flash_attention": "The CUDA kernels for it need less memory for long prompts.",
        "key_type": "16-bit keys cost no accuracy, and this context is short enough for them.",
        "value_type": "As the keys.",
        "micro_batch": "The GPU cannot be stopped inside a batch: at 480 tokens/s of a 4B model "
        "128 take 270 ms, so a stop is heard within 400 ms.",
        "mmap": "Off: CPU and GPU share one memory, and a mapped file would stay beside the copy.",
        "extra_buffers": "They concern layers on the CPU; with all on the GPU they cost nothing.",
    }
    # llama.cpp reaches 45 to 55 of the 102 GB/s of the 25 W and MAXN modes.
    return Profile("orin-nano-8gb", settings, MappingProxyType(reasons), bandwidth_gb_s=50.0)


def _generic(available_cores: int) -> Profile:
    threads = max(1, available_cores - 1)
    settings = EngineSettings(
        context=4096,
        decode_threads=threads,
        prefill_threads=threads,
        gpu_layers=0,
        flash_attention=False,
        key_type="f16",
        value_type="f16",
        micro_batch=128,
        mmap=False,
        extra_buffers=True,
    )
    reasons = {
        "context": "Enough for a long talk; less when the memory does not allow it.",
        "decode_threads": "One core stays free for the screen and the monitor.",
        "prefill_threads": "One core stays free for the screen and the monitor.",
        "gpu_layers": "What GPU there is, if any, is not known here; the CPU always works.",
        "flash_attention": "Its gain differs from CPU to CPU; off is the plain path.",
        "key_type": "16-bit keys cost no accuracy.",
        "value_type": "As the keys.",
        "micro_batch": "Small enough for a progress line that moves.",
        "mmap": "Off: repacked weights are a copy, and a mapped file would stay beside it.",
        "extra_buffers": "Repacked weights read a prompt faster; the engine goes without them "
        "where they crashed before.",
    }
    return Profile("generic", settings, MappingProxyType(reasons), bandwidth_gb_s=None)


PROFILES: Mapping[str, Callable[[int], Profile]] = MappingProxyType(
    {
        "pi5-4gb": _pi5_4gb,
        "pi5-8gb": _pi5_8gb,
        "orin-nano-8gb": _orin_nano,
        "generic": _generic,
    }
)
"""What makes each profile from the number of cores; only `generic` depends on them."""
