"""A series of hours in three lines of text: what it cost, what was expected, which hours were flagged."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from ledger.window import HOUR, short_text

BLOCKS = "▁▂▃▄▅▆▇█"
FLAG = "▲"
_LABEL_WIDTH = 10


class _Bin(NamedTuple):
    """The hours drawn as one character, told by the one farthest from its expectation."""

    actual: float
    expected: float
    flagged: bool


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Dollars per hour, as wide as the terminal allows; NaN means not known."""

    hours: Sequence[datetime]
    actual: Sequence[float]
    expected: Sequence[float]
    flagged: Sequence[bool]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        if not self.hours:
            yield Text("no hours to show", style="dim")
            return
        bins = _bins(self, max(10, options.max_width - _LABEL_WIDTH))
        top = max((v for b in bins for v in (b.actual, b.expected) if math.isfinite(v)), default=0.0)
        styles = ["bold red" if b.flagged else "blue" for b in bins]
        yield _line("actual", (_block(b.actual, top) for b in bins), styles)
        yield _line("expected", (_block(b.expected, top) for b in bins), ["dim"] * len(bins))
        if any(self.flagged):
            yield _line("flagged", (FLAG if b.flagged else " " for b in bins), styles)
        yield Text(f"{'':<{_LABEL_WIDTH}}{_span(self.hours)}, peak ${top:,.2f}/h", style="dim")


def _bins(series: Sparkline, width: int) -> list[_Bin]:
    size = -(-len(series.hours) // width)
    return [
        _bin(series, range(i, min(i + size, len(series.hours)))) for i in range(0, len(series.hours), size)
    ]


def _bin(series: Sparkline, indices: range) -> _Bin:
    def distance(i: int) -> float:
        expected = series.expected[i] if math.isfinite(series.expected[i]) else 0.0
        return abs(series.actual[i] - expected) if math.isfinite(series.actual[i]) else -1.0

    farthest = max(indices, key=distance)
    flagged = any(series.flagged[i] for i in indices)
    return _Bin(series.actual[farthest], series.expected[farthest], flagged)


def _block(value: float, top: float) -> str:
    if not math.isfinite(value):
        return " "
    level = round(value / top * (len(BLOCKS) - 1)) if top > 0 else 0
    return BLOCKS[min(max(level, 0), len(BLOCKS) - 1)]


def _line(label: str, characters: Iterator[str], styles: Sequence[str]) -> Text:
    text = Text(f"{label:<{_LABEL_WIDTH}}", style="", no_wrap=True, overflow="crop")
    for character, style in zip(characters, styles, strict=True):
        text.append(character, style)
    return text


def _span(hours: Sequence[datetime]) -> str:
    return f"{short_text(hours[0])} to {short_text(hours[-1] + HOUR)} UTC"
