"""Spend logs of a LiteLLM proxy, request by request, failures included (`/spend/logs/v2`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx2
from pydantic import JsonValue, SecretStr
from pydantic_core import from_json

from ledger.ingest.source import SourceFormat
from ledger.sources.litellm import LITELLM
from ledger.sources.told import Wrong
from ledger.window import HOUR, Window
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.port import Line, Name, Report, SourceStream
from tokensleuth.connectors.settings import SourceSettings, needed_secret
from tokensleuth.gateways.http import JsonHttp
from tokensleuth.gateways.port import RefusedCallError
from tokensleuth.gateways.shapes import ProviderAnswer, taken

PATH = "/spend/logs/v2"
PAGE = 1000
"""The most that the proxy gives at once."""
MAX_PAGES = 500
"""Of one window."""
STEP_HOURS = 6
"""Asked for at once, where `page_hours` is not less."""
MAX_BYTES = 64_000_000


class _Page(ProviderAnswer):
    data: list[JsonValue]
    page_size: int = PAGE


@dataclass(frozen=True, slots=True)
class LiteLlmLogs:
    """The rows of whole hours."""

    http: JsonHttp
    patience: Patience
    source: str
    name: str = "spend-logs"
    grain: timedelta = HOUR
    step: timedelta = STEP_HOURS * HOUR
    format: SourceFormat = "litellm"

    def pull(self, window: Window) -> Report:
        """Rows may come and go between pages: what was told last of a request counts."""
        lines: dict[str, Line] = {}
        names: dict[str, Name] = {}
        wrong: list[Wrong] = []
        for row in self._rows(window):
            request_id = row.get("request_id")
            place = f"{self.source} {self.name} request_id={request_id}"
            started = _instant(row.get("startTime"))
            if not isinstance(request_id, str) or not request_id:
                wrong.append(Wrong(place, "request_id", None, "is required"))
            elif started is None:
                wrong.append(Wrong(place, "startTime", str(row.get("startTime")), "is no instant"))
            elif window.start_at <= started < window.end_at:
                lines[request_id] = Line(place, _kept(row))
                if name := _name_of(row):
                    names[name.id] = name
        return Report(lines=list(lines.values()), wrong=wrong, names=list(names.values()))

    def _rows(self, window: Window) -> Iterator[Mapping[str, JsonValue]]:
        """To the first page that is not full: `total` and `total_pages` stop counting somewhere."""
        for number in range(1, MAX_PAGES + 1):
            page = taken(_Page, self._page(window, number), PATH)
            for row in page.data:
                if not isinstance(row, dict):
                    raise RefusedCallError(f"{PATH}: a row is no object")
                yield row
            if len(page.data) < max(page.page_size, 1):
                return
        raise RefusedCallError(
            f"{PATH}: more than {MAX_PAGES} pages for {window}: lower page_hours, or it has no end"
        )

    def _page(self, window: Window, number: int) -> JsonValue:
        """Both ends are included, to the second: the next hour is asked for too, and left out here."""
        answer = self.patience.read(
            lambda: self.http.get(
                PATH,
                {
                    "start_date": _text(window.start_at),
                    "end_date": _text(window.end_at),
                    "page": number,
                    "page_size": PAGE,
                    "sort_by": "startTime",
                    "sort_order": "asc",
                },
            )
        )
        if answer is None:
            raise RefusedCallError(f"{PATH}: not found; the proxy is older than this API or has no database")
        return answer


class LiteLlmSource:
    """One proxy, by its master key or that of a proxy admin."""

    provider = "litellm"

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
        bearer = SecretStr(f"Bearer {secret.get_secret_value()}")
        headers: dict[str, SecretStr | str] = {"Authorization": bearer}
        self._http = JsonHttp(settings.address, headers, settings.timeout_s, transport, max_bytes=MAX_BYTES)
        logs = LiteLlmLogs(
            self._http,
            patience or Patience(),
            self.name,
            step=min(settings.page_hours, STEP_HOURS) * HOUR,
        )
        self.streams: Sequence[SourceStream] = (logs,)

    def names(self) -> Sequence[Name]:
        """None by calls: the alias of a key and the name of a team stand in the rows."""
        return ()

    def close(self) -> None:
        self._http.close()


def _kept(row: Mapping[str, JsonValue]) -> JsonValue:
    """What the ledger reads of a row: prompts and answers, where the proxy stores them, go no further."""
    return {name: row[name] for name in LITELLM.json_keys if name in row}


def _name_of(row: Mapping[str, JsonValue]) -> Name | None:
    """The alias of the key, from metadata that is an object, or one written as text."""
    key, metadata = row.get("api_key"), row.get("metadata")
    if isinstance(metadata, str):
        try:
            metadata = from_json(metadata)
        except ValueError:
            return None
    alias = metadata.get("user_api_key_alias") if isinstance(metadata, dict) else None
    return Name("litellm", "key_id", str(key), str(alias)) if key and alias else None


def _text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S")


def _instant(value: JsonValue) -> datetime | None:
    """LiteLLM writes UTC, often without saying so."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
