"""What a measure comes to at Anthropic: the place, the words, and the state it asks for; without a call.

A workspace is the `project` of a scope. Limits there hold for all its keys, so a narrower target is refused.
"""

from agent.measures import BlockKey, DowngradeModel, Measure, RevokeKey, SetBudget, SetRateLimit
from agent.target import Target
from tokensleuth.gateways.port import GONE, CannotError, Place, Plan, State
from tokensleuth.gateways.reach import OWNERS, limited_model, limits_told, needed, refuse_wider

REQUESTS = "requests_per_minute"
INPUT_TOKENS = "input_tokens_per_minute"
SLOW = "Anthropic applies a changed limit within about an hour"
OVER = frozenset({"archived", "expired"})
"""Of a key: it opens nothing any more, and stays so."""


def plan_at_anthropic(measure: Measure, target: Target) -> Plan:
    """Raises CannotError for what Anthropic has no lever for."""
    match measure:
        case SetRateLimit():
            return _rate_limit(measure, target)
        case SetBudget():
            return _spend_limit(measure, target)
        case BlockKey():
            key = _key(target, measure.action)
            return Plan(Place("api_key", {"key": key}, ("status",)), f"set Anthropic key {key} to inactive")
        case RevokeKey():
            key = _key(target, measure.action)
            place = Place("api_key", {"key": key}, ("exists",))
            return Plan(place, f"archive Anthropic key {key} for good; no undo")
        case DowngradeModel():
            raise CannotError("Anthropic has no lever that denies or replaces a model; use LiteLLM for that")
        case _:
            raise CannotError(f"{measure.action} is nothing that Anthropic executes")


def wanted_at_anthropic(measure: Measure, before: State) -> State:
    """Raises CannotError as planning does."""
    match measure:
        case SetRateLimit():
            asked = {REQUESTS: measure.requests_per_minute, INPUT_TOKENS: measure.tokens_per_minute}
            return {name: value for name, value in asked.items() if value is not None}
        case SetBudget():
            return {"amount": str(int(measure.max_usd * 100))}
        case BlockKey():
            status = before.get("status")
            return {"status": status if status in OVER else "inactive"}
        case RevokeKey():
            return GONE
        case _:
            raise CannotError(f"{measure.action} is nothing that Anthropic executes")


def _rate_limit(measure: SetRateLimit, target: Target) -> Plan:
    workspace = needed(target, "project", "Anthropic", measure.action)
    model = limited_model(measure, target, "Anthropic")
    told = limits_told(measure)
    refuse_wider(target, OWNERS | {"model"}, f"all keys of workspace {workspace}")
    counted = "; only input tokens count, those read from a cache too" if measure.tokens_per_minute else ""
    fields = tuple(wanted_at_anthropic(measure, {}))
    return Plan(
        Place("workspace_rate_limit", {"workspace": workspace, "model": model}, fields),
        f"set the limit of the group of {model} in Anthropic workspace {workspace} to {told}{counted}",
        slow=SLOW,
    )


def _spend_limit(measure: SetBudget, target: Target) -> Plan:
    workspace = needed(target, "project", "Anthropic", measure.action)
    if measure.period != "month":
        raise CannotError(f"Anthropic caps the spend of a workspace by month only, not by {measure.period}")
    refuse_wider(target, OWNERS, f"all spend of workspace {workspace}")
    return Plan(
        Place("workspace_spend_limit", {"workspace": workspace}, ("amount",)),
        f"cap Anthropic workspace {workspace} at {measure.max_usd:,} USD per month: where the spend of the "
        "month is above that already, its calls are refused",
    )


def _key(target: Target, action: str) -> str:
    key = needed(target, "key_id", "Anthropic", action)
    if not key.startswith("apikey_"):
        raise CannotError(f"{key[:12]!r} is no id of an Anthropic key; those start with apikey_")
    refuse_wider(target, OWNERS | {"key_id"}, f"all use of key {key}")
    return key
