"""OpenAI's usage, costs and name lists on loopback, with a state that a test may change between two calls.

Shapes are those of OpenAI's schema and of its SDK's types; the real service has not been seen.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from evals.fake_openai import Reply, json_reply, refusal
from evals.fake_usage_facts import Fact, Pages, Row, grouped, spans
from evals.loopback import Loopback, Request, serving

ADMIN_KEY = "sk-admin-fake-usage-0123456789"
LIST_PAGE = 2
_KINDS = frozenset(
    {"audio_speeches", "audio_transcriptions", "completions", "embeddings", "images", "moderations"}
)
_DIMS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_Results = Callable[[datetime, list[str]], list[JsonValue]]
"""From the start of a bucket and the dimensions asked for."""


@dataclass(frozen=True, slots=True)
class DayCost:
    """A line of a day."""

    day: datetime
    project: str | None
    line_item: str
    usd: float
    quantity: float | None = None


@dataclass(frozen=True, slots=True)
class _Index:
    """Facts by their hour; a list of weeks is long."""

    facts: list[Fact]
    count: int
    hours: dict[datetime, list[Fact]]

    @classmethod
    def of(cls, facts: list[Fact]) -> "_Index":
        hours: dict[datetime, list[Fact]] = {}
        for fact in facts:
            hours.setdefault(fact.at, []).append(fact)
        return cls(facts, len(facts), hours)


@dataclass(slots=True)
class FakeOpenAiUsage:
    """One organisation."""

    facts: dict[str, list[Fact]] = field(default_factory=dict)
    """By kind; counts are input_uncached, input_cached, input_cache_write, output and requests."""
    costs: list[DayCost] = field(default_factory=list)
    projects: dict[str, str] = field(default_factory=dict)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    """Names of keys by project and id."""
    users: dict[str, str] = field(default_factory=dict)
    pages: Pages = field(default_factory=Pages)
    key: str = ADMIN_KEY
    no_names: bool = False
    """The key may not read projects, keys and users."""
    stops_at: datetime | None = None
    """From this hour on every report ends in a 503."""
    width: timedelta | None = None
    """Of the buckets, whatever is asked for."""
    broken_sums: bool = False
    """`input_tokens` is one more than its parts."""
    grouped_by: list[list[str]] = field(default_factory=list)
    """What was asked for, call by call."""
    _index: dict[str, "_Index"] = field(default_factory=dict)

    def add(self, at: datetime, *, kind: str = "completions", **counts: int | str | bool) -> None:
        dims = {name: value for name, value in counts.items() if isinstance(value, str | bool)}
        measures = {
            name: value
            for name, value in counts.items()
            if isinstance(value, int) and not isinstance(value, bool)
        }
        self.facts.setdefault(kind, []).append(Fact(at, dims, {"requests": 1, **measures}))

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return refusal(401, "Incorrect API key provided")
        parts = request.path.removeprefix("/v1/organization/").split("/")
        match parts:
            case ["projects" | "users", *_] if self.no_names:
                return refusal(403, "You have insufficient permissions for this operation")
            case ["usage", kind] if kind in _KINDS:
                return self._report(request, lambda at, by: self._usage(kind, at, by))
            case ["costs"]:
                return self._report(request, lambda at, _by: self._costs(at))
            case ["projects"]:
                return _list([_project(id_, name) for id_, name in self.projects.items()], request)
            case ["projects", project, "api_keys"]:
                return _list([_key(*key) for key in self.keys.get(project, {}).items()], request)
            case ["users"]:
                return _list([_user(*user) for user in self.users.items()], request)
        return refusal(404, "Invalid URL")

    def bucket(self, at: datetime) -> JsonValue:
        """Of completions, grouped by nothing."""
        return _bucket(at, _HOUR, self._usage("completions", at, []))

    def _report(self, request: Request, results: _Results) -> Reply:
        query = request.query
        if "start_time" not in query:
            return refusal(400, "start_time is required")
        by = query.get("group_by[]", []) + query.get("group_by", [])
        self.grouped_by.append(by)
        width = self.width or (_HOUR if query.get("bucket_width") == ["1h"] else _DAY)
        start_at, end_at = (_instant(query[name][0]) for name in ("start_time", "end_time"))
        if self.stops_at and end_at > self.stops_at:
            return refusal(503, "The server is overloaded")
        buckets = [_bucket(at, width, results(at, by)) for at in spans(start_at, end_at, width)]
        usual, most = (24, 168) if width == _HOUR else (7, 180)
        limit = int(query.get("limit", [str(usual)])[0])
        if not 1 <= limit <= most:
            return refusal(400, f"limit must be from 1 to {most}")
        page = self.pages.cut(buckets, limit, query.get("page", [None])[0])
        return json_reply({"object": "page", **page})

    def _usage(self, kind: str, at: datetime, by: list[str]) -> list[JsonValue]:
        facts = self._by_hour(kind).get(at, [])
        return [self._result(kind, dims, counts) for dims, counts in grouped(facts, by)]

    def _by_hour(self, kind: str) -> dict[datetime, list[Fact]]:
        """Made anew where a test has changed the facts since the last call."""
        facts = self.facts.get(kind, [])
        known = self._index.get(kind)
        if known is None or known.facts is not facts or known.count != len(facts):
            known = self._index[kind] = _Index.of(facts)
        return known.hours

    def _result(self, kind: str, dims: Row, counts: dict[str, int]) -> Row:
        row: Row = {
            "object": f"organization.usage.{kind}.result",
            **dict.fromkeys(_DIMS),
            **dims,
            "num_model_requests": counts["requests"],
            "something_new": {"added": "by the provider"},
        }
        if kind in ("completions", "embeddings", "moderations"):
            row |= self._tokens(counts, cache=kind == "completions")
        for name in ("images", "characters", "seconds"):
            if name in counts:
                row[name] = counts[name]
        return row

    def _tokens(self, counts: dict[str, int], *, cache: bool) -> Row:
        uncached, cached, written = (
            counts.get(name, 0) for name in ("input_uncached", "input_cached", "input_cache_write")
        )
        whole = uncached + cached + written + self.broken_sums
        if not cache:
            return {"input_tokens": whole}
        return {
            "input_tokens": whole,
            "input_uncached_tokens": uncached,
            "input_cached_tokens": cached,
            "input_cache_write_tokens": written,
            "output_tokens": counts.get("output", 0),
        }

    def _costs(self, at: datetime) -> list[JsonValue]:
        return [
            {
                "object": "organization.costs.result",
                "amount": {"value": cost.usd, "currency": "usd"},
                "line_item": cost.line_item,
                "project_id": cost.project,
                "api_key_id": None,
                "quantity": cost.quantity,
                "quantity_unit": None if cost.quantity is None else "tokens",
            }
            for cost in self.costs
            if cost.day == at
        ]


@contextmanager
def fake_openai_usage() -> Iterator[tuple[FakeOpenAiUsage, Loopback]]:
    """Serve on a free port until the block ends."""
    fake = FakeOpenAiUsage()
    with serving(fake.answer) as served:
        yield fake, served


def later(seconds: float | None) -> Reply:
    """A 429, with Retry-After where seconds are given."""
    headers = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
    return refusal(429, "Rate limit reached", headers=headers)


def _bucket(at: datetime, width: timedelta, results: list[JsonValue]) -> JsonValue:
    start, end = (int(instant.timestamp()) for instant in (at, at + width))
    return {"object": "bucket", "start_time": start, "end_time": end, "results": results}


def _instant(text: str) -> datetime:
    return datetime.fromtimestamp(int(text), UTC)


def _list(rows: list[Row], request: Request) -> Reply:
    after = request.query.get("after", [""])[0]
    names = [str(row["id"]) for row in rows]
    start = names.index(after) + 1 if after in names else 0
    data: list[JsonValue] = [*rows[start : start + LIST_PAGE]]
    ends: list[JsonValue] = [*names[start : start + LIST_PAGE]] or [None]
    more = start + LIST_PAGE < len(rows)
    return json_reply(
        {"object": "list", "data": data, "first_id": ends[0], "last_id": ends[-1], "has_more": more}
    )


def _project(id_: str, name: str) -> Row:
    return {
        "object": "organization.project", "id": id_, "name": name, "created_at": 1, "archived_at": None,
        "status": "active",
    }  # fmt: skip


def _key(id_: str, name: str) -> Row:
    return {
        "object": "organization.project.api_key", "id": id_, "name": name, "redacted_value": "sk-...abc",
        "created_at": 1, "last_used_at": None, "owner_project_access": "active", "owner": {"type": "user"},
    }  # fmt: skip


def _user(id_: str, email: str) -> Row:
    return {
        "object": "organization.user", "id": id_, "name": email.split("@", 1)[0], "email": email,
        "role": "reader", "added_at": 1,
    }  # fmt: skip
