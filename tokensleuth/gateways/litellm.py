"""The gateway to a LiteLLM proxy: limits, budgets, aliases, block and deletion of virtual keys and teams.

Keys are named by their SHA-256, as LiteLLM logs them; a plaintext key never enters.
"""

from collections.abc import Mapping
from hashlib import sha256

import httpx2
from pydantic import JsonValue, SecretStr

from agent.measures import Measure
from agent.target import Target
from ledger.scope import UNALLOCATED
from tokensleuth.gateways.http import JsonHttp
from tokensleuth.gateways.http_answer import MissingError
from tokensleuth.gateways.litellm_plans import as_sent, place_of, planned, wanted_state
from tokensleuth.gateways.litellm_records import (
    KeyInfo,
    KeyRecord,
    ModelList,
    Record,
    TeamInfo,
    TeamPage,
    answer_as,
    state_of,
)
from tokensleuth.gateways.port import GONE, CannotError, Place, Plan, RefusedCallError, State

DELETABLE = ("exists",)
"""The fields of a place whose measure deletes it."""
PAGE = 100


class LiteLlm:
    """One proxy, with a master key or one of a proxy admin."""

    name = "litellm"

    def __init__(
        self,
        base_url: str,
        admin_key: SecretStr,
        *,
        timeout_s: float = 20.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Raises RefusedError for an address or a key that HTTP cannot hold."""
        plain = admin_key.get_secret_value()
        self._own_hash = sha256(plain.encode()).hexdigest()
        headers: dict[str, SecretStr | str] = {
            "Authorization": SecretStr(f"Bearer {plain}"),
            "litellm-changed-by": "tokensleuth",
        }
        self._http = JsonHttp(base_url, headers, timeout_s, transport)

    def plan(self, measure: Measure, target: Target) -> Plan:
        plan = planned(measure, target)
        if plan.place.ids.get("key") == self._own_hash:
            raise CannotError("the target is the key that tokensleuth itself uses at the proxy")
        return plan

    def wanted(self, measure: Measure, before: State) -> State:
        """Raises CannotError for a downgrade that aliases already there would lead elsewhere."""
        return wanted_state(measure, before)

    def read(self, place: Place) -> State | None:
        """None where there is no such key or team; GONE instead where the measure is its deletion."""
        record = self._record(place)
        if record is None:
            return GONE if place.fields == DELETABLE else None
        return state_of(record, place.fields)

    def write(self, place: Place, state: State, *, before: State, idempotency_key: str) -> None:
        """LiteLLM knows no idempotency keys; all but the deletion can be written twice, and its 404 is
        a success."""
        if place.kind == "team":
            self._update_team(place.ids["team"], state, idempotency_key)
        elif place.fields == DELETABLE:
            self._delete(place.ids["key"], state, idempotency_key)
        elif "blocked" in place.fields:
            verb = "block" if state.get("blocked") else "unblock"
            self._http.post(f"/key/{verb}", {"key": place.ids["key"]}, idempotency_key=idempotency_key)
        else:
            self._check_served(state, before)
            body = {"key": place.ids["key"], **as_sent(state)}
            self._http.post("/key/update", body, idempotency_key=idempotency_key)

    def describe(self, target: Target) -> Mapping[str, JsonValue] | None:
        """What people want to know of the key or team: alias, team, spend, blocked; None where it is not."""
        record = self._record(place_of(target))
        if record is None:
            return None
        alias = record.key_alias if isinstance(record, KeyRecord) else record.team_alias
        return {
            "alias": alias,
            "team_id": record.team_id,
            "spend_usd": record.spend,
            "blocked": bool(record.blocked),
        }

    def holder(self, target: Target) -> str | None:
        """Whose the key is at the proxy: its team's id, else its alias, else UNALLOCATED; None where it does
        not exist. Another answer at execution than at proposal means that it changed hands."""
        found = self.describe(target)
        if found is None:
            return None
        return str(found["team_id"] or found["alias"] or UNALLOCATED)

    def close(self) -> None:
        self._http.close()

    def _record(self, place: Place) -> Record | None:
        if place.kind == "team":
            return self._team(place.ids["team"])
        answer = self._http.get("/key/info", {"key": place.ids["key"]})
        return None if answer is None else answer_as(KeyInfo, answer, "a key").info

    def _team(self, named: str) -> Record | None:
        """By alias, as usage names teams, else by id."""
        params: dict[str, str | int] = {"team_alias": named, "page": 1, "page_size": PAGE}
        page = answer_as(TeamPage, self._http.get("/v2/team/list", params), "teams")
        found = [team for team in page.teams if team.team_alias == named]
        if len(found) > 1 or page.total_pages > 1:
            raise RefusedCallError(f"more than one team may be {named!r}; name it by its team_id")
        team_id = found[0].team_id if found else named
        answer = self._http.get("/team/info", {"team_id": team_id})
        return None if answer is None else answer_as(TeamInfo, answer, "a team").team_info

    def _update_team(self, named: str, state: State, idempotency_key: str) -> None:
        team = self._team(named)
        if team is None:
            raise MissingError(f"litellm has no team {named!r}")
        body: dict[str, JsonValue] = {"team_id": team.team_id, **as_sent(state)}
        self._http.post("/team/update", body, idempotency_key=idempotency_key)

    def _delete(self, key: str, state: State, idempotency_key: str) -> None:
        if state != GONE:
            raise CannotError("a deleted key cannot be brought back; its holder needs a new one")
        try:
            self._http.post("/key/delete", {"keys": [key]}, idempotency_key=idempotency_key)
        except MissingError:
            return

    def _check_served(self, state: State, before: State) -> None:
        """An alias to a model that the proxy does not serve makes it refuse every call; one from a model
        that it does not serve has no effect."""
        wanted, present = state.get("aliases"), before.get("aliases")
        if not isinstance(wanted, dict):
            return
        there = present if isinstance(present, dict) else {}
        new = {name: to for name, to in wanted.items() if there.get(name) != to}
        if not new:
            return
        served = answer_as(ModelList, self._http.get("/v1/models"), "models")
        names = {model.id for model in served.data}
        for model in (*new, *new.values()):
            if str(model) not in names and not any(_covers(name, str(model)) for name in names):
                raise CannotError(f"the proxy serves no model {model!r}")


def _covers(name: str, model: str) -> bool:
    """Whether a served name such as `openai/*` stands for the model."""
    return name.endswith("*") and model.startswith(name[:-1])
