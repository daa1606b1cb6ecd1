"""The monitor panel: how fast the model is and what the board has to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest

from textual.widgets import Static

from app.assistant.ports import Usage
from app.monitor.panel import Row, machine_rows
from app.monitor.reading import Reading
from app.ui.pace import Speed

_NOT_YET = "–"
_SECONDS = 1.0


class MonitorPanel(Static):
    """Labels and values in two columns, in one where the window is narrow."""

    DEFAULT_CSS = """
    MonitorPanel {
        display: none;
        height: auto;
        max-height: 50%;
        margin: 0 1;
        padding: 0 1;
        border: round $quiet;
        border-title-color: $quiet;
    }
    """

    def __init__(self, rows: Callable[[], Sequence[Row]]) -> None:
        """`rows` is asked once a second, and never while the panel is hidden."""
        super().__init__(markup=False)
        self.border_title = "Monitor"
        self._read = rows
        self._rows: Sequence[Row] = ()

    def on_mount(self) -> None:
        self._timer = self.set_interval(_SECONDS, self._refresh_rows, pause=True)

    def toggle(self) -> None:
        """Show it, or hide it and rest."""
        self.display = not self.display
        if self.display:
            self._refresh_rows()
            self._timer.resume()
        else:
            self._timer.pause()

    def _refresh_rows(self) -> None:
        self._rows = self._read()
        self._draw()

    def on_resize(self) -> None:
        """Lay the rows out anew for the new width."""
        self._draw()

    def _draw(self) -> None:
        lines = layout(self._rows, self.content_size.width)
        if len(lines) > self.app.size.height // 2 - 2:  # the border takes two of the half
            named = [row for row in self._rows if row.label]
            lines = layout(named, self.content_size.width)
        self.update("\n".join(lines))


def monitor_rows(reading: Reading | None, speed: Speed, usage: Usage) -> list[Row]:
    """What the panel says: the last answer's speed, the context, and what the machine does."""
    context = f"{usage.tokens} / {usage.context} tokens" if usage.context else _NOT_YET
    return [
        Row("Writing", _value(speed.decode, "{:.1f} tokens/s")),
        Row("Reading", _value(speed.prefill, "{:.0f} tokens/s")),
        Row("First words", _value(speed.first_token_s, "after {:.1f} s")),
        Row("Context", context),
        *(machine_rows(reading) if reading else [Row("Machine", "the monitor is off")]),
    ]


def _value(value: float | None, form: str) -> str:
    return _NOT_YET if value is None else form.format(value)


def layout(rows: Sequence[Row], width: int) -> list[str]:
    """The rows as lines: the short ones in two columns, then those that need a whole line."""
    label = max((len(row.label) for row in rows), default=0)
    cells = [f"{row.label:<{label}}  {row.text}" for row in rows]
    column = width // 2
    # A row without a name is a line of a drawing, and belongs below the one before it.
    whole = [len(cell) >= column or not row.label for cell, row in zip(cells, rows, strict=True)]
    short = [cell for cell, alone in zip(cells, whole, strict=True) if not alone]
    pairs = zip_longest(short[::2], short[1::2], fillvalue="")
    lines = [f"{left:<{column}}{right}".rstrip() for left, right in pairs]
    return lines + [cell for cell, alone in zip(cells, whole, strict=True) if alone]
