"""The monitor panel: how fast the model is and what the board has to say."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widgets import Static

from app.assistant.assistant import Usage
from app.monitor.reading import Reading
from app.ui.pace import Speed

Row = tuple[str, str]
"""Label and value."""

_NOT_YET = "–"


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

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.border_title = "Monitor"
        self._rows: Sequence[Row] = ()

    def show(self, rows: Sequence[Row]) -> None:
        """Draw these rows."""
        self._rows = rows
        self._draw()

    def on_resize(self) -> None:
        """Lay the rows out anew for the new width."""
        self._draw()

    def _draw(self) -> None:
        self.update("\n".join(layout(self._rows, self.content_size.width)))


def monitor_rows(reading: Reading | None, speed: Speed, usage: Usage) -> list[Row]:
    """What the panel says; a value that cannot be had says why, and is never 0."""
    return [
        ("Writing", _value(speed.decode, "{:.1f} tokens/s")),
        ("Reading", _value(speed.prefill, "{:.0f} tokens/s")),
        ("First words", _value(speed.first_token_s, "after {:.1f} s")),
        ("Context", f"{usage.tokens} / {usage.context} tokens" if usage.context else _NOT_YET),
        *(_board_rows(reading) if reading else [("Board", "the monitor is off")]),
    ]


def _board_rows(reading: Reading) -> list[Row]:
    def row(label: str, field: str, form: str, scale: float = 1.0) -> Row:
        value = getattr(reading, field)
        if value is None:
            why = reading.unavailable.get(field, "the monitor did not say why")
            return label, f"unavailable, because {why}"
        return label, form.format(value * scale, source=reading.power_source)

    return [
        row("Engine", "engine_rss", "{:.0f} MB", 1e-6),
        row("Memory left", "available_bytes", "{:.1f} GB", 1e-9),
        row("Processor", "cpu", "{:.0f} %", 100),
        row("Heat", "temp_c", "{:.0f} °C"),
        row("Power", "power_w", "{:.1f} W ({source})"),
    ]


def _value(value: float | None, form: str) -> str:
    return _NOT_YET if value is None else form.format(value)


def layout(rows: Sequence[Row], width: int) -> list[str]:
    """Lines of at most two rows each; a row too long for half the width has a line of its own."""
    label = max((len(name) for name, _ in rows), default=0)
    column = width // 2
    lines: list[str] = []
    open_line = ""
    for name, value in rows:
        cell = f"{name:<{label}}  {value}"
        if len(cell) >= column:
            lines += [open_line, cell] if open_line else [cell]
            open_line = ""
        elif open_line:
            lines.append(open_line + cell)
            open_line = ""
        else:
            open_line = f"{cell:<{column}}"
    return [line.rstrip() for line in ([*lines, open_line] if open_line else lines)]
