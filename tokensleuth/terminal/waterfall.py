"""A waterfall in lines of text, as wide as the terminal allows and with plain characters where it must."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from agent.waterfall import Kind, Step, Waterfall
from tokensleuth.terminal.text import counted, printable, usd

MOST_BAR, LEAST_BAR = 56, 8
"""Beyond the first a bar is not easier to read; below the second the amounts stand alone."""

_GAP = 2
_STYLES: dict[Kind, str] = {"total": "dim", "rise": "red", "fall": "green"}


class _Glyphs(NamedTuple):
    total: str
    rise: str
    fall: str
    thin: str
    """Stands for less than one character."""
    cut: str
    """Opens a bar that is shorter than its amount."""


BLOCKS = _Glyphs("█", "█", "░", "▏", "▞")
ASCII = _Glyphs("#", "+", "-", "|", "/")


@dataclass(frozen=True, slots=True)
class WaterfallBars:
    """One line per step: its name, its dollars, and its bar from the level before to the level after."""

    waterfall: Waterfall

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        glyphs = ASCII if options.ascii_only else BLOCKS
        steps = self.waterfall.steps
        amounts = [usd(s.usd, signed=s.kind != "total") for s in steps]
        most = max(map(len, amounts))
        names = max(1, min(max(cell_len(s.label) for s in steps), options.max_width - most - _GAP))
        room = min(MOST_BAR, options.max_width - names - most - 2 * _GAP)
        scale = _scale(self.waterfall, room) if room >= LEAST_BAR else None
        for step, amount in zip(steps, amounts, strict=True):
            text = Text(no_wrap=True, overflow="crop")
            text.append(f"{_name(step.label, names)}{'':{_GAP}}{amount:>{most}}")
            if scale:
                text.append(f"{'':{_GAP}}")
                text.append(_bar(step, scale, glyphs), _STYLES[step.kind])
            yield text
        yield from _notes(self.waterfall, cut=scale is not None)


class _Scale(NamedTuple):
    low: Decimal
    """The level of the first character."""
    zero: Decimal
    """Where the bars of the totals start: 0, or the floor of a cut scale."""
    high: Decimal
    width: int

    def column(self, level: Decimal) -> int:
        span = self.high - self.low
        return round((level - self.low) / span * self.width) if span else 0


def _scale(drawn: Waterfall, width: int) -> _Scale:
    levels = [step.end_usd for step in drawn.steps]
    zero = drawn.floor_usd
    return _Scale(min(zero, *levels), zero, max(zero, *levels), width)


def _bar(step: Step, scale: _Scale, glyphs: _Glyphs) -> str:
    start = max(step.start_usd, scale.zero) if step.kind == "total" else step.start_usd
    left, right = sorted((scale.column(start), scale.column(step.end_usd)))
    if left == right:
        return " " * min(left, scale.width - 1) + (glyphs.thin if step.usd else "")
    glyph = {"total": glyphs.total, "rise": glyphs.rise, "fall": glyphs.fall}[step.kind]
    body = glyph * (right - left)
    if step.kind == "total" and scale.zero:
        body = glyphs.cut + body[1:]
    return " " * left + body


def _name(label: str, width: int) -> str:
    safe = printable(label)
    return safe + " " * (width - cell_len(safe)) if cell_len(safe) <= width else set_cell_size(safe, width)


def _notes(drawn: Waterfall, *, cut: bool) -> Iterator[Text]:
    if drawn.joined:
        named = ", ".join(f"{label} {usd(amount, signed=True)}" for label, amount in drawn.joined)
        yield Text(f"other effects: {named}", style="dim")
    if drawn.zeros:
        yield Text(
            f"{counted(drawn.zeros, 'effect')} {'is' if drawn.zeros == 1 else 'are'} zero", style="dim"
        )
    if cut and drawn.floor_usd:
        yield Text(f"the bars start at {usd(drawn.floor_usd)}, not at zero", style="dim")
