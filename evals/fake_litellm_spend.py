"""LiteLLM's `/spend/logs/v2` on loopback: rows as the proxy stores them, failures and late ones included."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import JsonValue

from evals.fake_openai import Reply, json_reply
from evals.loopback import Loopback, Request, serving

MASTER_KEY = "sk-master-fake-0123456789"
COUNTED = 1000
"""`total` and `total_pages` stop counting there."""
Row = dict[str, JsonValue]


@dataclass(slots=True)
class FakeLiteLlmSpend:
    """One proxy's log."""

    rows: list[Row] = field(default_factory=list)
    most: int = 3
    """However many rows are asked for."""
    endless: bool = False
    path: str = "/spend/logs/v2"

    def add(self, request_id: str, at: datetime, **columns: JsonValue) -> None:
        """One request; `startTime` is written without its zone, as the proxy does."""
        self.rows.append({**_request(request_id, at), **columns})

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {MASTER_KEY}":
            return json_reply({"error": {"message": "Only proxy admin", "code": "401"}}, status=401)
        if request.path != self.path:
            return json_reply({"detail": "Not Found"}, status=404)
        query = request.query
        first, last = (_instant(query[name][0]) for name in ("start_date", "end_date"))
        number = int(query.get("page", ["1"])[0])
        size = min(int(query.get("page_size", ["50"])[0]), self.most)
        found = sorted(
            (row for row in self.rows if first <= _instant(str(row["startTime"])) <= last),
            key=lambda row: (str(row["startTime"]), str(row["request_id"])),
        )
        number = 1 if self.endless else number
        page: list[JsonValue] = [*found[(number - 1) * size : number * size]]
        total = min(len(found), COUNTED)
        return json_reply({
            "data": page[:1] * size if self.endless else page, "total": total, "page": number,
            "page_size": size, "total_pages": -(-total // size), "total_is_capped": total == COUNTED,
        })  # fmt: skip


@contextmanager
def fake_litellm_spend() -> Iterator[tuple[FakeLiteLlmSpend, Loopback]]:
    """Serve on a free port until the block ends."""
    fake = FakeLiteLlmSpend()
    with serving(fake.answer) as served:
        yield fake, served


def _request(request_id: str, at: datetime) -> Row:
    """A success of 100 tokens in, 40 of them cached, and 10 out."""
    return {
        "request_id": request_id, "call_type": "acompletion", "api_key": "a" * 64, "spend": 0.00035,
        "total_tokens": 110, "prompt_tokens": 100, "completion_tokens": 10,
        "startTime": at.replace(tzinfo=None).isoformat(timespec="milliseconds"),
        "endTime": at.replace(tzinfo=None).isoformat(timespec="milliseconds"),
        "model": "openai/gpt-4o", "model_group": "gpt-4o", "custom_llm_provider": "openai", "user": "",
        "metadata": {
            "user_api_key_alias": "search-prod", "user_api_key_team_alias": None,
            "usage_object": {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 40}},
        },
        "cache_hit": "None", "request_tags": [], "team_id": None, "end_user": "", "status": "success",
        "messages": {"secret": "what was asked"}, "response": {"secret": "what was answered"},
    }  # fmt: skip


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
