from __future__ import annotations

import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine import modelfile
from app.engine.ggml_types import GGML_TYPES, REMOVED_TYPES
from app.engine.header import Header
from app.engine.modelfile import Skipped, read_header
from app.errors import BadInputError
from tests.app.engine import gguf_files as gg
from tests.app.engine.gguf_files import GgufFile, Pair, Tensor, array, number, small_model, text
from tests.steps import lines_run

Change = Callable[[GgufFile], object]


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def refusal(tmp_path: Path, content: bytes) -> str:
    """The sentence that a file is refused with."""
    with pytest.raises(BadInputError) as caught:
        read_header(write(tmp_path / "model.gguf", content))
    return str(caught.value)


def test_a_sound_file_is_read_whole(tmp_path: Path) -> None:
    header = read_header(write(tmp_path / "m.gguf", small_model().pack()))
    assert header.version == 3
    assert header.architecture == "llama"
    assert header.metadata["tokenizer.ggml.tokens"] == gg.VOCABULARY
    assert header.metadata["tokenizer.ggml.add_bos_token"] is True
    assert header.setting("feed_forward_length") == 128
    assert header.kinds["tokenizer.ggml.scores"] == "float32[]"
    assert len(header.tensors) == 2 + 2 * 9
    assert header.data_offset % header.alignment == 0


def test_gguf_py_reads_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "m.gguf", small_model().pack())
    header = read_header(path)
    oracle = gguf.GGUFReader(path)
    theirs = [(t.name, tuple(map(int, t.shape)), int(t.n_bytes)) for t in oracle.tensors]
    assert [(t.name, t.shape, t.bytes) for t in header.tensors] == theirs
    starts = [int(tensor.data_offset) for tensor in oracle.tensors]
    assert [header.data_offset + tensor.offset for tensor in header.tensors] == starts


def test_the_type_table_is_ggufs(tmp_path: Path) -> None:
    ours = {number: (t.block, t.size) for number, t in GGML_TYPES.items() if t.stored}
    theirs = {kind.value: size for kind, size in gguf.GGML_QUANT_SIZES.items() if kind in ours}
    missing = set(ours) - set(theirs)
    assert {number: ours[number] for number in theirs} == theirs
    assert missing <= {42}, "only the newest types may be unknown to the installed gguf"
    assert all(GGML_TYPES[kind.value].name == kind.name for kind in gguf.GGMLQuantizationType)
    assert not REMOVED_TYPES & set(GGML_TYPES)


def test_what_the_header_tells(tmp_path: Path) -> None:
    model = small_model()
    model.set("general.description", gg.STRING, text("red\x1b[31m\nline"))
    model.set("bedside.converter", gg.STRING, text("0.1.0"))
    header = read_header(write(tmp_path / "m.gguf", model.pack()))
    matrices = 2 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128)
    vectors = 64 * 8 + 64 + 2 * 2 * 64
    assert modelfile.parameters(header) == matrices + vectors
    assert modelfile.tensor_bytes(header) == matrices // 32 * 34 + vectors * 4
    assert modelfile.census(header) == {"Q8_0": 14, "F32": 6}
    bits = 8 * (matrices // 32 * 34 + vectors * 4) / (matrices + vectors)
    assert modelfile.bits_per_weight(header) == pytest.approx(bits)
    told = modelfile.provenance(header)
    assert told["name"] == "small"
    assert told["description"] == "red line"
    assert told["bedside.converter"] == "0.1.0"


def test_settings_by_layer(tmp_path: Path) -> None:
    model = small_model()
    model.set("llama.attention.head_count_kv", gg.ARRAY, array(gg.INT32, [2, 0]))
    model.set("llama.feed_forward_length", gg.UINT32, number(gg.UINT32, 0))
    header = read_header(write(tmp_path / "m.gguf", model.pack()))
    assert header.setting("attention.head_count_kv") == (2, 0)
    assert header.kinds["llama.attention.head_count_kv"] == "int32[]"


def change(key: str, kind: int, value: bytes) -> Change:
    return lambda model: model.set(key, kind, value)


def tensor(**fields: object) -> Change:
    """Changes the last tensor of the small model."""

    def apply(model: GgufFile) -> None:
        for name, value in fields.items():
            setattr(model.tensors[-1], name, value)

    return apply


def field(name: str, value: object) -> Change:
    return lambda model: setattr(model, name, value)


def add_pair(key: str | bytes, kind: int, value: bytes) -> Change:
    return lambda model: model.pairs.append(Pair(key, kind, value))


def add_tensor(name: str | bytes, shape: tuple[int, ...], kind: int = gg.F32) -> Change:
    return lambda model: model.tensors.append(Tensor(name, shape, kind))


def last_offset(shift: int) -> Change:
    """Moves the last tensor's offset from where it belongs."""

    def apply(model: GgufFile) -> None:
        sizes = [one.size() + -one.size() % 32 for one in model.tensors]
        model.tensors[-1].offset = sum(sizes[:-1]) + shift

    return apply


def without(key: str) -> Change:
    return lambda model: model.remove(key)


def huge_string(length: int) -> bytes:
    return struct.pack("<Q", length) + b"x"


def u32(value: int) -> bytes:
    return number(gg.UINT32, value)


TOKENS = "tokenizer.ggml.tokens"
TYPES = "tokenizer.ggml.token_type"
SCORES = "tokenizer.ggml.scores"

BAD: dict[str, tuple[Change, str]] = {
    "wrong magic": (field("magic", b"GGML"), "is no GGUF model"),
    "version 0": (field("version", 0), "version 0, which llama.cpp no longer reads"),
    "version 1": (field("version", 1), "version 1, which llama.cpp no longer reads"),
    "future version": (field("version", 4), "newer than this Bedside reads"),
    "big-endian": (field("version", 3 << 24), "big-endian"),
    "negative tensors": (field("tensor_count", -1), "has -1 tensors"),
    "negative keys": (field("pair_count", -1), "has -1 keys"),
    "too many tensors": (field("tensor_count", 2**62), "tensors; between"),
    "more keys than bytes": (field("pair_count", 60000), "ends in the middle of its 60000 keys"),
    "empty key": (add_pair("", gg.UINT8, b"\1"), "key without a name"),
    "duplicate key": (add_pair("general.name", gg.UINT8, b"\1"), "“general.name” twice"),
    "key too long": (add_pair(b"k" * 70000, gg.UINT8, b"\1"), "a key is 70000 bytes"),
    "key is no text": (add_pair(b"\xff\xfe", gg.UINT8, b"\1"), "which is no text"),
    "key with escape": (add_pair("a\x1b[2Jb", gg.UINT8, b"\1"), "control characters"),
    "bad type": (add_pair("x", 13, b"\1"), "value type 13"),
    "bad bool": (add_pair("x", gg.BOOL, b"\2"), "true or false"),
    "bad bools": (add_pair("x", gg.ARRAY, array(gg.BOOL, [0, 1, 3])), "true or false"),
    "string of 2^63": (add_pair("x", gg.STRING, huge_string(2**63)), "9223372036854775808 bytes"),
    "string past the end": (add_pair("x", gg.STRING, huge_string(10**7)), "ends in the middle"),
    "array of 2^60": (
        add_pair("x", gg.ARRAY, struct.pack("<IQ", gg.UINT8, 2**60)),
        "1152921504606846976 elements",
    ),
    "strings past the end": (
        add_pair("x", gg.ARRAY, struct.pack("<IQ", gg.STRING, 4_000_000)),
        "ends in the middle",
    ),
    "nested array": (add_pair("x", gg.ARRAY, struct.pack("<IQ", 9, 1)), "array of arrays"),
    "array of nothing": (add_pair("x", gg.ARRAY, struct.pack("<IQ", 77, 1)), "array of type 77"),
    "alignment of wrong type": (
        change("general.alignment", gg.UINT64, number(gg.UINT64, 32)),
        "must be uint32",
    ),
    "alignment text": (change("general.alignment", gg.STRING, text("32")), "must be uint32"),
    "alignment 0": (change("general.alignment", gg.UINT32, u32(0)), "alignment of 0"),
    "alignment 48": (change("general.alignment", gg.UINT32, u32(48)), "alignment of 48"),
    "alignment 2^30": (change("general.alignment", gg.UINT32, u32(2**30)), "power of two up to"),
    "inconsistent alignment": (change("general.alignment", gg.UINT32, u32(4096)), "alignment 4096"),
    "tensor name too long": (tensor(name="t" * 64), "name of a tensor is 64 bytes"),
    "tensor without name": (tensor(name=""), "tensor without a name"),
    "duplicate tensor": (tensor(name="output_norm.weight"), "“output_norm.weight” twice"),
    "no dimensions": (tensor(dims=0), "has 0 dimensions"),
    "five dimensions": (tensor(dims=5), "has 5 dimensions"),
    "zero side": (tensor(shape=(128, 0)), "empty or negative"),
    "negative side": (tensor(shape=(128, -64)), "empty or negative"),
    "too many elements": (tensor(shape=(2**31, 2**31, 4), written=64), "more elements than"),
    "too many bytes": (tensor(shape=(2**31, 2**31), kind=gg.F32, written=64), "more bytes than"),
    "size that wraps when padded": (
        tensor(shape=(0x7FFFFFFFFFFFFFC0,), kind=24, written=64),
        "goes past the end",
    ),
    "unknown tensor type": (tensor(kind=99), "type 99, which this Bedside does not know"),
    "negative tensor type": (tensor(kind=-1), "does not know"),
    "removed tensor type": (tensor(kind=31), "type 31, which llama.cpp has given up"),
    "type used in computing": (tensor(kind=9), "type 9, which this Bedside does not know"),
    "row is no whole block": (tensor(shape=(100, 64)), "no multiple of the 32"),
    "offset not aligned": (last_offset(8), "no multiple of the alignment"),
    "overlap": (last_offset(-32), "overlaps the tensor before it"),
    "gap": (last_offset(32), "leaves a gap"),
    "offset out of file": (tensor(offset=2**63), "leaves a gap"),
    "imatrix": (change("general.type", gg.STRING, text("imatrix")), "kind “imatrix”"),
    "no architecture": (without("general.architecture"), "of which architecture"),
    "architecture is a number": (change("general.architecture", gg.UINT32, u32(1)), "of which"),
    "image part": (change("general.architecture", gg.STRING, text("clip")), "image part"),
    "part of a split": (change("split.count", gg.UINT16, b"\3\0"), "one of 3 parts"),
    "no tensors": (field("tensors", []), "only a vocabulary"),
    "no block count": (without("llama.block_count"), "has no “llama.block_count”"),
    "block count 0": (change("llama.block_count", gg.UINT32, u32(0)), "as “0”"),
    "block count huge": (change("llama.block_count", gg.UINT32, u32(2**31)), "from 1 to 512"),
    "block count too small": (change("llama.block_count", gg.UINT32, u32(1)), "promises 1 layers"),
    "block count too large": (change("llama.block_count", gg.UINT32, u32(3)), "promises 3 layers"),
    "context is text": (change("llama.context_length", gg.STRING, text("4k")), "as “4k”"),
    "context is a bool": (change("llama.context_length", gg.BOOL, b"\1"), "as “True”"),
    "width 0": (change("llama.embedding_length", gg.UINT32, u32(0)), "embedding_length"),
    "heads are text": (change("llama.attention.head_count", gg.STRING, text("4")), "as “4”"),
    "heads negative": (
        change("llama.attention.head_count", gg.INT32, number(gg.INT32, -4)),
        "as “-4”; a whole number from 0",
    ),
    "heads by layer, too few": (
        change("llama.attention.head_count", gg.ARRAY, array(gg.UINT32, [4])),
        "1 values for",
    ),
    "heads by layer, far too many": (
        change("llama.attention.head_count", gg.ARRAY, array(gg.UINT32, [4] * 2000)),
        "2000 values for",
    ),
    "heads by layer, negative": (
        change("llama.attention.head_count", gg.ARRAY, array(gg.INT32, [4, -4])),
        "as “-4”",
    ),
    "tokens are numbers": (change(TOKENS, gg.ARRAY, array(gg.UINT32, [1])), "should be string[]"),
    "tokens are one string": (change(TOKENS, gg.STRING, text("a")), "should be string[]"),
    "scores are bytes": (change(SCORES, gg.ARRAY, array(gg.UINT8, [0] * 8)), "should be float32[]"),
    "types are floats": (change(TYPES, gg.ARRAY, array(gg.FLOAT32, [1.0])), "should be int32[]"),
    "no tokens": (without(TOKENS), "no vocabulary"),
    "too few tokens": (change(TOKENS, gg.ARRAY, array(gg.STRING, ["a"])), "has 1 tokens of width"),
    "too few scores": (change(SCORES, gg.ARRAY, array(gg.FLOAT32, [0.0])), "8 tokens and 1 values"),
    "too many types": (change(TYPES, gg.ARRAY, array(gg.INT32, [1] * 9)), "8 tokens and 9 values"),
    "token too long": (
        change(TOKENS, gg.ARRAY, array(gg.STRING, [*gg.VOCABULARY[:-1], "x" * 9000])),
        "token of 9000 bytes",
    ),
    "token twice": (
        change(TOKENS, gg.ARRAY, array(gg.STRING, [*gg.VOCABULARY[:-1], "b"])),
        "same token twice",
    ),
    "byte token -1": (
        change(TOKENS, gg.ARRAY, array(gg.STRING, [*gg.VOCABULARY[:-1], "<0x-1>"])),
        "byte token “<0x-1>”",
    ),
    "byte token of another form": (
        change(TYPES, gg.ARRAY, array(gg.INT32, [6, *gg.TYPES[1:]])),
        "byte token “<unk>”",
    ),
    "no embedding": (
        lambda model: setattr(model.tensors[0], "name", "other.weight"),
        "no token embedding",
    ),
    "weights of zero": (field("fill", b"\0"), "are all zero"),
}


@pytest.mark.parametrize("kind", BAD)
def test_each_fault_has_its_sentence(tmp_path: Path, kind: str) -> None:
    apply, expected = BAD[kind]
    model = small_model()
    apply(model)
    told = refusal(tmp_path, model.pack())
    assert expected in told
    assert told.isprintable()
    assert told.endswith(".")


NO_MODELS = {
    "empty": (b"", "is empty"),
    "two bytes": (b"GG", "ends after 2 bytes"),
    "magic alone": (b"GGUF", "ends in the middle of the version number"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
    "web page": (b"\n<!DOCTYPE html><html>Not found</html>", "is a web page"),
    "XML error": (b"<?xml version='1.0'?><Error/>", "is a web page"),
    "zip": (b"PK\x03\x04" + bytes(60), "bedside-convert"),
    "pickle": (b"\x80\x02}q\x00.", "is a Python pickle"),
    "gzip": (b"\x1f\x8b\x08" + bytes(60), "gzip"),
    "GGJT": (b"tjgg" + bytes(60), "GGJT"),
    "safetensors": (struct.pack("<Q", 80) + b'{"a":' + bytes(60), "safetensors"),
    "zeros": (bytes(4096), "begins with zeros"),
    "noise": (b"\x93\x11\x07\x42" * 64, "is no GGUF model"),
}


@pytest.mark.parametrize("kind", NO_MODELS)
def test_what_is_no_model(tmp_path: Path, kind: str) -> None:
    content, expected = NO_MODELS[kind]
    assert expected in refusal(tmp_path, content)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    content = small_model(layers=1).pack()
    padding = len(content) - len(content.rstrip(b"\0"))
    path = tmp_path / "m.gguf"
    for length in (*range(0, 1200, 7), *range(1200, len(content) - padding, 997)):
        path.write_bytes(content[:length])
        with pytest.raises(BadInputError):
            read_header(path)


def test_not_a_file(tmp_path: Path) -> None:
    missing, folder = tmp_path / "missing.gguf", tmp_path / "folder"
    fifo, loop = tmp_path / "fifo", tmp_path / "loop"
    folder.mkdir()
    os.mkfifo(fifo)
    loop.symlink_to(loop)
    expected = {
        missing: "does not exist",
        folder: "is a folder",
        fifo: "is a pipe or a device",
        loop: "links that go in a circle",
        tmp_path / "nul\0": "NUL character",
    }
    for path, sentence in expected.items():
        with pytest.raises(BadInputError, match=sentence):
            read_header(path)


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "m.gguf", small_model().pack())

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(BadInputError, match="may not be read by you"):
        read_header(path)


def test_a_path_with_escapes_is_shown_without(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        read_header(tmp_path / "a\x1b]52;c;AAAA\x07b.gguf")
    assert "\x1b" not in str(caught.value)


def _bytes_read() -> int:
    """By this process so far, as the kernel counts what it asked for."""
    counts = Path("/proc/self/io").read_text()
    return int(counts.splitlines()[0].removeprefix("rchar: "))


def test_a_sparse_gigabyte_of_zeros_is_quick(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    model = small_model()
    model.tensors = [Tensor("token_embd.weight", (64, 8)), Tensor("blk.0.x", (2**18, 1024))]
    model.set("llama.block_count", gg.UINT32, u32(1))
    header = model.header()
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + 2**30 + 8192)
    before = _bytes_read()
    with pytest.raises(BadInputError, match="all zero"):
        read_header(path)
    assert _bytes_read() - before < 2**24


def test_a_large_vocabulary_is_quick_and_left_out(tmp_path: Path) -> None:
    tokens = (*gg.VOCABULARY, *(f"token{i}" for i in range(8, 128_000)))
    model = small_model(layers=1, tokens=tokens)
    merges = [f"tok en{i}" for i in range(280_000)]
    model.set("tokenizer.ggml.merges", gg.ARRAY, array(gg.STRING, merges))
    path = write(tmp_path / "m.gguf", model.pack())
    read: list[Header] = []
    lines = lines_run(lambda: read.append(read_header(path)))
    assert lines < 12 * (128_000 + 280_000)
    (header,) = read
    assert header.metadata["tokenizer.ggml.merges"] == Skipped("string", 280_000)
    assert header.metadata["tokenizer.ggml.tokens"] == Skipped("string", 128_000)
    assert header.kinds["tokenizer.ggml.merges"] == "string[]"


MODEL = small_model(layers=1, width=32).pack()
HEADER = small_model(layers=1, width=32).header()


def survives(path: Path, content: bytes) -> None:
    """Any bytes are read or refused, in little memory."""
    path.write_bytes(content)
    tracemalloc.start()
    try:
        read_header(path)
    except BadInputError as error:
        assert str(error).isprintable()
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 8 * 2**20


common = settings(
    max_examples=250, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@common
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(HEADER) - 1), st.integers(0, 255)), min_size=1, max_size=6
    )
)
def test_mutated_bytes(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    content = bytearray(MODEL)
    for place, value in changes:
        content[place] = value
    survives(tmp_path / "m.gguf", bytes(content))


@common
@given(
    place=st.integers(4, len(HEADER) - 8),
    value=st.sampled_from((0, 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1)),
)
def test_mutated_numbers(tmp_path: Path, place: int, value: int) -> None:
    content = MODEL[:place] + struct.pack("<Q", value) + MODEL[place + 8 :]
    survives(tmp_path / "m.gguf", content)


@common
@given(
    start=st.integers(0, len(HEADER)), length=st.integers(0, 64), inserted=st.binary(max_size=64)
)
def test_bytes_cut_out_and_put_in(tmp_path: Path, start: int, length: int, inserted: bytes) -> None:
    survives(tmp_path / "m.gguf", MODEL[:start] + inserted + MODEL[start + length :])


@common
@given(noise=st.binary(max_size=400))
def test_noise_after_the_magic(tmp_path: Path, noise: bytes) -> None:
    survives(tmp_path / "m.gguf", b"GGUF\3\0\0\0" + noise)
