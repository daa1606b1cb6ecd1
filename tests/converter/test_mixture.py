"""Every tensor gets the type that the installed library's own quantiser gives it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFReader
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import UsageError
from converter.quantise import FileType, Override, check_importance, plan_types
from tests import llama
from tests.converter.sketches import SKETCHES, Sketch

QUANTISED = [one for one in FileType if not one.is_float]


def _made_by_library(
    sketch: Sketch,
    file_type: FileType,
    folder: Path,
    *,
    imatrix: bool = False,
    overrides: Sequence[str] = (),
) -> dict[str, Kind] | None:
    """The types in the library's file; None where it refuses for want of importance."""
    source = folder / "source.gguf"
    if not source.exists():
        sketch.write(source)
    out = folder / "out.gguf"
    asked = [one.rpartition("=") for one in overrides]
    made = llama.quantise(
        source,
        out,
        file_type.ftype,
        imatrix=sketch.importance() if imatrix else None,
        overrides=[(pattern, Kind[kind].value) for pattern, _, kind in asked],
    )
    if not made:
        return None
    reader = GGUFReader(out)
    assert reader.fields["general.file_type"].contents() == file_type.ftype
    return {tensor.name: tensor.tensor_type for tensor in reader.tensors}


def _planned(
    sketch: Sketch, file_type: FileType, *, imatrix: bool = False, overrides: Sequence[str] = ()
) -> dict[str, Kind] | None:
    """Our types; None where we refuse."""
    planned = plan_types(
        sketch.tensors(),
        sketch.facts,
        file_type,
        imatrix=imatrix,
        overrides=[Override.parse(one) for one in overrides],
    )
    assert list(planned) == [tensor.name for tensor in sketch.tensors()]
    try:
        check_importance(planned, sketch.importance() if imatrix else ())
    except UsageError:
        return None
    return planned


@pytest.mark.parametrize("imatrix", [False, True], ids=["blind", "weighed"])
@pytest.mark.parametrize("name", SKETCHES)
def test_every_mixture_has_the_types_of_the_library(
    name: str, imatrix: bool, tmp_path: Path
) -> None:
    sketch = SKETCHES[name]
    for file_type in FileType:
        if imatrix and (sketch.experts or not file_type.name.startswith("IQ")):
            continue  # importance changes no type of the others, and experts need one each
        planned = _planned(sketch, file_type, imatrix=imatrix)
        assert planned == _made_by_library(sketch, file_type, tmp_path, imatrix=imatrix), file_type


_ROW = st.sampled_from([256, 512, 288, 96, 100])
_SKETCH = st.builds(
    Sketch,
    layers=st.integers(1, 40),
    width=st.just(256) | st.sampled_from([512, 288, 96]),
    neurons=_ROW,
    queries=_ROW,
    heads=st.just(12),
    kv_heads=st.sampled_from([1, 2, 3, 4, 6, 12]),
    tied=st.booleans(),
    kind=st.sampled_from([Kind.F32, Kind.F16, Kind.BF16]),
    fused=st.booleans(),
)
_EXPRESSION = st.sampled_from(
    ["ffn_down", "blk\\.[0-3]\\.", "attn_(q|k)\\.weight$", "^token_embd", "ffn", "output", "v", "."]
)
_OVERRIDE = st.builds(
    "{}={}".format,
    _EXPRESSION,
    st.sampled_from(["Q6_K", "Q8_0", "F16", "Q4_0", "IQ4_NL", "Q2_K", "IQ3_S", "IQ2_S"]),
)


@settings(max_examples=40, deadline=None)
@given(
    sketch=_SKETCH,
    file_type=st.sampled_from(QUANTISED),
    imatrix=st.booleans(),
    overrides=st.lists(_OVERRIDE, max_size=3),
)
def test_any_model_has_the_types_of_the_library(
    sketch: Sketch,
    file_type: FileType,
    imatrix: bool,
    overrides: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    planned = _planned(sketch, file_type, imatrix=imatrix, overrides=overrides)
    folder = tmp_path_factory.mktemp("any")
    made = _made_by_library(sketch, file_type, folder, imatrix=imatrix, overrides=overrides)
    assert planned == made


def test_the_first_exception_that_fits_counts_and_the_layers_after_it_move_up(
    tmp_path: Path,
) -> None:
    """llama.cpp does not count a tensor with an exception, so the boosts shift; so must ours."""
    sketch = Sketch(layers=16)
    plain = _planned(sketch, FileType.Q4_K_M)
    overrides = ["blk.0.ffn_down=Q3_K", "ffn_down=Q5_K"]
    first = _planned(sketch, FileType.Q4_K_M, overrides=overrides)
    assert plain and first
    assert first["blk.0.ffn_down.weight"] is Kind.Q3_K
    assert first["blk.1.ffn_down.weight"] is Kind.Q5_K
    shifted = _planned(sketch, FileType.Q4_K_M, overrides=overrides[:1])
    assert shifted == _made_by_library(sketch, FileType.Q4_K_M, tmp_path, overrides=overrides[:1])
    assert shifted and shifted["blk.2.ffn_down.weight"] != plain["blk.2.ffn_down.weight"]


@pytest.mark.parametrize("file_type", ["IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "IQ3_XS"])
def test_types_of_two_bits_are_refused_without_an_importance_matrix(file_type: str) -> None:
    sketch = Sketch()
    planned = plan_types(sketch.tensors(), sketch.facts, FileType[file_type])
    with pytest.raises(UsageError, match=r"blk\.\d\..* of no use without an importance matrix"):
        check_importance(planned, ())


def test_a_head_that_the_coder_cannot_make_blind_is_refused_though_the_library_would_end() -> None:
    sketch = Sketch()
    overrides = [Override.parse("token_embd=IQ2_XXS")]
    planned = plan_types(sketch.tensors(), sketch.facts, FileType.Q4_K_M, overrides=overrides)
    with pytest.raises(UsageError, match=r"token_embd\.weight would become IQ2_XXS"):
        check_importance(planned, ())
    check_importance(planned, ["token_embd.weight"])
