"""Anthropic's admin API: the status of keys, and the rate and spend limits of workspaces.

Its calls are those of the vendor's own client, which takes no part at run time.
"""

from collections.abc import Iterator

import httpx2
from pydantic import JsonValue, SecretStr

from agent.measures import Measure
from agent.target import Target
from tokensleuth.gateways.anthropic_answers import Key, Page, SpendLimit, WorkspaceRateLimit
from tokensleuth.gateways.anthropic_plans import OVER, plan_at_anthropic, wanted_at_anthropic
from tokensleuth.gateways.http import JsonHttp, path_of
from tokensleuth.gateways.http_answer import MissingError
from tokensleuth.gateways.port import GONE, CannotError, Place, Plan, RefusedCallError, State
from tokensleuth.gateways.shapes import taken

VERSION = "2026-10-21"
SPEND_READS = "spend-limit-reads-2026-09-26"
"""Without this beta, spend limits cannot be listed."""
MAX_PAGES = 20
WRITABLE = frozenset({"active", "inactive"})


class AnthropicAdmin:
    """The gateway `anthropic`."""

    def __init__(
        self,
        base_url: str,
        admin_key: SecretStr,
        *,
        timeout_s: float = 20.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Raises RefusedError for an address that is none and a key that no HTTP header can hold."""
        bearer = SecretStr(f"Bearer {admin_key.get_secret_value()}")
        headers: dict[str, SecretStr | str] = {"Authorization": bearer, "anthropic-version": VERSION}
        self._http = JsonHttp(base_url, headers, timeout_s, transport)
        self._beta = JsonHttp(base_url, {**headers, "anthropic-beta": SPEND_READS}, timeout_s, transport)

    def __repr__(self) -> str:
        return f"AnthropicAdmin({self._http!r})"

    @property
    def name(self) -> str:
        return "anthropic"

    def close(self) -> None:
        self._http.close()
        self._beta.close()

    def plan(self, measure: Measure, target: Target) -> Plan:
        return plan_at_anthropic(measure, target)

    def wanted(self, measure: Measure, before: State) -> State:
        return wanted_at_anthropic(measure, before)

    def read(self, place: Place) -> State | None:
        match place.kind:
            case "api_key":
                return self._key(place)
            case "workspace_rate_limit":
                limit = self._rate_limit(place)
                return None if limit is None else {name: limit.override(name) for name in place.fields}
            case "workspace_spend_limit":
                found = self._spend_limit(place.ids["workspace"])
                return {"amount": None if found is None else found.amount}
            case other:
                raise CannotError(f"Anthropic has no place of kind {other!r}")

    def write(self, place: Place, state: State, *, before: State, idempotency_key: str) -> None:
        match place.kind:
            case "api_key":
                self._set_status(place, state, before, idempotency_key)
            case "workspace_rate_limit":
                self._limit(place, state, idempotency_key)
            case "workspace_spend_limit":
                self._cap(place.ids["workspace"], state, idempotency_key)
            case other:
                raise CannotError(f"Anthropic has no place of kind {other!r}")

    def _key(self, place: Place) -> State | None:
        key = place.ids["key"]
        answer = self._http.get(f"/v1/organizations/api_keys{path_of(key)}")
        found = None if answer is None else taken(Key, answer, f"Anthropic, key {key}")
        if "exists" in place.fields:
            return GONE if found is None or found.status == "archived" else {"exists": True}
        return None if found is None else {"status": found.status}

    def _set_status(self, place: Place, state: State, before: State, idempotency_key: str) -> None:
        key, status = place.ids["key"], "archived" if state == GONE else state.get("status")
        if status in OVER and before.get("status") == status:
            return
        if state != GONE and status not in WRITABLE:
            raise CannotError(f"Anthropic key {key} cannot be made {dict(state)}: what is archived stays so")
        path = f"/v1/organizations/api_keys{path_of(key)}"
        try:
            answer = self._http.post(path, {"status": status}, idempotency_key=idempotency_key)
        except MissingError:
            if state == GONE:
                return
            raise
        taken(Key, answer, f"Anthropic, key {key}", written=True)

    def _rate_limit(self, place: Place) -> WorkspaceRateLimit | None:
        """The entry whose models the place's is one of."""
        path = f"/v1/organizations/workspaces{path_of(place.ids['workspace'])}/rate_limits"
        for item in _listed(self._http, path, {"group_type": "model_group", "include_inherited": "true"}):
            limit = taken(WorkspaceRateLimit, item, f"Anthropic, {path}")
            if limit.group.type == "model_group" and place.ids["model"] in (limit.models or ()):
                return limit
        return None

    def _limit(self, place: Place, state: State, idempotency_key: str) -> None:
        workspace, model = place.ids["workspace"], place.ids["model"]
        limit = self._rate_limit(place)
        if limit is None:
            raise RefusedCallError(f"Anthropic workspace {workspace} has no rate limit for {model}")
        path = f"/v1/organizations/workspaces{path_of(workspace)}/rate_limits{path_of(limit.rate_limit_id)}"
        asked: list[JsonValue] = [{"type": name, "value": state.get(name)} for name in place.fields]
        answer = self._http.post(path, {"limits": asked}, idempotency_key=idempotency_key)
        taken(WorkspaceRateLimit, answer, f"Anthropic, {path}", written=True)

    def _spend_limit(self, workspace: str) -> SpendLimit | None:
        where = f"Anthropic, spend limits of workspace {workspace}"
        asked = {"scope_type[]": "workspace", "workspace_id": workspace}
        for item in _listed(self._beta, "/v1/organizations/spend_limits", asked):
            found = taken(SpendLimit, item, where)
            if found.scope.workspace_id != workspace or found.period != "monthly":
                continue
            if found.currency != "USD":
                raise RefusedCallError(f"{where}: it is in {found.currency}, and amounts here are in USD")
            return found
        return None

    def _cap(self, workspace: str, state: State, idempotency_key: str) -> None:
        amount, path = state.get("amount"), "/v1/organizations/spend_limits"
        if amount is None:
            present = self._spend_limit(workspace)
            if present is not None:
                self._http.delete(path + path_of(present.id), idempotency_key=idempotency_key)
            return
        scope: JsonValue = {"type": "workspace", "workspace_id": workspace}
        body: JsonValue = {"amount": amount, "scope": scope, "period": "monthly"}
        answer = self._http.post(path, body, idempotency_key=idempotency_key)
        taken(SpendLimit, answer, f"Anthropic, spend limit of workspace {workspace}", written=True)


def _listed(http: JsonHttp, path: str, asked: dict[str, str]) -> Iterator[JsonValue]:
    """Items page by page, and no more than MAX_PAGES."""
    more: dict[str, str] = {}
    for _ in range(MAX_PAGES):
        answer = http.get(path, {**asked, **more})
        if answer is None:
            raise RefusedCallError(f"Anthropic, {path}: there is no such list, or it is not open to this key")
        page = taken(Page, answer, f"Anthropic, {path}")
        yield from page.data
        if not page.next_page:
            return
        more = {"page": page.next_page}
    raise RefusedCallError(f"Anthropic, {path}: not found in the first {MAX_PAGES} pages")
