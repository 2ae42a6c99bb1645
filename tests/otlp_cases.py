"""A real receiver on loopback, real exporters, a real spool and ledger; time is what a test says."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
from pydantic import SecretStr

from ledger.ingest.scopes import Attribution
from ledger.prices.book import PriceBook
from ledger.prices.makers import provider_of
from ledger.scope import UNALLOCATED
from ledger.store import Ledger, open_ledger
from tokensleuth.connectors.syncing import Into, StreamOutcome
from tokensleuth.otlp.flushing import FlushRules, flush_spool
from tokensleuth.otlp.receiver import create_otlp_app
from tokensleuth.otlp.settings import OtlpSettings
from tokensleuth.otlp.spool import Spool, open_spool
from tokensleuth.web.serving import served

HOUR = timedelta(hours=1)
START = datetime(2026, 11, 22, 6, tzinfo=UTC)
"""When the spool is born: a whole hour."""
JsonRow = dict[str, object]


def nanos(at: datetime) -> int:
    return int(at.timestamp()) * 10**9


@dataclass(slots=True)
class OtlpDesk:
    """A receiver and what comes of it."""

    url: str
    spool: Spool
    ledger: Ledger
    folder: Path
    clock: list[datetime]
    token: SecretStr | None = None

    def post(
        self, document: object, *, signal: str = "metrics", headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """As OTLP/JSON, or bytes as they are."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        given = {"Content-Type": "application/json", **(headers or {})}
        return httpx2.post(f"{self.url}/v1/{signal}", content=body, headers=given, timeout=30)

    def flush(self, now: datetime, **rules: object) -> StreamOutcome:
        """Load what is over by then, without waiting for late points."""
        chosen = FlushRules(settle=timedelta(0), **rules)  # type: ignore[arg-type]
        return flush_spool(self.spool, self.into(), now, chosen)

    def into(self) -> Into:
        return Into(
            opened=lambda: nullcontext(self.ledger),
            folder=self.folder / "sync",
            book=PriceBook(),
            attribution=Attribution(provider_of, lambda _: UNALLOCATED),
            owners=(),
            tags={"team": "team", "user": "user", "feature": "feature"},
        )

    def rows(self, columns: str = "hour, input_tokens, output_tokens, requests") -> list[tuple[object, ...]]:
        """What is spent, hours of nothing left out."""
        return self.ledger.pulled.connection.execute(
            f"select {columns} from spend where requests + tokens > 0 order by all"
        ).fetchall()

    def total(self) -> tuple[int, int, int]:
        """Requests, input and output tokens."""
        found = self.ledger.pulled.connection.execute(
            """select coalesce(sum(requests), 0), coalesce(sum(input_tokens), 0),
                coalesce(sum(output_tokens), 0)
            from spend"""
        ).fetchone()
        assert found is not None
        requests, read, written = found
        return int(requests), int(read), int(written)


@contextmanager
def otlp_desk(
    folder: Path, settings: OtlpSettings | None = None, *, born: datetime = START
) -> Iterator[OtlpDesk]:
    """Serve a receiver that believes it is 24 hours after `born`."""
    clock = [born + 24 * HOUR]
    settings = settings or OtlpSettings()
    with (
        open_spool(folder / "spool.sqlite", born, most_bytes=settings.max_spool_bytes) as spool,
        open_ledger(folder / "ledger.duckdb") as ledger,
        served(create_otlp_app(spool, settings, lambda: clock[0]), "127.0.0.1", 0) as url,
    ):
        yield OtlpDesk(url, spool, ledger, folder, clock, settings.token)


def text_attributes(told: Mapping[str, str]) -> list[JsonRow]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]


@dataclass(frozen=True, slots=True)
class Series:
    """One client and model, as OTLP/JSON tells it."""

    service: str = "checkout"
    model: str = "gpt-4o"
    provider: str = "openai"
    cumulative: bool = False
    resource: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)

    def request(self, *points: JsonRow, **histogram: object) -> JsonRow:
        temporality = 2 if self.cumulative else 1
        data = {"aggregationTemporality": temporality, "dataPoints": list(points), **histogram}
        metric = {"name": "gen_ai.client.token.usage", "unit": "{token}", "histogram": data}
        return {
            "resourceMetrics": [
                {"resource": {"attributes": self._resource()}, "scopeMetrics": [{"metrics": [metric]}]}
            ]
        }

    def point(
        self, kind: str, tokens: object, start: datetime, end: datetime, *, calls: object = 1, **more: object
    ) -> JsonRow:
        told = {
            "gen_ai.token.type": kind,
            "gen_ai.request.model": self.model,
            "gen_ai.provider.name": self.provider,
            **self.attributes,
        }
        return {
            "attributes": text_attributes(told),
            "startTimeUnixNano": str(nanos(start)),
            "timeUnixNano": str(nanos(end)),
            "count": str(calls),
            "sum": tokens,
            **more,
        }

    def spans(self, *spans: JsonRow) -> JsonRow:
        return {
            "resourceSpans": [
                {"resource": {"attributes": self._resource()}, "scopeSpans": [{"spans": list(spans)}]}
            ]
        }

    def span(
        self,
        number: int,
        at: datetime,
        told: Mapping[str, str | int] | None = None,
        *,
        parent: int = 0,
        failed: bool = False,
    ) -> JsonRow:
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": self.model,
            "gen_ai.provider.name": self.provider,
            **(told or {}),
        }
        return {
            "traceId": "ab" * 16,
            "spanId": f"{number:016x}",
            "parentSpanId": f"{parent:016x}" if parent else "",
            "startTimeUnixNano": str(nanos(at)),
            "endTimeUnixNano": str(nanos(at) + 10**9),
            "attributes": [
                {"key": k, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}}
                for k, v in attributes.items()
            ],
            "status": {"code": 2} if failed else {},
        }

    def _resource(self) -> Sequence[JsonRow]:
        return text_attributes({"service.name": self.service, **self.resource})
