"""A ledger with usage of some days, and bills to hold it against."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from ledger.billed import day_start
from ledger.catalogue import utc_naive
from ledger.ingest.load import LoadOptions
from ledger.ingest.scopes import Attribution
from ledger.money import PICO_PER_USD
from ledger.prices.book import PriceBook
from ledger.prices.makers import provider_of
from ledger.prices.overrides import PriceOverride
from ledger.pulled import Stream
from ledger.scope import UNALLOCATED
from ledger.sources.told import ToldCost
from ledger.store import Ledger, open_ledger
from ledger.usage import TOKEN_CLASSES
from ledger.window import HOUR, Window, instant_text
from tests.usage_builder import UsageRow, write
from tokensleuth.reconciling.judging import Judged
from tokensleuth.reconciling.reconciled import Parts, Reconciliation, reconcile
from tokensleuth.reconciling.settings import ReconciliationSettings

FIRST = date(2026, 11, 2)
"""A Monday."""
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
BIG, SMALL, CLAUDE = "gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5"
USD_PER_MTOK: Mapping[str, tuple[float, float, float, float, float]] = {
    BIG: (2.5, 1.25, 2.5, 2.5, 10),
    SMALL: (0.15, 0.075, 0.15, 0.15, 0.6),
    CLAUDE: (3, 0.3, 3.75, 6, 15),
}
"""As vendors list them, written down here so that tests do not read them from what they test."""
LINES: Mapping[str, Mapping[str, str]] = {
    "openai": {
        "input": "{}, input", "cache_read": "{}, cached input", "cache_write_5m": "{}, cache write",
        "cache_write_1h": "{}, cache write 1h", "output": "{}, output",
    },
    "anthropic": {
        "input": "Claude Sonnet 4.5 Usage - Input Tokens",
        "cache_read": "Claude Sonnet 4.5 Usage - Input Tokens, Cache Read",
        "cache_write_5m": "Claude Sonnet 4.5 Usage - Input Tokens, Cache Write (5m)",
        "cache_write_1h": "Claude Sonnet 4.5 Usage - Input Tokens, Cache Write (1h)",
        "output": "Claude Sonnet 4.5 Usage - Output Tokens",
    },
}  # fmt: skip
Five = tuple[int, int, int, int, int]
TOKENS: Five = (1_600_000, 900_000, 0, 0, 210_000)
"""Of an hour, by class."""
SETTINGS = ReconciliationSettings()


@dataclass(frozen=True, slots=True)
class Source:
    """A configured source."""

    kind: str
    name: str = ""

    @property
    def called(self) -> str:
        return self.name or self.kind


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def days(first: int = 0, count: int = 7) -> Window:
    return Window(day_start(day(first)), day_start(day(first + count)))


def of_day(tokens: Five, hours: int = 24) -> Five:
    one, two, three, four, five = (hours * count for count in tokens)
    return one, two, three, four, five


def varied(tokens: Five, number: int) -> Five:
    """Other counts each day, and other shares of the classes, so that no ratio is constant by itself."""
    one, two, three, four, five = tokens
    by = 100 + 7 * (number % 5)
    return one * by // 100, two * (200 - by) // 100, three, four, five * (80 + 11 * (number % 4)) // 100


def usd_by_class(model: str, tokens: Sequence[int], *, factor: float = 1) -> list[Decimal]:
    prices = USD_PER_MTOK[model]
    return [
        Decimal(count) * Decimal(str(price)) * Decimal(str(factor)) / 1_000_000
        for count, price in zip(tokens, prices, strict=True)
    ]


@dataclass(slots=True)
class Books:
    """Usage as it was loaded, and bills as they were pulled."""

    ledger: Ledger
    folder: Path
    book: PriceBook = field(default_factory=PriceBook)
    feeds: tuple[Source, ...] = (Source("openai"), Source("anthropic"))
    lines: dict[tuple[str, date], list[ToldCost]] = field(default_factory=dict)

    def use(
        self, model: str, at: date, tokens: Five = TOKENS, *, loaded_at: datetime = NOW,
        source: str = "", **cells: object,
    ) -> None:  # fmt: skip
        """Hourly rows of one day, as a report of the provider's source tells them."""
        hours = cells.pop("hours", 24)
        assert isinstance(hours, int)
        rows = [_row(model, day_start(at) + i * HOUR, tokens, **cells) for i in range(hours)]
        provider = provider_of(model)
        stream = "messages" if provider == "anthropic" else "completions"
        self.load(rows, f"{source or f'{provider}.{stream}'}.jsonl", loaded_at)

    def load(self, rows: Sequence[UsageRow], name: str, loaded_at: datetime = NOW) -> None:
        path = write(self.folder / name, rows)
        attribution = Attribution(provider_of, lambda _: UNALLOCATED)
        result = self.ledger.load(
            path, LoadOptions(now=utc_naive(loaded_at)), attribution=attribution, book=self.book
        )
        assert result.rejected == 0, result.errors

    def bill(
        self, provider: str, at: date, line_item: str, usd: Decimal | float, *,
        tokens: int | None = None, unit: str = "",
    ) -> None:  # fmt: skip
        pico = int((Decimal(str(usd)) * PICO_PER_USD).to_integral_value())
        quantity = None if tokens is None else Decimal(tokens)
        cost = ToldCost("here", at, "p", "k", line_item, pico, quantity, unit or ("tokens" if tokens else ""))
        self.lines.setdefault((provider, at), []).append(cost)

    def bill_tokens(
        self, model: str, at: date, tokens: Five, *, factor: float = 1, counted: bool = False,
        name: str = "", prices: Sequence[float] | None = None,
    ) -> None:  # fmt: skip
        """A line for each class, at list prices."""
        provider = provider_of(model)
        amounts = usd_by_class(model, tokens, factor=factor)
        if prices is not None:
            amounts = [Decimal(c) * Decimal(str(p)) / 10**6 for c, p in zip(tokens, prices, strict=True)]
        for token_class, count, usd in zip(TOKEN_CLASSES, tokens, amounts, strict=True):
            if count:
                line = LINES[provider][token_class].format(name or model)
                self.bill(provider, at, line, usd, tokens=count if counted else None)

    def pull(self, *, until: date = date(2026, 11, 19), now: datetime = NOW) -> None:
        """The bills as they are now, and all marks up to a day."""
        pulled, end_at = self.ledger.pulled, day_start(until)
        for (provider, at), costs in self.lines.items():
            pulled.replace_costs(Stream(provider, "costs"), provider, [at], costs, now)
        for source, stream in (
            ("openai", "costs"), ("openai", "completions"), ("anthropic", "costs"), ("anthropic", "messages"),
        ):  # fmt: skip
            if source in {feed.called for feed in self.feeds}:
                mark = Stream(source, stream)
                pulled.finish(mark, complete_until=end_at, keep=timedelta(days=3), now=now)

    def parts(self, overrides: Sequence[PriceOverride] = ()) -> Parts:
        return Parts(self.feeds, PriceBook(overrides=overrides), PriceBook(), SETTINGS)

    def reconciled(
        self, window: Window | None = None, *, now: datetime = NOW, overrides: Sequence[PriceOverride] = ()
    ) -> Reconciliation:
        return reconcile(self.ledger, self.parts(overrides), window or days(), now)

    def only(self, window: Window | None = None) -> Judged:
        """The one model and day that is there."""
        (judged,) = self.reconciled(window).judged
        return judged


@contextmanager
def books_in(folder: Path) -> Iterator[Books]:
    with open_ledger(folder / "ledger.duckdb") as ledger:
        yield Books(ledger, folder)


def _row(model: str, at: datetime, tokens: Five, **cells: object) -> UsageRow:
    counts = {f"{name}_tokens": count for name, count in zip(TOKEN_CLASSES, tokens, strict=True)}
    told = "/".join(f"{v}" for v in cells.values())
    return {
        "started_at": instant_text(at),
        "model": model,
        "key_id": "k1",
        "record_id": f"{model}/{instant_text(at)}/{told if 'cost_usd' not in cells else ''}",
        **counts,
        **cells,
    }
