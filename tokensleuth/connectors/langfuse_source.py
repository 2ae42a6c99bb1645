"""Langfuse's metrics by the hour, with the two keys of a project."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx2
from pydantic import SecretStr

from ledger.ingest.source import SourceFormat
from ledger.sources.langfuse import Groups
from ledger.window import HOUR, Window
from tokensleuth.connectors.langfuse_queries import REQUESTS, TOKENS, Metrics
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.port import Line, Name, Report, SourceStream
from tokensleuth.connectors.settings import SourceSettings, needed_public_key, needed_secret
from tokensleuth.gateways.http import JsonHttp
from tokensleuth.gateways.port import RefusedCallError
from tokensleuth.gateways.shapes import ProviderAnswer, taken

PROJECTS = "/api/public/projects"
MAX_BYTES = 64_000_000


class _Project(ProviderAnswer):
    id: str
    name: str


class _Projects(ProviderAnswer):
    data: list[_Project]


@dataclass(slots=True)
class LangfuseMetrics:
    """Hourly sums by model, environment, trace, prompt and tags."""

    metrics: Metrics
    source: str
    step: timedelta
    project: str | None = None
    """Its name; asked for once."""
    name: str = "metrics"
    grain: timedelta = HOUR
    format: SourceFormat = "usage"

    def pull(self, window: Window) -> Report:
        groups = Groups(self.source, self.name, self._project())
        for row in self.metrics.rows(REQUESTS, window):
            groups.add_requests(row)
        for row in self.metrics.rows(TOKENS, window):
            groups.add_tokens(row)
        rows = list(groups.rows())
        return Report(
            lines=[Line(row.place, {**row.cells}) for _, row in rows],
            remembered={row.record_id: (hour, row.cells) for hour, row in rows},
            hours=frozenset(window.each_hour()),
            wrong=list(groups.wrong.values()),
        )

    def _project(self) -> str:
        if self.project is None:
            answer = self.metrics.patience.read(lambda: self.metrics.http.get(PROJECTS))
            found = taken(_Projects, answer, PROJECTS).data if answer is not None else []
            if len(found) != 1:
                raise RefusedCallError(
                    f"{PROJECTS}: {len(found)} projects; are these the keys of one project?"
                )
            self.project = found[0].name
        return self.project


class LangfuseSource:
    """One project, by its public and its secret key."""

    provider = "langfuse"

    def __init__(
        self,
        settings: SourceSettings,
        *,
        patience: Patience | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Raises RefusedError for a missing key, and for an address or a key that HTTP cannot hold."""
        pair = (
            f"{needed_public_key(settings).get_secret_value()}:{needed_secret(settings).get_secret_value()}"
        )
        self.name = settings.called
        basic = SecretStr(f"Basic {b64encode(pair.encode()).decode()}")
        headers: dict[str, SecretStr | str] = {"Authorization": basic}
        self._http = JsonHttp(settings.address, headers, settings.timeout_s, transport, max_bytes=MAX_BYTES)
        metrics = Metrics(self._http, patience or Patience())
        self.streams: Sequence[SourceStream] = (
            LangfuseMetrics(metrics, self.name, settings.page_hours * HOUR),
        )

    def names(self) -> Sequence[Name]:
        """None by calls: a project is told by its name, and Langfuse knows no keys."""
        return ()

    def close(self) -> None:
        self._http.close()
