"""GitHub Copilot's AI-credit usage, a day at a time: charges, as a FOCUS bill would have them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import httpx2
from pydantic import JsonValue, SecretStr

from ledger.errors import RefusedError
from ledger.ingest.source import SourceFormat
from ledger.sources.copilot import copilot_rows
from ledger.sources.told import Bucket
from ledger.window import Window
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.port import DAY, Name, Report, SourceStream, steps
from tokensleuth.connectors.reports import usage_report
from tokensleuth.connectors.settings import SourceSettings, needed_secret
from tokensleuth.gateways.http import JsonHttp
from tokensleuth.gateways.port import RefusedCallError
from tokensleuth.gateways.shapes import ProviderAnswer, taken

VERSION = "2026-03-10"
"""Of the documented report, sent as `X-GitHub-Api-Version`."""
MAX_BYTES = 64_000_000


class _Answer(ProviderAnswer):
    usageItems: list[JsonValue]


@dataclass(frozen=True, slots=True)
class CopilotCredits:
    """Whole days: the report has no hours, and what a day says of today still grows."""

    http: JsonHttp
    patience: Patience
    source: str
    organization: str
    """The path of an organisation's or an enterprise's billing: `organizations/NAME`."""
    name: str = "ai-credits"
    grain: timedelta = DAY
    step: timedelta = DAY
    format: SourceFormat = "focus"

    def pull(self, window: Window) -> Report:
        account = self.organization.rpartition("/")[2]
        return usage_report(self._days(window), lambda day: copilot_rows(day, account))

    def _days(self, window: Window) -> Iterator[Bucket]:
        path = f"/{self.organization}/settings/billing/ai_credit/usage"
        for day in steps(window, DAY):
            at = day.start_at
            asked = {"year": at.year, "month": at.month, "day": at.day}
            answer = self.patience.read(partial(self.http.get, path, asked))
            if answer is None:
                raise RefusedCallError(
                    f"{path}: not found; is the name right, and may the token read the billing "
                    '("Administration: read")?'
                )
            yield Bucket(self.source, self.name, day, tuple(taken(_Answer, answer, path).usageItems))


class CopilotSource:
    """One organisation or enterprise, by a token that may read its billing."""

    provider = "github-copilot"

    def __init__(
        self,
        settings: SourceSettings,
        *,
        patience: Patience | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Raises RefusedError for a missing token or name, and for an address that HTTP cannot hold."""
        secret = needed_secret(settings)
        if not settings.organization:
            raise RefusedError(
                f"{settings.called}: organization is needed; write its name, or enterprises/NAME"
            )
        self.name = settings.called
        headers: dict[str, SecretStr | str] = {
            "Authorization": SecretStr(f"Bearer {secret.get_secret_value()}"),
            "X-GitHub-Api-Version": VERSION,
        }
        self._http = JsonHttp(settings.address, headers, settings.timeout_s, transport, max_bytes=MAX_BYTES)
        path = settings.organization
        credits = CopilotCredits(
            self._http, patience or Patience(), self.name, path if "/" in path else f"organizations/{path}"
        )
        self.streams: Sequence[SourceStream] = (credits,)

    def names(self) -> Sequence[Name]:
        """None: the report names no keys and no users."""
        return ()

    def close(self) -> None:
        self._http.close()
