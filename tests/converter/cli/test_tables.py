"""Lines of numbers as people read them."""

from __future__ import annotations

from converter.cli.tables import gain_lines
from converter.cut.restore import Gain


def test_a_line_for_each_fit_in_columns() -> None:
    gains = [
        Gain(0, "attn_norm", 0.25, 0.125, 1e-4),
        Gain(11, "ffn_down", 0.01, 0.01, None),
    ]
    assert list(gain_lines(gains))[1:] == [
        "  layer   0 attn_norm    25.000% to  12.500%,  50% less (ridge 0.0001)",
        "  layer  11 ffn_down      1.000%  left alone",
    ]
    assert list(gain_lines(())) == [], "a repair that was found in the cache has none to tell"
