"""What the investigation itself costs: its calls are priced, booked, and written to the ledger as usage."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.llm.port import CallUsage, ModelCall
from ledger.catalogue import utc_naive
from ledger.ingest.load import LoadOptions
from ledger.ingest.result import IngestResult
from ledger.ingest.scopes import Attribution
from ledger.own import OWN_NAME, OWN_USAGE, own_identities, record_identity
from ledger.prices.book import PriceBook
from ledger.prices.makers import provider_of
from ledger.prices.rates import RateRow
from ledger.prices.tiers import STANDARD
from ledger.scope import UNALLOCATED
from ledger.store import Ledger
from ledger.window import HOUR, Window, floor_hour, instant_text
from tokensleuth.app import App
from tokensleuth.casebook import BookedCall, Casebook
from tokensleuth.clock import utc_now

FEATURE = "investigation"
FILE_NAME = "own-calls.jsonl"
"""What the ledger records as the source of these loads."""
LATE = timedelta(days=1)
"""Another process may book a call so long after a later one of ours is in the ledger."""

_NAMED = Attribution(provider_of=lambda _: UNALLOCATED, team_of=lambda _: OWN_NAME)
"""Every row names its team, and its provider as far as it was known when it was priced."""


@dataclass(frozen=True, slots=True)
class CasebookMeter:
    """The `Meter` of the agent: prices by the price book, books in the casebook."""

    casebook: Casebook
    price_book: PriceBook
    provider: str | None = None
    """Who is paid for the calls; by default who makes the model."""

    def cost_pico(self, model: str, usage: CallUsage, at: datetime) -> int | None:
        """What the ledger will say too; None where no token of it has a price."""
        instant = at.astimezone(UTC)
        rates = self.price_book.rates(self._provider(model), model, STANDARD, instant.date())
        return _cost(next(row for row in rates if row.hour_of_day in (None, instant.hour)), usage)

    def book(self, call: ModelCall) -> None:
        self.casebook.save_model_call(BookedCall(call, self._provider(call.model)))

    def spent_pico(self, since: datetime) -> int:
        return self.casebook.spent_pico(since)

    def _provider(self, model: str) -> str:
        return self.provider or provider_of(model)


def settle_own_calls(app: App, ledger: Ledger, casebook: Casebook, *, now: datetime | None = None) -> int:
    """Write the booked calls the ledger lacks into it, and say how many; does nothing where it lacks none."""
    missing = _missing_calls(ledger, casebook)
    return write_own_calls(ledger, missing, app.price_book(), now=now or utc_now()).new if missing else 0


def write_own_calls(
    ledger: Ledger, calls: Sequence[BookedCall], book: PriceBook, *, now: datetime
) -> IngestResult:
    """Load the calls as usage; those the ledger has already are duplicates.

    They go through a file, since that is the one way in: identity, prices and roll-up are those of any usage.
    """
    with TemporaryDirectory(prefix="tokensleuth-") as folder:
        path = Path(folder) / FILE_NAME
        path.write_text("".join(json.dumps(row) + "\n" for row in _usage_rows(calls)), "utf-8")
        return ledger.load(path, LoadOptions(now=utc_naive(now)), attribution=_NAMED, book=book)


def _cost(rates: RateRow, usage: CallUsage) -> int | None:
    """The sum over the classes that have a price, as the ledger prices a cell."""
    classes = (
        (usage.input_tokens, rates.input_rate),
        (usage.cache_read_tokens, rates.cache_read_rate),
        (usage.output_tokens, rates.output_rate),
    )
    used = [(tokens, rate) for tokens, rate in classes if tokens]
    if used and all(rate is None for _, rate in used):
        return None
    return sum(tokens * (rate or 0) for tokens, rate in used)


def _missing_calls(ledger: Ledger, casebook: Casebook) -> list[BookedCall]:
    reader = ledger.reader
    last = reader.first_seen("client", where=OWN_USAGE).get(OWN_NAME)
    calls = casebook.model_calls(last.end_at - LATE if last else None)
    if not calls:
        return []
    window = Window(floor_hour(calls[0].call.at), floor_hour(calls[-1].call.at) + HOUR)
    known = own_identities(reader.engine, window)
    return [booked for booked in calls if record_identity(booked.provider, booked.call.id) not in known]


def _usage_rows(calls: Sequence[BookedCall]) -> Iterator[Mapping[str, object]]:
    for booked in calls:
        call, usage = booked.call, booked.call.usage
        yield {
            "record_id": call.id,
            "started_at": instant_text(call.at),
            "provider": booked.provider,
            "model": call.model,
            "team": OWN_NAME,
            "client": OWN_NAME,
            "feature": FEATURE,
            "requests": 1,
            "input_tokens": usage.input_tokens,
            "cache_read_tokens": usage.cache_read_tokens,
            "output_tokens": usage.output_tokens,
            # Some servers count reasoning beside the answer; ingest refuses a part larger than its whole.
            "reasoning_tokens": min(usage.reasoning_tokens, usage.output_tokens),
        }
