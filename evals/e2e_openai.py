"""Every action of the OpenAI gateway and its undo at Prism, which checks them against OpenAI's own schema.

    make e2e-openai

Prism keeps no state: statuses and shapes are checked here, effects by the tests with the stateful fake. One
line an action; status 1 where any failed, 0 with the reason where node or npm is missing.
"""

import sys
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal

from pydantic import SecretStr

from agent.measures import DowngradeModel, Measure, RevokeKey, SetBudget, SetRateLimit
from agent.target import Target
from evals.prism_peer import prism_peer
from evals.unavailable import Unavailable, skipped
from ledger.scope import Scope
from tokensleuth.gateways.openai_admin import OpenAiAdmin
from tokensleuth.gateways.port import GONE, GatewayError, Place, RefusedCallError, State

PROJECT = ("project=proj_search",)


class WrongError(Exception):
    """An action that went otherwise than it must."""


def there_and_back(gateway: OpenAiAdmin, measure: Measure, *filters: str, undo: State | None = None) -> str:
    """Read, write, read, write back: what was read, or the given state."""
    place = gateway.plan(measure, Target(gateway="openai", scope=Scope.parse(filters))).place
    before = gateway.read(place)
    if before is None:
        raise WrongError(f"{place} is not there")
    wanted = gateway.wanted(measure, before)
    gateway.write(place, wanted, before=before, idempotency_key="e2e")
    back = before if undo is None else undo
    gateway.write(place, back, before=gateway.read(place) or {}, idempotency_key="e2e-undo")
    return f"{dict(wanted)}, then {dict(back)}"


def revoke(gateway: OpenAiAdmin, *filters: str) -> str:
    """Found, and deleted; there is no way back."""
    target = Target(gateway="openai", scope=Scope.parse(("key_id=key_leaked", *filters)))
    place = gateway.plan(RevokeKey(), target).place
    if gateway.read(place) != {"exists": True}:
        raise WrongError("the key is not found")
    gateway.write(place, GONE, before={"exists": True}, idempotency_key="e2e")
    return "found and deleted"


def refused(gateway: OpenAiAdmin) -> str:
    """Prism refuses what the schema does not allow, and so would OpenAI."""
    place = Place("project_spend_limit", {"project": "proj_search"}, ("threshold_amount",))
    try:
        gateway.write(place, {"threshold_amount": 0}, before={}, idempotency_key="e2e")
    except RefusedCallError as error:
        return f"refused: {error}"
    raise WrongError("a cap of 0 cents was taken")


LIMIT = SetRateLimit(tokens_per_minute=40_000, requests_per_minute=60, model="gpt-4o")
DOWNGRADE = DowngradeModel(from_model="gpt-4o", to_model="gpt-4o-mini")
BUDGET = SetBudget(max_usd=Decimal("120.50"), period="month")
ACTIONS: dict[str, Callable[[OpenAiAdmin], str]] = {
    "set_rate_limit": lambda g: there_and_back(g, LIMIT, *PROJECT),
    "downgrade_model": lambda g: there_and_back(g, DOWNGRADE, *PROJECT),
    "downgrade_model, no policy before": lambda g: there_and_back(
        g, DOWNGRADE, *PROJECT, undo={"mode": None, "model_ids": None}
    ),
    "set_budget": lambda g: there_and_back(g, BUDGET, *PROJECT),
    "set_budget, no cap before": lambda g: there_and_back(
        g, BUDGET, *PROJECT, undo={"threshold_amount": None}
    ),
    "revoke_key": lambda g: revoke(g, *PROJECT),
    "revoke_key, project unknown": revoke,
    "a request that the schema forbids": refused,
}


def run(gateway: OpenAiAdmin) -> int:
    """Each action on a line; how many failed."""
    failed = 0
    for name, action in ACTIONS.items():
        try:
            print(f"ok    {name}: {action(gateway)}")
        except (GatewayError, WrongError) as error:
            failed += 1
            print(f"FAIL  {name}: {type(error).__name__}: {error}")
    return failed


def main() -> None:
    try:
        with prism_peer() as url, closing(OpenAiAdmin(url, SecretStr("sk-admin-of-e2e"))) as gateway:
            failed = run(gateway)
    except Unavailable as missing:
        sys.exit(skipped(missing))
    print(f"{len(ACTIONS) - failed} of {len(ACTIONS)} actions as OpenAI's schema has them")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
