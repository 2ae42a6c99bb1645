"""Anthropic's admin API on loopback with a state: keys, workspace rate limits, spend limits.

Shapes are those that the vendor's client parses; the real service has not been seen.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

from pydantic import JsonValue

from evals.fake_openai import Reply, json_reply
from evals.loopback import Loopback, Request, serving

ADMIN_KEY = "sk-ant-admin-fake-0123456789"
VERSION = "2026-10-21"
SPEND_READS = "spend-limit-reads-2026-09-26"
AT = "2026-11-01T00:00:00Z"
PAGE = 2
TYPES = frozenset({
    "fast_itpmca", "fast_otpm", "input_tokens_per_minute", "input_tokens_per_minute_cache_aware",
    "output_tokens_per_minute", "requests_per_minute", "tokens_per_day", "tokens_per_minute",
    "tool_uses_per_second",
})  # fmt: skip
Row = dict[str, JsonValue]


@dataclass(slots=True)
class Group:
    """A group of models with one set of limits in the organisation."""

    id: str
    models: list[str]
    limits: dict[str, int]
    overrides: dict[str, dict[str, int]] = field(default_factory=dict)
    """By workspace."""


@dataclass(slots=True)
class FakeAnthropicAdmin:
    """One organisation."""

    keys: dict[str, str] = field(default_factory=dict)
    """Status by id."""
    workspaces: set[str] = field(default_factory=set)
    groups: list[Group] = field(default_factory=list)
    spend_limits: dict[str, Row] = field(default_factory=dict)
    """By id."""
    faults: list[str] = field(default_factory=list)
    """Requests that the vendor's client would not send."""

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {ADMIN_KEY}":
            return _error(401, "authentication_error", "invalid key")
        if request.headers.get("anthropic-version") != VERSION:
            return self._fault("anthropic-version is missing or another")
        return self._routed(request)

    def _routed(self, request: Request) -> Reply:
        body: Row = json.loads(request.body) if request.body else {}
        parts = [unquote(part) for part in request.path.split("/")[1:]]
        match request.method, *parts:
            case "GET" | "POST", "v1", "organizations", "api_keys", key:
                return self._key(key, body)
            case "GET", "v1", "organizations", "workspaces", workspace, "rate_limits":
                return self._rate_limits(workspace, request)
            case "POST", "v1", "organizations", "workspaces", workspace, "rate_limits", limit:
                return self._override(workspace, limit, body)
            case "GET", "v1", "organizations", "spend_limits":
                return self._spend_limits(request)
            case "POST", "v1", "organizations", "spend_limits":
                return self._set_spend_limit(body)
            case "DELETE", "v1", "organizations", "spend_limits", limit:
                return self._delete_spend_limit(limit)
        return self._fault(f"{request.method} {request.path} is not served")

    def _key(self, key: str, body: Row) -> Reply:
        if key not in self.keys:
            return _error(404, "not_found_error", "no such key")
        if set(body) - {"name", "status"} or body.get("status") not in (
            None,
            "active",
            "inactive",
            "archived",
        ):
            return self._fault(f"a key is not changed by {body}")
        if body and self.keys[key] in ("archived", "expired"):
            return _error(400, "invalid_request_error", f"the key is {self.keys[key]}")
        self.keys[key] = str(body.get("status") or self.keys[key])
        scope: JsonValue = {"type": "workspace", "workspace_id": "wrkspc_1"}
        return json_reply({
            "id": key, "type": "api_key", "name": key, "status": self.keys[key], "scope": scope,
            "created_at": AT, "created_by": None, "expires_at": None, "partial_key_hint": "sk-ant-...AB",
            "principal": None,
        })  # fmt: skip

    def _rate_limits(self, workspace: str, request: Request) -> Reply:
        if workspace not in self.workspaces:
            return _error(404, "not_found_error", "no such workspace")
        inherited = request.query.get("include_inherited") == ["true"]
        rows = [_entry(group, workspace, inherited) for group in self.groups]
        return _page([row for row in rows if row["limits"]], request)

    def _override(self, workspace: str, limit: str, body: Row) -> Reply:
        group = next((g for g in self.groups if g.id == limit), None)
        if group is None or workspace not in self.workspaces:
            return _error(404, "not_found_error", "no such rate limit")
        own = group.overrides.setdefault(workspace, {})
        limits = body.get("limits")
        for asked in limits if isinstance(limits, list) else []:
            if not isinstance(asked, dict) or set(asked) != {"type", "value"} or asked["type"] not in TYPES:
                return self._fault(f"a limit is not set by {asked}")
            value = asked["value"]
            if isinstance(value, int):
                own[str(asked["type"])] = value
            else:
                own.pop(str(asked["type"]), None)
        return json_reply(_entry(group, workspace, inherited=True))

    def _spend_limits(self, request: Request) -> Reply:
        if SPEND_READS not in request.headers.get("anthropic-beta", ""):
            return self._fault("spend limits are listed in a beta only")
        asked = request.query.get("workspace_id", [""])[0]
        held = self.spend_limits.values()
        return _page([row for row in held if not asked or row["scope"] == _scope(asked)], request)

    def _set_spend_limit(self, body: Row) -> Reply:
        amount, scope = body.get("amount"), body.get("scope")
        if set(body) != {"amount", "scope", "period"} or not (isinstance(amount, str) and amount.isdecimal()):
            return self._fault(f"a spend limit is not set by {body}")
        if body["period"] != "monthly" or not isinstance(scope, dict):
            return _error(400, "invalid_request_error", "monthly only")
        if scope.get("workspace_id") not in self.workspaces:
            return _error(404, "not_found_error", "no such workspace")
        present = next((n for n, row in self.spend_limits.items() if row["scope"] == scope), None)
        name = present or f"spl_{len(self.spend_limits)}"
        self.spend_limits[name] = {
            "id": name, "type": "spend_limit", "amount": amount, "currency": "USD", "is_enabled": True,
            "period": "monthly", "scope": scope, "created_at": AT, "updated_at": AT,
        }  # fmt: skip
        return json_reply(self.spend_limits[name])

    def _delete_spend_limit(self, limit: str) -> Reply:
        if self.spend_limits.pop(limit, None) is None:
            return _error(404, "not_found_error", "no such spend limit")
        return json_reply({"id": limit, "type": "spend_limit_deleted"})

    def _fault(self, told: str) -> Reply:
        self.faults.append(told)
        return _error(400, "invalid_request_error", told)


@contextmanager
def fake_anthropic_admin() -> Iterator[tuple[FakeAnthropicAdmin, Loopback]]:
    """Serve on a free port until the block ends."""
    fake = FakeAnthropicAdmin()
    with serving(fake.answer) as served:
        yield fake, served


def _scope(workspace: str) -> Row:
    return {"type": "workspace", "workspace_id": workspace}


def _entry(group: Group, workspace: str, inherited: bool) -> Row:
    own = group.overrides.get(workspace, {})
    names = [*own, *(n for n in group.limits if inherited and n not in own)]
    limits: list[JsonValue] = [
        {
            "type": name,
            "value": own.get(name, group.limits.get(name, 0)),
            "org_limit": group.limits.get(name),
            "source": {"type": "workspace" if name in own else "organization"},
        }
        for name in names
    ]
    return {
        "type": "workspace_rate_limit", "rate_limit_id": group.id, "workspace_id": workspace,
        "group": {"id": f"rlg_{group.id}", "type": "model_group", "display_name": group.id},
        "models": [*group.models], "limits": limits,
    }  # fmt: skip


def _page(rows: list[Row], request: Request) -> Reply:
    start = int(request.query.get("page", ["0"])[0])
    data: list[JsonValue] = [*rows[start : start + PAGE]]
    more = start + PAGE < len(rows)
    return json_reply({"data": data, "next_page": str(start + PAGE) if more else None})


def _error(status: int, kind: str, told: str) -> Reply:
    return json_reply({"type": "error", "error": {"type": kind, "message": told}}, status=status)
