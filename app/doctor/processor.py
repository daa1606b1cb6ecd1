"""Whether llama.cpp was built for this processor."""

from __future__ import annotations

import re

from app.doctor.check import Check, attention, not_checked, ok

FLAGS = {
    "SSE3": "pni",
    "SSSE3": "ssse3",
    "AVX": "avx",
    "AVX_VNNI": "avx_vnni",
    "AVX2": "avx2",
    "F16C": "f16c",
    "FMA": "fma",
    "BMI2": "bmi2",
    "AVX512": "avx512f",
    "AVX512_VBMI": "avx512vbmi",
    "AVX512_VNNI": "avx512_vnni",
    "AVX512_BF16": "avx512_bf16",
    "AMX_INT8": "amx_int8",
    "NEON": "asimd",
    "FP16_VA": "asimdhp",
    "DOTPROD": "asimddp",
    "MATMUL_INT8": "i8mm",
    "SVE": "sve",
    "SME": "sme",
}
"""What llama.cpp calls a feature, and the kernel's word for it in /proc/cpuinfo."""

MISSED = ("AVX2", "FMA", "F16C", "DOTPROD")
"""A build without one of these, on a processor that has it, is several times as slow."""

_PAGES = (
    "The library was linked for smaller pages than this kernel's. Take Bedside's own bundle, or "
    "put `kernel=kernel8.img` into /boot/firmware/config.txt."
)


def built_features(system_info: str) -> frozenset[str]:
    """Features that are on in llama.cpp's own list (`CPU : AVX = 1 | …`)."""
    return frozenset(re.findall(r"\b([A-Z0-9_]{2,24}) = 1\b", system_info))


def processor_flags(cpuinfo: str) -> frozenset[str]:
    """The first processor's flags in /proc/cpuinfo (`flags` on x86, `Features` on ARM)."""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.MULTILINE)
    return frozenset(found.group(1).split()) if found else frozenset()


def features(system_info: str | None, problem: str, cpuinfo: str, version: str) -> Check:
    """Compares what llama.cpp was built with to what the processor has.

    Args:
        system_info: llama.cpp's list; None where the library did not tell it.
        problem: then why, as a sentence.
        cpuinfo: the text of /proc/cpuinfo.
        version: of llama-cpp-python, to build again.
    """
    rebuild = (
        "Build it on this machine: `pip install --force-reinstall --no-cache-dir --no-deps "
        f"--no-binary llama-cpp-python llama-cpp-python=={version}`."
    )
    if system_info is None:
        advice = _PAGES if "page-aligned" in problem else rebuild
        return attention("processor", problem, advice, essential=True)
    flags, built = processor_flags(cpuinfo), built_features(system_info)
    if not flags or not built:
        return not_checked("processor", "The processor or llama.cpp does not tell its features.")
    lacking = sorted(name for name in built if name in FLAGS and FLAGS[name] not in flags)
    if lacking:
        return attention(
            "processor",
            f"llama.cpp was built for another processor: this one lacks {', '.join(lacking)}.",
            rebuild,
            essential=True,
        )
    missed = [name for name in MISSED if FLAGS[name] in flags and name not in built]
    missed += [] if "REPACK" in built else ["REPACK"]
    if missed:
        return attention(
            "processor",
            f"llama.cpp was built without {', '.join(missed)} and is slower than it could be.",
            rebuild,
        )
    used = ", ".join(sorted(name for name in built if name in FLAGS))
    return ok("processor", f"llama.cpp was built for this processor ({used}).")


def extra_buffers(crashed_before: bool) -> Check:
    """Whether llama.cpp's kernels for repacked weights crashed on this machine once."""
    if crashed_before:
        return attention(
            "kernels",
            "llama.cpp's kernels for repacked weights crashed here once; the engine now runs "
            "without them and reads a prompt more slowly.",
            "Nothing needs to be done; another version of the library is tried with them again.",
        )
    return ok("kernels", "No crash of llama.cpp's kernels is remembered on this machine.")
