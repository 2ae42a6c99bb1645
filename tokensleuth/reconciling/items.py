"""One model on one day: what was billed beside what the ledger has; the bill's other lines are kept apart."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ledger.billed import BilledLine, TierDay, Tokens
from ledger.money import PICO_PER_CENT
from ledger.usage import TOKEN_CLASSES
from tokensleuth.reconciling.lines import Line, line_of

_UNIT_TOKENS: Mapping[str, int] = {"tokens": 1, "1000_tokens": 1000}
_EXACT = 0.0005
"""Of what is billed: rates finer than the ledger's, and amounts that travelled as floating point."""
NONE: Tokens = (0, 0, 0, 0, 0)
Key = tuple[str, str, date]
"""Provider, model and day."""


@dataclass(frozen=True, slots=True)
class Billed:
    """What the lines of one model and day add up to."""

    pico: int = 0
    lines: int = 0
    by_class: Tokens | None = None
    """In 1e-12 USD; None where a line is not of one class."""
    quantities: tuple[Decimal, ...] | None = None
    """Tokens by class; None where a line does not tell them."""
    texts: tuple[str, ...] = ()

    @property
    def tolerance_pico(self) -> int:
        """Half a cent a line, or next to nothing of a large amount."""
        return max(self.lines * PICO_PER_CENT // 2, round(abs(self.pico) * _EXACT))


@dataclass(frozen=True, slots=True)
class Item:
    """One model on one day."""

    provider: str
    model: str
    day: date
    billed: Billed = Billed()
    tiers: tuple[TierDay, ...] = ()
    known_pico: int | None = None
    """What it cost by the usage that was there when the day's bill was pulled; None: nobody asked."""
    sources: tuple[tuple[str, int], ...] = ()
    """The cost of each file or report that told of it, where there are several."""

    @property
    def counted_pico(self) -> int:
        return sum(tier.counted_pico for tier in self.tiers)

    @property
    def computed_pico(self) -> int:
        return sum(tier.computed_pico for tier in self.tiers)

    @property
    def gap_pico(self) -> int:
        """Above 0 where the ledger counts more than was billed."""
        return self.counted_pico - self.billed.pico

    @property
    def unpriced_tokens(self) -> int:
        return sum(tier.unpriced_tokens for tier in self.tiers)

    @property
    def tokens(self) -> Tokens:
        return summed(tier.tokens for tier in self.tiers)

    @property
    def rated(self) -> Tokens:
        return summed(tier.rated for tier in self.tiers)

    @property
    def share(self) -> float:
        """Of the gap, of what was billed; of what was not billed at all, 1."""
        whole = abs(self.billed.pico) or abs(self.counted_pico)
        return abs(self.gap_pico) / whole if whole else 0.0

    def fits(self, predicted: Tokens) -> bool:
        """Whether the bill is what these amounts by class would make it, in all and class by class."""
        tolerance = self.billed.tolerance_pico
        if abs(sum(predicted) - self.billed.pico) > tolerance:
            return False
        if self.billed.by_class is None:
            return True
        pairs = zip(predicted, self.billed.by_class, strict=True)
        return all(abs(ours - theirs) <= tolerance for ours, theirs in pairs)


@dataclass(frozen=True, slots=True)
class Aside:
    """A line of the bill that is held against nothing."""

    provider: str
    day: date
    line_item: str
    why: str
    pico: int


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of some days."""

    items: tuple[Item, ...] = ()
    not_token_usage: tuple[Aside, ...] = ()
    unmapped: tuple[Aside, ...] = ()


def summed(amounts: Iterable[Tokens]) -> Tokens:
    """Class by class."""
    one, two, three, four, five = (sum(each) for each in zip(NONE, *amounts, strict=True))
    return one, two, three, four, five


@dataclass(slots=True)
class _Gathering:
    """Lines of one model and day."""

    lines: list[tuple[BilledLine, Line]] = field(default_factory=list)

    def billed(self) -> Billed:
        return Billed(
            pico=sum(line.cost_pico for line, _ in self.lines),
            lines=sum(line.lines for line, _ in self.lines),
            by_class=self._by_class(),
            quantities=self._quantities(),
            texts=tuple(line.line_item for line, _ in self.lines),
        )

    def _by_class(self) -> Tokens | None:
        if any(about.token_class is None for _, about in self.lines):
            return None
        of = [(about.token_class, line.cost_pico) for line, about in self.lines]
        return summed([_placed(token_class, pico) for token_class, pico in of])

    def _quantities(self) -> tuple[Decimal, ...] | None:
        told = [(about.token_class, _tokens(line)) for line, about in self.lines]
        if any(token_class is None or tokens is None for token_class, tokens in told):
            return None
        return tuple(sum((t or Decimal() for c, t in told if c == name), Decimal()) for name in TOKEN_CLASSES)


@dataclass(frozen=True, slots=True)
class Read:
    """What the ledger was asked."""

    lines: Sequence[BilledLine]
    tiers: Sequence[TierDay]
    known: Mapping[Key, int]
    sources: Mapping[Key, Mapping[str, int]]


def both_sides(read: Read, days: Collection[tuple[str, date]]) -> Sides:
    """Every model of these days of providers, on either side, in order of provider, model and day."""
    models: defaultdict[str, set[str]] = defaultdict(set)
    used: defaultdict[Key, list[TierDay]] = defaultdict(list)
    for tier in read.tiers:
        models[tier.provider].add(tier.model)
        if (tier.provider, tier.day) in days:
            used[tier.provider, tier.model, tier.day].append(tier)
    gathered: defaultdict[Key, _Gathering] = defaultdict(_Gathering)
    aside: list[tuple[Line, Aside]] = []
    for line in read.lines:
        if (line.provider, line.day) not in days:
            continue
        about = line_of(line.line_item, line.unit, models[line.provider])
        if about.kind == "tokens":
            gathered[line.provider, about.model, line.day].lines.append((line, about))
        else:
            told = Aside(line.provider, line.day, line.line_item, about.why, line.cost_pico)
            aside.append((about, told))
    keys = sorted(used.keys() | gathered.keys())
    return Sides(
        items=tuple(_item(key, gathered.get(key), used.get(key, []), read) for key in keys),
        not_token_usage=tuple(told for about, told in aside if about.kind == "not_token_usage"),
        unmapped=tuple(told for about, told in aside if about.kind == "unmapped"),
    )


def _item(key: Key, lines: _Gathering | None, tiers: Sequence[TierDay], read: Read) -> Item:
    billed = lines.billed() if lines else Billed()
    sources = tuple(read.sources.get(key, {}).items())
    return Item(*key, billed, tuple(tiers), read.known.get(key, 0), sources)


def _placed(token_class: str | None, pico: int) -> Tokens:
    one, two, three, four, five = (pico if name == token_class else 0 for name in TOKEN_CLASSES)
    return one, two, three, four, five


def _tokens(line: BilledLine) -> Decimal | None:
    factor = _UNIT_TOKENS.get(line.unit)
    return None if factor is None or line.quantity is None else line.quantity * factor
