"""Every setting of every profile is decided, with its reason."""

from __future__ import annotations

import dataclasses

import pytest

from app.boards import PROFILES, profile
from app.engine.messages import EngineSettings
from app.errors import UsageError


@pytest.mark.parametrize("board_id", PROFILES)
def test_each_setting_has_its_reason(board_id: str) -> None:
    found = profile(board_id, 4)
    assert found.id == board_id
    assert set(found.reasons) == {field.name for field in dataclasses.fields(EngineSettings)}
    assert all(reason.endswith(".") for reason in found.reasons.values())


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 3), (16, 15)])
def test_the_generic_profile_leaves_one_core_free(cores: int, threads: int) -> None:
    settings = profile("generic", cores).settings
    assert (settings.decode_threads, settings.prefill_threads) == (threads, threads)


def test_a_pi_decodes_with_two_threads_and_never_holds_the_weights_twice() -> None:
    for board_id in ("pi5-4gb", "pi5-8gb"):
        settings = profile(board_id, 4).settings
        assert (settings.decode_threads, settings.prefill_threads) == (2, 4)
        assert not (settings.mmap and settings.extra_buffers)


def test_speed_follows_from_the_bytes_a_token_reads() -> None:
    assert profile("pi5-8gb").predicted_tokens_per_s(1_160_000_000) == pytest.approx(10.0)
    assert profile("generic").predicted_tokens_per_s(1_000_000) is None
    assert profile("pi5-8gb").predicted_tokens_per_s(0) is None


def test_an_unknown_board_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="pi5-4gb"):
        profile("pi6")
