"""OpenAI's usage of the month on loopback, as it would tell it at the moment of the simulated clock."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from evals.fake_openai import Reply, refusal
from evals.loopback import Loopback, Request, serving
from evals.month.plan import HISTORY_DAYS, HOUR, START, Month

KEY = "sk-admin-fake-month-0123456789"
_KEPT = 4000
"""Hours whose text is kept: longer than a month."""


@contextmanager
def provider(month: Month, clock: Callable[[], datetime]) -> Iterator[Loopback]:
    """Serve on a free port until the block ends."""
    teller = _Teller(month)

    def answer(request: Request) -> Reply:
        now = clock()
        if month.provider_is_down(now):
            return Reply(b'{"error": {"message": "down"}}', 503, headers=(("Retry-After", "3600"),))
        return teller.told(request, now)

    with serving(answer) as served:
        yield served


class _Teller:
    def __init__(self, month: Month) -> None:
        self.first = START - timedelta(days=HISTORY_DAYS)
        self.text = lru_cache(_KEPT)(
            lambda at, whole: json.dumps(list(month.hour(at, at + (2 if whole else 1) * HOUR)))
        )

    def told(self, request: Request, now: datetime) -> Reply:
        kind = request.path.removeprefix("/v1/organization/")
        if kind in ("projects", "users") or kind.endswith("/api_keys"):
            return _json('{"object": "list", "data": [], "has_more": false}')
        if not kind.startswith(("usage/", "costs")):
            return refusal(404, "Invalid URL")
        start, end = (
            datetime.fromtimestamp(int(request.query[name][0]), UTC) for name in ("start_time", "end_time")
        )
        width = HOUR if request.query.get("bucket_width") == ["1h"] else 24 * HOUR
        buckets = []
        at = start
        while at < end:
            told = self._results(kind, at, now)
            first, last = int(at.timestamp()), int((at + width).timestamp())
            buckets.append(
                f'{{"object": "bucket", "start_time": {first}, "end_time": {last}, "results": {told}}}'
            )
            at += width
        return _json(
            f'{{"object": "page", "data": [{", ".join(buckets)}], "has_more": false, "next_page": null}}'
        )

    def _results(self, kind: str, at: datetime, now: datetime) -> str:
        if kind != "usage/completions" or at < self.first or at + HOUR > now:
            return "[]"
        return str(self.text(at, now >= at + 2 * HOUR))


def _json(text: str) -> Reply:
    return Reply(text.encode())
