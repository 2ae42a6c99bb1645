"""OpenAI's usage by the hour and costs by the day, through its SDK with an admin key."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol, cast

import httpx2
from pydantic import JsonValue

from ledger.ingest.source import SourceFormat
from ledger.sources.daily_costs import openai_costs
from ledger.sources.openai_usage import Kind, usage_rows
from ledger.window import HOUR, Window
from tokensleuth.connectors.paging import listed, report_pages, unix_bucket, within
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.port import DAY, Name, Report, SourceStream
from tokensleuth.connectors.reports import costs_report, usage_report
from tokensleuth.connectors.settings import SourceSettings, needed_secret
from tokensleuth.gateways.openai_calls import OpenAiCalls, Raw
from tokensleuth.gateways.shapes import ProviderAnswer, taken

MAX_BYTES = 64_000_000
"""Of one answer: 24 hours of 5,000 keys with two models each have some 50 MB."""
PAGE = 100
COST_DAYS = 31
_BY_ALL = ["project_id", "user_id", "api_key_id", "model"]
GROUP_BY: dict[Kind, list[str]] = {
    "completions": [*_BY_ALL, "batch", "service_tier"],
    "embeddings": _BY_ALL,
    "moderations": _BY_ALL,
    "images": _BY_ALL,
    "audio_speeches": _BY_ALL,
    "audio_transcriptions": _BY_ALL,
}
"""Storage and tool calls have no model: their dollars come with the costs."""


class _Asks(Protocol):
    """A report of the SDK; which dimensions it knows differs from one to the next."""

    def __call__(
        self, *, start_time: int, end_time: int, bucket_width: str, group_by: list[str], limit: int,
        extra_query: dict[str, object] | None,
    ) -> Raw: ...  # fmt: skip


class _Named(ProviderAnswer):
    id: str
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class _Report:
    """What the streams share: asking, page by page, with patience."""

    calls: OpenAiCalls
    patience: Patience
    source: str
    name: str
    asks: _Asks
    group_by: list[str]
    width: timedelta
    page_buckets: int

    def buckets(self, window: Window) -> Iterator[JsonValue]:
        return report_pages(partial(self._page, window), self.where)

    @property
    def where(self) -> str:
        return f"OpenAI's {self.name} at {self.calls.host}"

    def _page(self, window: Window, cursor: str | None) -> JsonValue:
        def call() -> Raw:
            return self.asks(
                start_time=int(window.start_at.timestamp()),
                end_time=int(window.end_at.timestamp()),
                bucket_width="1h" if self.width == HOUR else "1d",
                group_by=self.group_by,
                limit=self.page_buckets,
                extra_query={"page": cursor} if cursor else None,
            )

        return self.patience.read(lambda: self.calls.sent(call, self.where, reading=True))


@dataclass(frozen=True, slots=True)
class OpenAiUsage:
    """Hourly sums of one kind."""

    kind: Kind
    report: _Report
    grain: timedelta = HOUR
    step: timedelta = DAY
    format: SourceFormat = "usage"

    @property
    def name(self) -> str:
        return self.kind

    def pull(self, window: Window) -> Report:
        report = self.report
        told = (unix_bucket(report.source, self.name, b, report.where) for b in report.buckets(window))
        return usage_report(within(told, window, HOUR, report.where), lambda b: usage_rows(b, self.kind))


@dataclass(frozen=True, slots=True)
class OpenAiCosts:
    """Daily dollars by project and line item."""

    report: _Report
    name: str = "costs"
    grain: timedelta = DAY
    step: timedelta = COST_DAYS * DAY
    format: SourceFormat = "usage"

    def pull(self, window: Window) -> Report:
        report = self.report
        told = (unix_bucket(report.source, self.name, b, report.where) for b in report.buckets(window))
        return costs_report(within(told, window, DAY, report.where), openai_costs)


class OpenAiSource:
    """One organisation, by its admin key."""

    provider = "openai"

    def __init__(
        self,
        settings: SourceSettings,
        *,
        patience: Patience | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Raises RefusedError for a missing key, and for an address or a key that HTTP cannot hold."""
        secret = needed_secret(settings)
        self.name = settings.called
        self._patience = patience or Patience()
        self._calls = OpenAiCalls(
            settings.address, secret, settings.timeout_s, transport, max_bytes=MAX_BYTES
        )
        usage = self._calls.usage.with_raw_response
        asks: dict[Kind, object] = {
            "completions": usage.completions,
            "embeddings": usage.embeddings,
            "moderations": usage.moderations,
            "images": usage.images,
            "audio_speeches": usage.audio_speeches,
            "audio_transcriptions": usage.audio_transcriptions,
        }
        hours = settings.page_hours
        reports = {kind: self._report(kind, ask, GROUP_BY[kind], HOUR, hours) for kind, ask in asks.items()}
        costs = self._report("costs", usage.costs, ["project_id", "line_item"], DAY, COST_DAYS)
        self.streams: Sequence[SourceStream] = (
            *(OpenAiUsage(kind, report, step=min(hours, 24) * HOUR) for kind, report in reports.items()),
            OpenAiCosts(costs),
        )

    def _report(
        self, name: str, asks: object, group_by: list[str], width: timedelta, page_buckets: int
    ) -> _Report:
        return _Report(
            self._calls, self._patience, self.name, name, cast(_Asks, asks), group_by, width, page_buckets
        )

    def names(self) -> Iterator[Name]:
        """Of projects, their keys, and people, whose name is their address."""
        projects = self._calls.projects.with_raw_response
        users = self._calls.users.with_raw_response
        for project in self._listed("projects", lambda q: projects.list(limit=PAGE, extra_query=q)):
            yield Name("openai", "project", project.id, project.name or project.id)
            for key in self._keys(project.id):
                yield Name("openai", "key_id", key.id, key.name or key.id)
        for user in self._listed("users", lambda q: users.list(limit=PAGE, extra_query=q)):
            yield Name("openai", "user", user.id, user.email or user.name or user.id)

    def _keys(self, project: str) -> Iterator[_Named]:
        keys = self._calls.projects.api_keys.with_raw_response
        return self._listed("keys", lambda q: keys.list(project, limit=PAGE, extra_query=q))

    def _listed(self, what: str, call: Callable[[dict[str, object]], Raw]) -> Iterator[_Named]:
        where = f"OpenAI's {what} at {self._calls.host}"

        def ask(after: str | None) -> JsonValue:
            query: dict[str, object] = {"after": after} if after else {}
            return self._patience.read(lambda: self._calls.sent(lambda: call(query), where, reading=True))

        for item in listed(ask, where):
            yield taken(_Named, item, where)

    def close(self) -> None:
        self._calls.close()
