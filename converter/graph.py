"""llama.cpp's graph while it runs, as ctypes sees it: tensors, and who watches them.

ggml has no getters for a tensor's sources, so its struct is mirrored here; `product_op` holds the
mirror against ggml's own getters before it is first believed. Buffers are read where they lie, so
this is for models on the CPU.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.errors import EngineError
from converter.ggml import base_library

_F32 = 0


class _Struct(ctypes.Structure):
    """`struct ggml_tensor` (ggml.h), of llama.cpp as pinned with llama-cpp-python 0.3.36."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("buffer", ctypes.c_void_p),
        ("ne", ctypes.c_int64 * 4),
        ("nb", ctypes.c_size_t * 4),
        ("op", ctypes.c_int),
        ("op_params", ctypes.c_int32 * 16),
        ("flags", ctypes.c_int32),
        ("src", ctypes.c_void_p * 10),
        ("view_src", ctypes.c_void_p),
        ("view_offs", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("name", ctypes.c_char * 64),
        ("extra", ctypes.c_void_p),
        ("padding", ctypes.c_char * 8),
    )


class Tensor:
    """A tensor of the running graph; only valid inside the callback that was given it."""

    __slots__ = ("_struct",)

    def __init__(self, address: int) -> None:
        self._struct = _Struct.from_address(address)

    @property
    def name(self) -> str:
        """As the graph or the model file names it."""
        name: bytes = self._struct.name
        return name.decode("utf-8", "replace")

    @property
    def multiplies(self) -> bool:
        """Whether it is a matrix product: a weight (source 0) times its input (source 1)."""
        return bool(self._struct.op == product_op())

    def source(self, number: int) -> Tensor:
        """One of the tensors it is computed from."""
        return Tensor(self._struct.src[number])

    def rows(self) -> NDArray[np.float32]:
        """Its numbers as float32 (rows, row length), in place: copy what must outlive the call.

        Raises:
            EngineError: it is no contiguous matrix of float32.
        """
        struct = self._struct
        row, count = struct.ne[0], struct.ne[1]
        packed = struct.nb[0] == 4 and struct.nb[1] == 4 * row
        if struct.type != _F32 or not packed or struct.ne[2] != 1 or struct.ne[3] != 1:
            raise EngineError(
                f"llama.cpp computes {self.name} in a form that cannot be measured; "
                "run the model as F16 or BF16 on the CPU."
            )
        values = ctypes.cast(struct.data, ctypes.POINTER(ctypes.c_float))
        return np.ctypeslib.as_array(values, (count, row))


class Watch(Protocol):
    """Looks at a graph while llama.cpp runs it."""

    def wants(self, tensor: Tensor) -> bool:
        """Whether `take` is to be called once this tensor is computed."""

    def take(self, tensor: Tensor) -> bool:
        """Look at a computed tensor. False leaves the rest of the graph uncomputed."""


class _InitParams(ctypes.Structure):
    _fields_ = (
        ("mem_size", ctypes.c_size_t),
        ("mem_buffer", ctypes.c_void_p),
        ("no_alloc", ctypes.c_bool),
    )


_OBJECT = 32
"""Bytes of ggml's own record before each tensor (`struct ggml_object`)."""


@functools.cache
def product_op() -> int:
    """ggml's number for a matrix product, read once the mirrored struct was held to its getters.

    Raises:
        EngineError: this library lays its tensors out otherwise, so nothing in it can be watched.
    """
    library = _library()
    memory = library.ggml_init(_InitParams(1 << 16, None, False))
    try:
        weight = library.ggml_new_tensor_2d(memory, _F32, 4, 3)
        inputs = library.ggml_new_tensor_2d(memory, _F32, 4, 2)
        library.ggml_set_name(weight, b"blk.0.ffn_down.weight")
        product = library.ggml_mul_mat(memory, weight, inputs)
        read, result = _Struct.from_address(weight), _Struct.from_address(product)
        holds = (
            library.ggml_tensor_overhead() == ctypes.sizeof(_Struct) + _OBJECT
            and list(result.src[:3]) == [weight, inputs, None]
            and read.name == library.ggml_get_name(weight)
            and read.data == library.ggml_get_data(weight)
            and (read.type, result.type) == (_F32, _F32)
            and list(read.ne) == [4, 3, 1, 1]
            and list(read.nb) == [4, 16, 48, 48]
            and list(result.ne) == [3, 2, 1, 1]
            and library.ggml_nelements(product) == 6
            and library.ggml_op_desc(product) == b"MUL_MAT"
            and read.op != result.op
        )
        number = int(result.op)
    finally:
        library.ggml_free(memory)
    if not holds:
        raise EngineError(
            "This build of llama.cpp lays its tensors out in another way than the tested one, so "
            "nothing in it can be measured; install llama-cpp-python 0.3.36."
        )
    return number


def _library() -> ctypes.CDLL:
    """ggml-base with the signatures of what `product_op` asks it."""
    library = base_library()
    pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64
    for name, result, arguments in (
        ("ggml_init", pointer, [_InitParams]),
        ("ggml_free", None, [pointer]),
        ("ggml_new_tensor_2d", pointer, [pointer, ctypes.c_int, number, number]),
        ("ggml_mul_mat", pointer, [pointer, pointer, pointer]),
        ("ggml_set_name", pointer, [pointer, ctypes.c_char_p]),
        ("ggml_get_name", ctypes.c_char_p, [pointer]),
        ("ggml_get_data", pointer, [pointer]),
        ("ggml_nelements", number, [pointer]),
        ("ggml_op_desc", ctypes.c_char_p, [pointer]),
        ("ggml_tensor_overhead", size, []),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
