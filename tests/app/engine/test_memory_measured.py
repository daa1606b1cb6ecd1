"""The estimate held against what llama.cpp itself reports for the shipped model."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from app.engine.memory import estimate
from app.engine.messages import EngineSettings
from app.engine.modelfile import read_header
from tests.shared import ROOT

MODEL = ROOT / "models/medquad-29m-Q4_K_M.gguf"

REPORT = """
import ctypes, sys
from llama_cpp import llama_cpp as lib
path, context, flash = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1"
@lib.llama_log_callback
def log(level, text, data):
    sys.stdout.write(text.decode("utf-8", "replace"))
lib.llama_log_set(log, ctypes.c_void_p())
lib.llama_backend_init()
wanted = lib.llama_model_default_params()
wanted.n_gpu_layers, wanted.use_extra_bufts = 0, False
wanted.load_mode = lib.LLAMA_LOAD_MODE_NONE
model = lib.llama_model_load_from_file(path.encode(), wanted)
wanted = lib.llama_context_default_params()
wanted.n_ctx, wanted.n_batch, wanted.n_ubatch = context, 128, 128
wanted.flash_attn_type = (
    lib.LLAMA_FLASH_ATTN_TYPE_ENABLED if flash else lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
)
context = lib.llama_init_from_model(model, wanted)
sys.stdout.flush()
"""


def reported(text: str, kind: str) -> float:
    """Bytes of the buffers that the library's log calls by this name; it rounds to 0.01 MiB."""
    sizes = re.findall(rf"{kind} buffer size = *([\d.]+) MiB", text)
    return sum(map(float, sizes)) * 2**20


@pytest.mark.skipif(not MODEL.exists(), reason="the shipped model is not in this checkout")
@pytest.mark.parametrize(("context", "flash"), [(1024, False), (1024, True), (300, False)])
def test_the_estimate_is_close_and_not_below(context: int, flash: bool) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", REPORT, str(MODEL), str(context), str(int(flash))],
        capture_output=True,
        text=True,
        check=True,
    )
    settings = EngineSettings(mmap=False, extra_buffers=False, flash_attention=flash)
    need = estimate(read_header(MODEL), settings, context)
    rounding = 0.02 * 2**20
    assert need.weights == pytest.approx(reported(ran.stdout, "model"), abs=rounding)
    assert need.kv == pytest.approx(reported(ran.stdout, "KV"), abs=rounding)
    compute = reported(ran.stdout, "compute")
    assert compute > 0
    assert compute - rounding <= need.compute <= 1.6 * compute
