#!/bin/sh
# Builds llama.cpp for the GPU of a Jetson Orin Nano with JetPack 6, on the board, offline:
#     sudo sh /opt/bedside/current/build/build-cuda.sh [--jobs N]
# Wherever this script lies, it builds out of what the installer verified and laid beside the release,
# which nobody but root can have changed since: pip and the build tools run as root here.
# The release itself is left as it is. What was built lies beside its environment in `cuda/`, and a
# drop-in tells the kiosk to load it from there, written only after a question was answered on the
# GPU. Remove the drop-in and the kiosk runs on the processor again; so does the next release until
# this is run for it, which is quick: the wheel is kept.
set -eu
umask 022 # the kiosk reads what root builds
cd / # Python imports from the folder that it is called in

root=${BEDSIDE_ROOT:-}
current=$root/opt/bedside/current
kept=$root/var/cache/bedside-cuda
systemd=$root/etc/systemd/system
nvcc=${CUDACXX:-/usr/local/cuda/bin/nvcc}
jobs=2 # nvcc takes some 2 GB a job, and the board has 8
[ "${1:-}" = --jobs ] && jobs=$2

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
one() { # the one file that there is
    if [ $# != 1 ] || [ ! -f "$1" ]; then
        fail "The release is not whole: it lacks $(basename "$1"). Install it again."
    fi
    printf '%s' "$1"
}

[ "$(id -u)" = 0 ] || [ -n "$root" ] || fail "This changes the release: run it with sudo."
[ -x "$current/venv/bin/python" ] || fail "Bedside is not installed here. Run install.sh first."
[ -x "$nvcc" ] ||
    fail "CUDA's compiler is not at $nvcc. Install JetPack's: sudo apt install cuda-toolkit-12-6"
release=$(readlink -f "$current")
parts=$release/build
(cd "$release" && grep '  build/' SHA256SUMS | sha256sum --check --strict --quiet) ||
    fail "A file of the release is not what it was. Install it again."
llama=$("$release/venv/bin/python" -I -c \
    'from importlib.metadata import version; print(version("llama-cpp-python"))')
sdist=$(one "$parts/llama_cpp_python-$llama.tar.gz")
pip=$(one "$parts"/pip-*.whl)
cuda=$("$nvcc" --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')
wheels=$kept/$llama-cuda$cuda
work=$(mktemp -d "${TMPDIR:-/var/tmp}/bedside-cuda.XXXXXX")
trap 'rm -rf "$work"' EXIT

build() {
    say "Building llama.cpp for CUDA $cuda with $jobs jobs. Nobody has measured yet how long that"
    say "takes; expect an hour or more. Stop the kiosk meanwhile, for its memory."
    python=$(readlink -f "$release/venv/bin/python")
    "$python" -m venv --without-pip "$work/tools"
    "$work/tools/bin/python" "$pip/pip" install --quiet --no-index --no-deps "$parts"/*.whl
    mkdir -p "$work/source" "$work/out"
    tar -xzf "$sdist" -C "$work/source" --strip-components=1
    PATH="$work/tools/bin:$PATH" CUDACXX=$nvcc CMAKE_BUILD_PARALLEL_LEVEL=$jobs \
        CMAKE_ARGS="-DGGML_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=87-real -DGGML_CUDA_NO_VMM=ON \
-DGGML_NATIVE=OFF -DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod+fp16 -DLLAVA_BUILD=OFF -DLLAMA_OPENSSL=OFF \
-DCMAKE_PLATFORM_NO_VERSIONED_SONAME=ON -DCMAKE_PROJECT_llama_cpp_INCLUDE=$parts/nocommon.cmake" \
        "$work/tools/bin/python" "$pip/pip" wheel --quiet --no-index --no-build-isolation --no-deps \
        --no-cache-dir --wheel-dir "$work/out" -C "wheel.exclude=lib/**" \
        -C "wheel.exclude=include/**" -C "wheel.exclude=bin/**" "$work/source"
    mkdir -p "$wheels.part"
    cp "$work/out"/*.whl "$wheels.part/"
    sync
    mv -T "$wheels.part" "$wheels"
}

answers() { # on the GPU: the libraries say that they can, and a question is answered
    LLAMA_CPP_LIB_PATH=$1 "$release/venv/bin/python" -I -c \
        'import sys, llama_cpp; sys.exit(not llama_cpp.llama_supports_gpu_offload())' &&
        LLAMA_CPP_LIB_PATH=$1 HOME=$work "$release/venv/bin/python" -I -m app \
            ask --temperature 0 --max-tokens 8 --no-log "What is asthma?" >"$work/answer" &&
        [ -s "$work/answer" ]
}

keep() { # in the release; whoever starts in between finds no drop-in, and so the processor's own
    drop_in=bedside-kiosk.service.d/20-cuda.conf
    rm -f "$release/units/$drop_in"
    rm -rf "$release/cuda"
    mv -T "$release/cuda.new" "$release/cuda"
    sync
    mkdir -p "$(dirname "$release/units/$drop_in")" "$(dirname "$systemd/$drop_in")"
    printf '[Service]\nEnvironment=LLAMA_CPP_LIB_PATH=%s\n' "${release#"$root"}/cuda" \
        >"$release/units/$drop_in"
    ln -sfn "../../../../opt/bedside/current/units/$drop_in" "$systemd/$drop_in"
}

[ -d "$wheels" ] || build
"$release/venv/bin/python" -m zipfile -e "$(one "$wheels"/*.whl)" "$work/wheel"
rm -rf "$release/cuda.new"
cp -r "$work/wheel/llama_cpp/lib" "$release/cuda.new"
if answers "$release/cuda.new"; then
    keep
    say "The release answers on the GPU, and the kiosk will after: sudo systemctl daemon-reload && \
sudo systemctl restart bedside-kiosk"
    say "For the next board of this JetPack, copy $wheels to the same place there."
else
    rm -rf "$release/cuda.new"
    fail "It was built and does not answer on the GPU; Bedside stays as it was. \
\`bedside doctor\` says what the GPU lacks."
fi
