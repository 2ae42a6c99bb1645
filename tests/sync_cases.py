"""Syncs of the real sources, against fakes on loopback, into a real ledger, without waiting."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from evals import fake_anthropic_usage, fake_langfuse, fake_litellm_spend, fake_openai_usage
from evals.loopback import Loopback
from ledger.ingest.scopes import Attribution
from ledger.owners import OwnerRule
from ledger.prices.book import PriceBook
from ledger.prices.makers import provider_of
from ledger.scope import UNALLOCATED
from ledger.store import Ledger, open_ledger
from tokensleuth.connectors.choosing import source_of
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.settings import KEY_OF, SourceKind, SourceSettings
from tokensleuth.connectors.syncing import Into, Reach, StreamOutcome, sync_source

NOW = datetime(2026, 11, 22, 9, 40, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_SECRETS: dict[SourceKind, str] = {
    "openai": fake_openai_usage.ADMIN_KEY,
    "anthropic": fake_anthropic_usage.ADMIN_KEY,
    "litellm": fake_litellm_spend.MASTER_KEY,
    "langfuse": fake_langfuse.SECRET_KEY,
}


def hour(number: int) -> datetime:
    """Hours before the last whole one: 1 is the last that is over."""
    return NOW.replace(minute=0) - number * HOUR


class KilledError(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


@dataclass(slots=True)
class Syncs:
    """One ledger, synced as often as a test likes."""

    ledger: Ledger
    folder: Path
    owners: Sequence[OwnerRule] = ()
    waited: list[float] = field(default_factory=list)
    first_days: int = 3
    except_keys: tuple[str, ...] = ()
    opens_left: int | None = None
    """How often the ledger is opened before whoever asks is killed."""

    def settings(self, kind: SourceKind, served: Loopback) -> SourceSettings:
        url = served.url + ("/v1" if kind == "openai" else "")
        found = SourceSettings(kind=kind, base_url=url, first_days=self.first_days)
        keys = {"secret": SecretStr(_SECRETS[kind]), "public_key": SecretStr(fake_langfuse.PUBLIC_KEY)}
        return found.model_copy(update=keys)

    def __call__(
        self,
        kind: SourceKind,
        served: Loopback,
        *,
        now: datetime = NOW,
        since: datetime | None = None,
        stream: str | None = None,
    ) -> dict[str, StreamOutcome]:
        """The outcomes by stream."""
        source = source_of(self.settings(kind, served), Patience(wait=self.waited.append))
        source.streams = [s for s in source.streams if stream in (None, s.name)]
        reach = Reach(now, 48 * HOUR, self.first_days * DAY, since, self.except_keys)
        try:
            return {outcome.stream: outcome for outcome in sync_source(source, self.into(), reach)}
        finally:
            source.close()

    def into(self) -> Into:
        return Into(
            opened=self._open,
            folder=self.folder / "spool",
            book=PriceBook(),
            attribution=Attribution(provider_of, lambda _: UNALLOCATED),
            owners=self.owners,
            tags={"team": "team", "user": "user", "feature": "feature"},
        )

    def _open(self) -> AbstractContextManager[Ledger]:
        if self.opens_left is not None:
            self.opens_left -= 1
            if self.opens_left < 0:
                raise KilledError
        return nullcontext(self.ledger)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.ledger.pulled.connection.execute(sql).fetchall()

    def totals(self) -> list[tuple[object, ...]]:
        """What is spent, by hour and scope, hours of nothing left out: they came and went."""
        return self.rows(
            """select hour, provider, model, team, project, key_id, "user", service_tier, region,
                sum(requests), sum(failed_requests), sum(input_tokens), sum(cache_read_tokens),
                sum(cache_write_5m_tokens), sum(cache_write_1h_tokens), sum(output_tokens), sum(cost)
            from spend group by all having sum(requests) + sum(tokens) > 0 order by all"""
        )


@contextmanager
def syncing(folder: Path) -> Iterator[Syncs]:
    """Into a new ledger in a folder."""
    with open_ledger(folder / "ledger.duckdb") as ledger:
        yield Syncs(ledger, folder)


def environment_of(kinds: Sequence[SourceKind]) -> dict[str, str]:
    return {KEY_OF[kind]: _SECRETS[kind] for kind in kinds}
