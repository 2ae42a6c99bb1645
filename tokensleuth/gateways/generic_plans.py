"""Measures in words of our own, for gateways that know no other: the place is the action and its target."""

from pydantic import JsonValue

from agent.measures import BlockKey, DowngradeModel, Measure, RevokeKey, SetBudget, SetRateLimit
from agent.target import Target
from tokensleuth.gateways.port import GONE, CannotError, Place, Plan, State
from tokensleuth.gateways.reach import limits_told, needed, refuse_other_model


def plan_anywhere(measure: Measure, target: Target, who: str) -> Plan:
    """The place is the target as it stands; raises CannotError for what no gateway executes."""
    told = _told(measure, target, "people" if who == "none" else who)
    ids = {str(dimension): value for dimension, value in target.scope.items}
    if not ids:
        raise CannotError(f"{measure.action} needs a target; this one is all spend")
    match measure:
        case SetRateLimit(model=str() as model):
            ids["model"] = model
        case DowngradeModel():
            ids["model"] = measure.from_model
    return Plan(Place(measure.action, ids, tuple(wanted_anywhere(measure, {}))), told)


def wanted_anywhere(measure: Measure, before: State) -> State:
    """The measure's own parameters; what was before plays no part."""
    match measure:
        case SetRateLimit():
            asked = {
                "tokens_per_minute": measure.tokens_per_minute,
                "requests_per_minute": measure.requests_per_minute,
            }
            return {name: value for name, value in asked.items() if value is not None}
        case SetBudget():
            limits: dict[str, JsonValue] = {"max_usd": str(measure.max_usd), "period": measure.period}
            return limits
        case DowngradeModel():
            return {"answered_with": measure.to_model}
        case BlockKey():
            return {"blocked": True}
        case RevokeKey():
            return GONE
        case _:
            raise CannotError(f"{measure.action} is nothing that a gateway executes, whatever was {before}")


def _told(measure: Measure, target: Target, who: str) -> str:
    match measure:
        case SetRateLimit():
            model = f", model {measure.model}," if measure.model else ""
            return f"ask {who} to limit {target.scope}{model} to {limits_told(measure)}"
        case SetBudget():
            return f"ask {who} to cap {target.scope} at {measure.max_usd:,} USD per {measure.period}"
        case DowngradeModel():
            refuse_other_model(measure, target)
            return f"ask {who} to answer {measure.from_model} with {measure.to_model} for {target.scope}"
        case BlockKey():
            return f"ask {who} to block key {needed(target, 'key_id', who, measure.action)}"
        case RevokeKey():
            return f"ask {who} to delete key {needed(target, 'key_id', who, measure.action)}; no undo"
        case _:
            raise CannotError(f"{measure.action} is nothing that a gateway executes")
