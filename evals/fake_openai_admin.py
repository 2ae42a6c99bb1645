"""OpenAI's admin API on loopback with a state: every request and answer is held against OpenAI's schema.

What the schema leaves open (a missing policy, a key of a service account) is answered as the vendor's words
suggest; the real service has not been seen.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

from pydantic import JsonValue

from evals.fake_openai import Reply, json_reply, refusal
from evals.loopback import Loopback, Request, serving
from evals.openai_contract import Contract, Route

ADMIN_KEY = "sk-admin-fake-0123456789"
PAGE = 2
"""However many are asked for: so that all clients meet a second page."""
Row = dict[str, JsonValue]


@dataclass(slots=True)
class Project:
    """What the admin API can change of a project."""

    limits: dict[str, Row] = field(default_factory=dict)
    """By id."""
    permissions: Row | None = None
    spend_limit: Row | None = None
    keys: dict[str, Literal["user", "service_account"]] = field(default_factory=dict)
    """The kind of their owners, by id."""

    def add_limit(self, model: str, *, tokens: int = 200_000, requests: int = 500) -> None:
        self.limits[f"rl-{model}"] = {
            "object": "project.rate_limit",
            "id": f"rl-{model}",
            "model": model,
            "max_tokens_per_1_minute": tokens,
            "max_requests_per_1_minute": requests,
        }


@dataclass(slots=True)
class FakeOpenAiAdmin:
    """One organisation."""

    projects: dict[str, Project] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    """What the schema does not allow, in requests and in our own answers."""
    contract: Contract = field(default_factory=Contract.load)

    def answer(self, request: Request) -> Reply:
        route = self.contract.route(request.path.removeprefix("/v1"))
        if request.headers.get("authorization") != f"Bearer {ADMIN_KEY}":
            return refusal(401, "Incorrect API key provided")
        if route is None:
            self.faults.append(f"nothing is served at {request.path}")
            return refusal(404, "Invalid URL")
        if wrong := self.contract.wrong_in_request(request, route.template):
            self.faults.append(wrong)
            return refusal(400, wrong)
        reply = self._act(request, route)
        told = self.contract.wrong_in_answer(
            request.method, route.template, reply.status, json.loads(reply.body)
        )
        if told:
            self.faults.append(f"our answer: {told}")
        return reply

    def _act(self, request: Request, route: Route) -> Reply:
        if "project_id" not in route.ids:
            return self._page([_project(name) for name in self.projects], request)
        project = self.projects.get(unquote(route.ids["project_id"]))
        if project is None:
            return refusal(404, "No project found")
        body: Row = json.loads(request.body) if request.body else {}
        last = route.template.rpartition("{project_id}")[2]
        match last:
            case "/rate_limits":
                return self._page([*project.limits.values()], request)
            case "/rate_limits/{rate_limit_id}":
                return _limited(project, unquote(route.ids["rate_limit_id"]), body)
            case "/model_permissions":
                return _permissions(project, request.method, body)
            case "/spend_limit":
                return _spend_limit(project, request.method, body)
            case _:
                return _key(project, request.method, unquote(route.ids["api_key_id"]))

    def _page(self, rows: list[Row], request: Request) -> Reply:
        after = request.query.get("after", [""])[0]
        names = [str(row["id"]) for row in rows]
        start = names.index(after) + 1 if after in names else 0
        data: list[JsonValue] = [*rows[start : start + PAGE]]
        ends: list[JsonValue] = [*names[start : start + PAGE]] or [None]
        more = start + PAGE < len(rows)
        return json_reply(
            {"object": "list", "data": data, "first_id": ends[0], "last_id": ends[-1], "has_more": more}
        )


@contextmanager
def fake_openai_admin() -> Iterator[tuple[FakeOpenAiAdmin, Loopback]]:
    """Serve on a free port until the block ends."""
    fake = FakeOpenAiAdmin()
    with serving(fake.answer) as served:
        yield fake, served


def _project(name: str) -> Row:
    return {"id": name, "object": "organization.project", "name": name, "created_at": 1, "status": "active"}


def _limited(project: Project, name: str, body: Row) -> Reply:
    if name not in project.limits:
        return refusal(404, "No rate limit found")
    if any(isinstance(value, int) and value < 0 for value in body.values()):
        return refusal(400, "must be greater than or equal to 0")
    project.limits[name].update(body)
    return json_reply(project.limits[name])


def _permissions(project: Project, method: str, body: Row) -> Reply:
    kind = "project.model_permissions"
    if method == "POST":
        project.permissions = {"object": kind, **body}
    elif project.permissions is None:
        return refusal(404, "No model permissions found")
    elif method == "DELETE":
        project.permissions = None
        return json_reply({"object": f"{kind}.deleted", "deleted": True})
    return json_reply(project.permissions)


def _spend_limit(project: Project, method: str, body: Row) -> Reply:
    kind = "project.spend_limit"
    if method == "POST":
        project.spend_limit = {"object": kind, "enforcement": {"status": "inactive"}, **body}
    elif project.spend_limit is None:
        return refusal(404, "No spend limit found")
    elif method == "DELETE":
        project.spend_limit = None
        return json_reply({"object": f"{kind}.deleted", "deleted": True})
    return json_reply(project.spend_limit)


def _key(project: Project, method: str, name: str) -> Reply:
    owner = project.keys.get(name)
    if owner is None:
        return refusal(404, "No API key found")
    if method == "DELETE":
        if owner == "service_account":
            return refusal(400, "API keys of service accounts cannot be deleted")
        del project.keys[name]
        return json_reply({"object": "organization.project.api_key.deleted", "id": name, "deleted": True})
    person: JsonValue = {"id": "o1", "name": "Owner", "role": "member", "created_at": 1}
    if owner == "user" and isinstance(person, dict):
        person = {**person, "object": "organization.project.user", "email": "owner@example.com"}
    return json_reply({
        "object": "organization.project.api_key", "id": name, "name": name, "redacted_value": "sk-...abc",
        "created_at": 1, "last_used_at": None, "owner_project_access": "active",
        "owner": {"type": owner, owner: person},
    })  # fmt: skip
