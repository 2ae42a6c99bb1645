"""A change in cost as a waterfall: from what was expected, effect by effect, to what was paid."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import accumulate
from typing import Literal

Kind = Literal["total", "rise", "fall"]

LABELS: Mapping[str, tuple[str, str]] = {
    "volume": ("more requests", "fewer requests"),
    "retries": ("more retries", "fewer retries"),
    "new_entities": ("new keys or features", "new keys or features"),
    "gone_entities": ("gone keys or features", "gone keys or features"),
    "model_mix": ("dearer models", "cheaper models"),
    "tier_mix": ("dearer service tiers", "cheaper service tiers"),
    "input_length": ("longer prompts", "shorter prompts"),
    "output_length": ("longer answers", "shorter answers"),
    "cache": ("less use of the cache", "better use of the cache"),
    "tokenizer": ("more tokens per text", "fewer tokens per text"),
    "price": ("higher prices", "lower prices"),
    "unpriced": ("tokens without price", "tokens without price"),
    "trend": ("trend of past weeks", "trend of past weeks"),
}
"""Each effect in two to four words: when it raises the cost, and when it lowers it."""

EXPECTED, ACTUAL = "expected", "actual"
OTHER, UNEXPLAINED = "other effects", "not explained"

SMALL_SHARE = Decimal("0.01")
"""Effects below this part of the gross change are shown as one."""

CUT_SHARE = Decimal("0.15")
"""Where the levels differ by less than this part of the highest, a scale from zero would show no steps."""


@dataclass(frozen=True, slots=True)
class Step:
    """One bar: a total from zero, or an effect from the level before it to the level after."""

    label: str
    kind: Kind
    usd: Decimal
    """The level of a total, the signed amount of an effect."""
    start_usd: Decimal
    end_usd: Decimal


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The expected total, the effects, the actual total; each effect starts where the step before it ends."""

    steps: tuple[Step, ...]
    joined: tuple[tuple[str, Decimal], ...]
    """The effects that `other effects` adds up, largest first."""
    zeros: int
    """How many effects are zero and have no step."""

    @property
    def effects(self) -> tuple[Step, ...]:
        return self.steps[1:-1]

    @property
    def delta_usd(self) -> Decimal:
        return self.steps[-1].usd - self.steps[0].usd

    @property
    def floor_usd(self) -> Decimal:
        """Where a scale starts that shows the steps; above 0 where they are small beside the totals."""
        levels = [step.end_usd for step in self.steps]
        low, high = min(levels), max(levels)
        span = high - low
        if not span or low <= 0 or span >= CUT_SHARE * high:
            return Decimal()
        return _rounded_down(max(Decimal(), low - span / 2), span)


def waterfall(expected_usd: Decimal, actual_usd: Decimal, effects: Mapping[str, Decimal]) -> Waterfall:
    """The steps from `expected_usd` to `actual_usd`; all amounts are whole cents, as a finding has them.

    What the effects leave over, nothing for a finding, is a step of its own, so that the steps always add up.
    """
    named = [(effect_label(name, usd), usd) for name, usd in effects.items() if usd]
    zeros = len(effects) - len(named)
    if rest := actual_usd - expected_usd - sum(effects.values()):
        named.append((UNEXPLAINED, rest))
    large, joined = _without_small(named)
    ordered = _in_order(large, expected_usd, rising=actual_usd >= expected_usd)
    steps = (
        Step(EXPECTED, "total", expected_usd, Decimal(), expected_usd),
        *_effect_steps(ordered, expected_usd),
        Step(ACTUAL, "total", actual_usd, Decimal(), actual_usd),
    )
    return Waterfall(steps, joined, zeros)


def effect_label(name: str, usd: Decimal) -> str:
    """Plain words for an effect; a name this version does not know is shown as it is."""
    up, down = LABELS.get(name, (name.replace("_", " "),) * 2)
    return up if usd >= 0 else down


_Named = tuple[str, Decimal]


def _without_small(named: Sequence[_Named]) -> tuple[list[_Named], tuple[_Named, ...]]:
    """Two or more small effects as their sum, which is left out where it is zero; and which they are."""
    least = SMALL_SHARE * sum(abs(usd) for _, usd in named)
    small = tuple(sorted((n for n in named if abs(n[1]) < least), key=_by_size))
    if len(small) < 2:
        return list(named), ()
    total = sum((usd for _, usd in small), Decimal())
    return [*(n for n in named if abs(n[1]) >= least), *([(OTHER, total)] if total else [])], small


def _in_order(named: Sequence[_Named], expected_usd: Decimal, *, rising: bool) -> list[_Named]:
    """Rises and falls apart, largest first; the side of the change leads unless that goes below zero."""
    rises = sorted((n for n in named if n[1] > 0), key=_by_size)
    falls = sorted((n for n in named if n[1] < 0), key=_by_size)
    below_zero = expected_usd + sum(usd for _, usd in falls) < 0
    return rises + falls if rising or below_zero else falls + rises


def _by_size(named: _Named) -> tuple[bool, Decimal]:
    """Sorts the largest first and the sum of the small ones last."""
    label, usd = named
    return label == OTHER, -abs(usd)


def _effect_steps(ordered: Sequence[_Named], start_usd: Decimal) -> Iterator[Step]:
    levels = list(accumulate((usd for _, usd in ordered), initial=start_usd))
    for (label, usd), start, end in zip(ordered, levels[:-1], levels[1:], strict=True):
        yield Step(label, "rise" if usd > 0 else "fall", usd, start, end)


def _rounded_down(level: Decimal, span: Decimal) -> Decimal:
    """A level with as many digits as a scale of `span` needs."""
    unit = Decimal(1).scaleb(span.adjusted())
    return (level / unit).to_integral_value(ROUND_FLOOR) * unit
