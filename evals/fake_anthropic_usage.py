"""Anthropic's usage and cost reports and its name lists on loopback, with a state that a test may change.

Shapes are those of the vendor's pages; the real service has not been seen.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from evals.fake_openai import Reply, json_reply
from evals.fake_usage_facts import Fact, Pages, Row, grouped, spans
from evals.loopback import Loopback, Request, serving
from ledger.window import instant_text

ADMIN_KEY = "sk-ant-admin-fake-usage-0123456789"
LIST_PAGE = 2
_DIMS = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo")
_WIDTHS = {"1h": timedelta(hours=1), "1d": timedelta(days=1)}
_Results = Callable[[datetime, list[str]], list[JsonValue]]


@dataclass(frozen=True, slots=True)
class DayCost:
    """A line of a day; cents as the API writes them."""

    day: datetime
    workspace: str | None
    description: str
    cents: str


@dataclass(slots=True)
class FakeAnthropicUsage:
    """One organisation."""

    facts: list[Fact] = field(default_factory=list)
    """Counts are uncached, cache_read, write_5m, write_1h and output."""
    costs: list[DayCost] = field(default_factory=list)
    workspaces: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    pages: Pages = field(default_factory=Pages)
    grouped_by: list[list[str]] = field(default_factory=list)

    def add(self, at: datetime, dims: dict[str, str], **counts: int) -> None:
        self.facts.append(Fact(at, dims, counts))

    def answer(self, request: Request) -> Reply:
        key = request.headers.get("x-api-key") or request.headers.get("authorization", "")
        if key.removeprefix("Bearer ") != ADMIN_KEY:
            return _error(401, "authentication_error", "invalid x-api-key")
        if "anthropic-version" not in request.headers:
            return _error(400, "invalid_request_error", "anthropic-version: header is required")
        match request.path.removeprefix("/v1/organizations/").split("/"):
            case ["usage_report", "messages"]:
                return self._report(request, self._usage)
            case ["cost_report"]:
                return self._report(request, self._day_costs)
            case ["workspaces"]:
                return _list([_named("workspace", *item) for item in self.workspaces.items()], request)
            case ["api_keys"]:
                return _list([_named("api_key", *item) for item in self.keys.items()], request)
        return _error(404, "not_found_error", "Not found")

    def _report(self, request: Request, results: _Results) -> Reply:
        query = request.query
        if "starting_at" not in query:
            return _error(400, "invalid_request_error", "starting_at: Field required")
        by = query.get("group_by[]", []) + query.get("group_by", [])
        self.grouped_by.append(by)
        width = _WIDTHS[query.get("bucket_width", ["1d"])[0]]
        start_at, end_at = (_instant(query[name][0]) for name in ("starting_at", "ending_at"))
        buckets: list[JsonValue] = [
            {
                "starting_at": instant_text(at),
                "ending_at": instant_text(at + width),
                "results": results(at, by),
            }
            for at in spans(start_at, end_at, width)
        ]
        usual, most = (24, 168) if width == _WIDTHS["1h"] else (7, 31)
        limit = int(query.get("limit", [str(usual)])[0])
        if not 1 <= limit <= most:
            return _error(400, "invalid_request_error", f"limit: must be from 1 to {most}")
        return json_reply(self.pages.cut(buckets, limit, query.get("page", [None])[0]))

    def _usage(self, at: datetime, by: list[str]) -> list[JsonValue]:
        facts = [fact for fact in self.facts if fact.at == at]
        return [_usage_result(dims, counts) for dims, counts in grouped(facts, by)]

    def _day_costs(self, at: datetime, _by: list[str]) -> list[JsonValue]:
        return [
            {
                "amount": cost.cents, "currency": "USD", "description": cost.description,
                "workspace_id": cost.workspace, "cost_type": "tokens", "context_window": "0-200k",
                "inference_geo": "global", "model": None, "service_tier": None, "token_type": None,
            }
            for cost in self.costs
            if cost.day == at
        ]  # fmt: skip


@contextmanager
def fake_anthropic_usage() -> Iterator[tuple[FakeAnthropicUsage, Loopback]]:
    """Serve on a free port until the block ends."""
    fake = FakeAnthropicUsage()
    with serving(fake.answer) as served:
        yield fake, served


def _usage_result(dims: Row, counts: dict[str, int]) -> Row:
    return {
        **dict.fromkeys(_DIMS),
        **dims,
        "uncached_input_tokens": counts.get("uncached", 0),
        "cache_creation": {
            "ephemeral_1h_input_tokens": counts.get("write_1h", 0),
            "ephemeral_5m_input_tokens": counts.get("write_5m", 0),
        },
        "cache_read_input_tokens": counts.get("cache_read", 0),
        "output_tokens": counts.get("output", 0),
        "server_tool_use": {"web_search_requests": 3},
        "something_new": 1,
    }


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _error(status: int, kind: str, told: str) -> Reply:
    return json_reply({"type": "error", "error": {"type": kind, "message": told}}, status=status)


def _list(rows: list[Row], request: Request) -> Reply:
    after = request.query.get("after_id", [""])[0]
    names = [str(row["id"]) for row in rows]
    start = names.index(after) + 1 if after in names else 0
    data: list[JsonValue] = [*rows[start : start + LIST_PAGE]]
    ends: list[JsonValue] = [*names[start : start + LIST_PAGE]] or [None]
    more = start + LIST_PAGE < len(rows)
    return json_reply({"data": data, "first_id": ends[0], "last_id": ends[-1], "has_more": more})


def _named(kind: str, id_: str, name: str) -> Row:
    return {"id": id_, "type": kind, "name": name, "created_at": "2026-11-01T00:00:00Z", "status": "active"}
