#!/bin/sh
# Makes .venv and installs Bedside into it: `sh deploy/setup.sh chat` for the chat alone,
# `sh deploy/setup.sh dev` for the converter and the tests too. A second run finds its stamp and
# does nothing. llama.cpp is compiled for this very processor, and the wheel is kept under a key
# made of all that it depends on: pip's own cache would hand out one built for another machine.
set -eu
cd "$(dirname "$0")/.."

PARTS=${1:-chat}
LLAMA=0.3.36
VENV=.venv
FLAGS="-DLLAVA_BUILD=OFF -DLLAMA_OPENSSL=OFF ${CMAKE_ARGS:-}"
if [ -e /etc/nv_tegra_release ] && command -v nvcc >/dev/null 2>&1; then
    FLAGS="$FLAGS -DGGML_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=87"
fi

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

find_python() {
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.10; do
        if "$name" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null
        then command -v "$name"; return; fi
    done
    fail "Bedside needs Python 3.10 to 3.13. Install it with: sudo apt install python3"
}

need_compiler() {
    command -v c++ >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 ||
        fail "Bedside compiles llama.cpp and finds no C++ compiler. Install one with: sudo apt install g++"
    command -v cmake >/dev/null 2>&1 ||
        fail "Bedside compiles llama.cpp and finds no cmake. Install it with: sudo apt install cmake"
}

# What the compiled library depends on: version, flags, compiler, and the processor's own features.
wheel_key() {
    {
        echo "$LLAMA $FLAGS"
        uname -m
        c++ --version 2>/dev/null | head -n 1
        sort -u /proc/cpuinfo 2>/dev/null |
            grep -E '^(model name|flags|Features|CPU (implementer|part|variant))' || true
    } | sha256sum | cut -c 1-16
}

jobs() {
    memory=$(awk '/^MemTotal/ {print int($2 / 1500000) + 1}' /proc/meminfo 2>/dev/null || echo 1)
    cores=$(nproc 2>/dev/null || echo 1)
    [ "$memory" -lt "$cores" ] && echo "$memory" || echo "$cores"
}

build_wheel() {
    say "Compiling llama.cpp for this processor (a few minutes; about a quarter of an hour on a Pi 5)…"
    part="$WHEELS.part.$$"
    trap 'rm -rf "$part"' EXIT
    mkdir -p "$part"
    if ! CMAKE_ARGS=$FLAGS CMAKE_BUILD_PARALLEL_LEVEL=$(jobs) "$VENV/bin/pip" wheel --quiet \
        --no-deps --no-cache-dir --no-binary llama-cpp-python -w "$part" \
        "llama-cpp-python==$LLAMA" >"$part/log" 2>&1
    then
        tail -n 30 "$part/log" >&2
        fail "llama.cpp could not be compiled; the lines above say why."
    fi
    rm -f "$part/log"
    rm -rf "$WHEELS"
    mv "$part" "$WHEELS"
}

KEY=$(wheel_key)
WHEELS="${XDG_CACHE_HOME:-$HOME/.cache}/bedside/wheels/$KEY"
STAMP="$VENV/.bedside-$PARTS"
WANTED="$KEY $(sha256sum <pyproject.toml | cut -c 1-16)"
if [ -x "$VENV/bin/python" ] && "$VENV/bin/python" -c '' 2>/dev/null; then
    for stamp in "$STAMP" "$VENV/.bedside-dev"; do
        [ "$(cat "$stamp" 2>/dev/null)" = "$WANTED" ] && exit 0
    done
fi
has_wheel() { ls "$WHEELS"/llama_cpp_python-*.whl >/dev/null 2>&1; }
has_wheel || need_compiler
if ! "$VENV/bin/python" -c '' 2>/dev/null; then
    PYTHON=$(find_python)
    "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "Python's venv module is missing. Install it with: sudo apt install python3-venv"
    rm -rf "$VENV"
    "$PYTHON" -m venv "$VENV"
fi

has_wheel || build_wheel

say "Installing Bedside into $VENV…"
[ "$PARTS" = dev ] && EXTRAS='[convert,dev]' || EXTRAS=''
"$VENV/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps \
    "$WHEELS"/llama_cpp_python-*.whl &&
    "$VENV/bin/pip" install --quiet --disable-pip-version-check -e ".$EXTRAS" ||
    fail "The packages could not be installed; the lines above say why. Is there a network?"
rm -f "$VENV"/.bedside-*
echo "$WANTED" >"$STAMP"
