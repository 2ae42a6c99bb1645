"""OpenAI's admin API through its SDK: limits, models and spend of projects, and the deletion of keys.

The admin key is a credential of its own; the model's key opens nothing here.
"""

from collections.abc import Iterator
from functools import partial

import httpx2
from pydantic import SecretStr

from agent.measures import Measure
from agent.target import Target
from tokensleuth.gateways.openai_answers import Key, Named, Permissions, RateLimit, SpendLimit
from tokensleuth.gateways.openai_calls import PAGE, OpenAiCalls
from tokensleuth.gateways.openai_plans import CENTS, plan_at_openai, wanted_at_openai
from tokensleuth.gateways.port import GONE, CannotError, Place, Plan, RefusedCallError, State, same_state
from tokensleuth.gateways.shapes import taken


class OpenAiAdmin:
    """The gateway `openai`."""

    def __init__(
        self,
        base_url: str,
        admin_key: SecretStr,
        *,
        timeout_s: float = 20.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Raises RefusedError for a key that no HTTP header can hold."""
        self._calls = OpenAiCalls(base_url, admin_key, timeout_s, transport)
        self._projects = self._calls.projects

    def __repr__(self) -> str:
        return f"OpenAiAdmin({self._calls.host!r})"

    @property
    def name(self) -> str:
        return "openai"

    def close(self) -> None:
        self._calls.close()

    def plan(self, measure: Measure, target: Target) -> Plan:
        return plan_at_openai(measure, target)

    def wanted(self, measure: Measure, before: State) -> State:
        return wanted_at_openai(measure, before)

    def read(self, place: Place) -> State | None:
        project = place.ids.get("project", "")
        match place.kind:
            case "project_rate_limit":
                limit = self._rate_limit(project, place.ids["model"])
                return None if limit is None else {name: limit.value(name) for name in place.fields}
            case "project_model_permissions":
                return self._permissions(project)
            case "project_spend_limit":
                return {CENTS: self._spend_limit(project)}
            case "project_key":
                return GONE if self._found(place) is None else {"exists": True}
            case other:
                raise CannotError(f"OpenAI has no place of kind {other!r}")

    def write(self, place: Place, state: State, *, before: State, idempotency_key: str) -> None:
        project, headers = place.ids.get("project", ""), {"Idempotency-Key": idempotency_key}
        match place.kind:
            case "project_rate_limit":
                self._limit(place, state, headers)
            case "project_model_permissions":
                self._permit(project, state, before, headers)
            case "project_spend_limit":
                self._cap(project, state, headers)
            case "project_key":
                self._delete_key(place, state, headers)
            case other:
                raise CannotError(f"OpenAI has no place of kind {other!r}")

    def _rate_limit(self, project: str, model: str) -> RateLimit | None:
        api, where = self._projects.rate_limits.with_raw_response, f"OpenAI, rate limits of project {project}"
        pages = self._calls.listed(
            lambda after: api.list_rate_limits(project, limit=PAGE, after=after), where
        )
        limits = (taken(RateLimit, item, where) for item in pages)
        return next((limit for limit in limits if limit.model == model), None)

    def _limit(self, place: Place, state: State, headers: dict[str, str]) -> None:
        project, model = place.ids["project"], place.ids["model"]
        limit = self._rate_limit(project, model)
        if limit is None:
            raise RefusedCallError(f"OpenAI project {project} has no rate limit for {model}")
        body = {name: value for name, value in state.items() if isinstance(value, int)}
        api, where = self._projects.rate_limits.with_raw_response, f"OpenAI, limit of {model} in {project}"
        call = partial(api.update_rate_limit, limit.id, project_id=project, extra_body=body)
        taken(RateLimit, self._calls.sent(partial(call, extra_headers=headers), where), where, written=True)

    def _permissions(self, project: str) -> State:
        api, where = (
            self._projects.model_permissions.with_raw_response,
            f"OpenAI, models of project {project}",
        )
        answer = self._calls.read(lambda: api.retrieve(project), where)
        found = None if answer is None else taken(Permissions, answer, where)
        if found is None or found.mode is None:
            return {"mode": None, "model_ids": None}
        return {"mode": found.mode, "model_ids": [*sorted(set(found.model_ids))]}

    def _permit(self, project: str, state: State, before: State, headers: dict[str, str]) -> None:
        """The policy is replaced as a whole, so one that somebody changed since it was read is left alone."""
        api, where = self._projects.model_permissions.with_raw_response, f"OpenAI, models of {project}"
        present = self._permissions(project)
        if same_state(present, state):
            return
        if not same_state(present, before):
            raise RefusedCallError(f"{where}: changed to {dict(present)} since it was read; nothing written")
        if state.get("mode") is None:
            self._calls.delete(lambda: api.delete(project, extra_headers=headers), where)
            return
        asked = taken(Permissions, {"model_ids": [], **state}, f"{where}, as asked for")
        mode = asked.mode or "deny_list"
        answer = self._calls.sent(
            lambda: api.update(project, mode=mode, model_ids=asked.model_ids, extra_headers=headers), where
        )
        taken(Permissions, answer, where, written=True)

    def _spend_limit(self, project: str) -> int | None:
        api, where = self._projects.spend_limit.with_raw_response, f"OpenAI, spend limit of project {project}"
        answer = self._calls.read(lambda: api.retrieve(project), where)
        if answer is None:
            return None
        found = taken(SpendLimit, answer, where)
        if (found.currency, found.interval) != ("USD", "month"):
            raise RefusedCallError(
                f"{where}: it is in {found.currency} per {found.interval}, not USD per month"
            )
        return found.threshold_amount

    def _cap(self, project: str, state: State, headers: dict[str, str]) -> None:
        api, where = self._projects.spend_limit.with_raw_response, f"OpenAI, spend limit of project {project}"
        cents = state.get(CENTS)
        if not isinstance(cents, int):
            self._calls.delete(lambda: api.delete(project, extra_headers=headers), where)
            return
        call = partial(api.update, project, threshold_amount=cents, currency="USD", interval="month")
        taken(SpendLimit, self._calls.sent(partial(call, extra_headers=headers), where), where, written=True)

    def _found(self, place: Place) -> tuple[str, Key] | None:
        """The first project that has the key, and the key."""
        key, api = place.ids["key"], self._projects.api_keys.with_raw_response
        for project in [place.ids["project"]] if "project" in place.ids else self._all_projects():
            where = f"OpenAI, key {key} of project {project}"
            answer = self._calls.read(partial(api.retrieve, key, project_id=project), where)
            if answer is not None:
                return project, taken(Key, answer, where)
        return None

    def _delete_key(self, place: Place, state: State, headers: dict[str, str]) -> None:
        key, api = place.ids["key"], self._projects.api_keys.with_raw_response
        if state != GONE:
            raise CannotError(f"OpenAI key {key} cannot be brought back: a new one has a new secret")
        found = self._found(place)
        if found is None:
            return
        project, held = found
        if held.owner.type == "service_account":
            raise CannotError(f"OpenAI key {key} belongs to a service account and is deleted only with it")
        where = f"OpenAI, key {key} of project {project}"
        self._calls.delete(lambda: api.delete(key, project_id=project, extra_headers=headers), where)

    def _all_projects(self) -> Iterator[str]:
        api, where = self._projects.with_raw_response, "OpenAI, projects"
        pages = self._calls.listed(lambda after: api.list(limit=PAGE, after=after), where)
        return (taken(Named, item, where).id for item in pages)
