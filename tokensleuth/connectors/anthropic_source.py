"""Anthropic's usage report by the hour and cost report by the day, with an admin key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx2
from pydantic import JsonValue, SecretStr

from ledger.ingest.source import SourceFormat
from ledger.sources.anthropic_usage import CONSOLE, DEFAULT_WORKSPACE, GROUP_BY, usage_rows
from ledger.sources.daily_costs import anthropic_costs
from ledger.window import HOUR, Window, instant_text
from tokensleuth.connectors.paging import listed, report_pages, text_bucket, within
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.port import DAY, Name, Report, SourceStream
from tokensleuth.connectors.reports import costs_report, usage_report
from tokensleuth.connectors.settings import SourceSettings, needed_secret
from tokensleuth.gateways.http import JsonHttp
from tokensleuth.gateways.port import RefusedCallError
from tokensleuth.gateways.shapes import ProviderAnswer, taken

VERSION = "2023-06-01"
"""Of the documented reports; their pages send it with `x-api-key`."""
ROOT = "/v1/organizations"
MAX_BYTES = 64_000_000
LIST_PAGE = 1000
COST_DAYS = 31


class _Named(ProviderAnswer):
    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class _Api:
    """The calls, each a page, with patience."""

    http: JsonHttp
    patience: Patience

    def get(self, path: str, params: dict[str, str | int | Sequence[str]]) -> JsonValue:
        answer = self.patience.read(lambda: self.http.get(path, params))
        if answer is None:
            raise RefusedCallError(f"{path}: not found; is this an organisation's admin key?")
        return answer

    def report(
        self, path: str, window: Window, *, width: str, group_by: Sequence[str], limit: int
    ) -> Iterator[JsonValue]:
        def page(cursor: str | None) -> JsonValue:
            return self.get(
                path,
                {
                    "starting_at": instant_text(window.start_at),
                    "ending_at": instant_text(window.end_at),
                    "bucket_width": width,
                    "group_by[]": group_by,
                    "limit": limit,
                    **({"page": cursor} if cursor else {}),
                },
            )

        return report_pages(page, path)


@dataclass(frozen=True, slots=True)
class AnthropicUsage:
    """Hourly sums of tokens; the report counts no requests."""

    api: _Api
    source: str
    page_hours: int
    name: str = "messages"
    grain: timedelta = HOUR
    step: timedelta = DAY
    format: SourceFormat = "usage"

    def pull(self, window: Window) -> Report:
        path = f"{ROOT}/usage_report/messages"
        pages = self.api.report(path, window, width="1h", group_by=GROUP_BY, limit=self.page_hours)
        told = (text_bucket(self.source, self.name, bucket, path) for bucket in pages)
        return usage_report(within(told, window, HOUR, path), usage_rows)


@dataclass(frozen=True, slots=True)
class AnthropicCosts:
    """Daily dollars by workspace and description."""

    api: _Api
    source: str
    name: str = "costs"
    grain: timedelta = DAY
    step: timedelta = COST_DAYS * DAY
    format: SourceFormat = "usage"

    def pull(self, window: Window) -> Report:
        path = f"{ROOT}/cost_report"
        by = ("workspace_id", "description")
        pages = self.api.report(path, window, width="1d", group_by=by, limit=COST_DAYS)
        told = (text_bucket(self.source, self.name, bucket, path) for bucket in pages)
        return costs_report(within(told, window, DAY, path), anthropic_costs)


class AnthropicSource:
    """One organisation, by its admin key."""

    provider = "anthropic"

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
        headers: dict[str, SecretStr | str] = {"x-api-key": secret, "anthropic-version": VERSION}
        self._http = JsonHttp(settings.address, headers, settings.timeout_s, transport, max_bytes=MAX_BYTES)
        self._api = _Api(self._http, patience or Patience())
        self.streams: Sequence[SourceStream] = (
            AnthropicUsage(
                self._api, self.name, settings.page_hours, step=min(settings.page_hours, 24) * HOUR
            ),
            AnthropicCosts(self._api, self.name),
        )

    def names(self) -> Iterator[Name]:
        """Of workspaces and keys, and of what stands for none of them."""
        yield Name("anthropic", "project", DEFAULT_WORKSPACE, "Default workspace")
        yield Name("anthropic", "key_id", CONSOLE, "Console")
        for workspace in self._listed("/workspaces"):
            yield Name("anthropic", "project", workspace.id, workspace.name or workspace.id)
        for key in self._listed("/api_keys"):
            yield Name("anthropic", "key_id", key.id, key.name or key.id)

    def _listed(self, what: str) -> Iterator[_Named]:
        path = f"{ROOT}{what}"

        def ask(after: str | None) -> JsonValue:
            return self._api.get(path, {"limit": LIST_PAGE, **({"after_id": after} if after else {})})

        for item in listed(ask, path):
            yield taken(_Named, item, path)

    def close(self) -> None:
        self._http.close()
