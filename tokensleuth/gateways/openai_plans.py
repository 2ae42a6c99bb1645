"""What a measure comes to at OpenAI: the place, the words, and the state it asks for; without a call.

OpenAI limits whole projects, so a target narrower than a project is refused rather than widened.
"""

from pydantic import JsonValue

from agent.measures import BlockKey, DowngradeModel, Measure, RevokeKey, SetBudget, SetRateLimit
from agent.target import Target
from tokensleuth.gateways.port import GONE, CannotError, Place, Plan, State
from tokensleuth.gateways.reach import (
    OWNERS,
    limited_model,
    limits_told,
    needed,
    pinned,
    refuse_other_model,
    refuse_wider,
)

TOKENS = "max_tokens_per_1_minute"
REQUESTS = "max_requests_per_1_minute"
CENTS = "threshold_amount"


def plan_at_openai(measure: Measure, target: Target) -> Plan:
    """Raises CannotError for what OpenAI has no lever for."""
    match measure:
        case SetRateLimit():
            return _rate_limit(measure, target)
        case DowngradeModel():
            return _denial(measure, target)
        case SetBudget():
            return _spend_limit(measure, target)
        case RevokeKey():
            return _deletion(target)
        case BlockKey():
            raise CannotError(
                "OpenAI cannot block a key: an empty list of scopes means all permissions, and expiry cannot "
                "be taken back. Block it at LiteLLM, or revoke it for good"
            )
        case _:
            raise CannotError(f"{measure.action} is nothing that OpenAI executes")


def wanted_at_openai(measure: Measure, before: State) -> State:
    """Raises CannotError where the policy of the project leaves no sound state to ask for."""
    match measure:
        case SetRateLimit():
            asked = {TOKENS: measure.tokens_per_minute, REQUESTS: measure.requests_per_minute}
            return {name: value for name, value in asked.items() if value is not None}
        case DowngradeModel():
            return _without(measure, before)
        case SetBudget():
            return {CENTS: int(measure.max_usd * 100)}
        case RevokeKey():
            return GONE
        case _:
            raise CannotError(f"{measure.action} is nothing that OpenAI executes")


def _rate_limit(measure: SetRateLimit, target: Target) -> Plan:
    project = needed(target, "project", "OpenAI", measure.action)
    model = limited_model(measure, target, "OpenAI")
    refuse_wider(target, OWNERS | {"model"}, f"all keys of project {project}")
    fields = tuple(wanted_at_openai(measure, {}))
    place = Place("project_rate_limit", {"project": project, "model": model}, fields)
    return Plan(place, f"set the limit of {model} in OpenAI project {project} to {limits_told(measure)}")


def _denial(measure: DowngradeModel, target: Target) -> Plan:
    project = needed(target, "project", "OpenAI", measure.action)
    refuse_other_model(measure, target)
    refuse_wider(target, OWNERS | {"model"}, f"all keys of project {project}")
    place = Place("project_model_permissions", {"project": project}, ("mode", "model_ids"))
    return Plan(
        place,
        f"deny {measure.from_model} in OpenAI project {project}: nothing answers in its place, its calls are "
        f"refused until the program asks for {measure.to_model}",
    )


def _spend_limit(measure: SetBudget, target: Target) -> Plan:
    project = needed(target, "project", "OpenAI", measure.action)
    if measure.period != "month":
        raise CannotError(f"OpenAI caps spend by calendar month only, not by {measure.period}")
    refuse_wider(target, OWNERS, f"all spend of project {project}")
    return Plan(
        Place("project_spend_limit", {"project": project}, (CENTS,)),
        f"cap OpenAI project {project} at {measure.max_usd:,} USD per calendar month: where the spend of the "
        "month is above that already, all its calls are refused at once",
    )


def _deletion(target: Target) -> Plan:
    key, project = needed(target, "key_id", "OpenAI", "revoke_key"), pinned(target, "project")
    if not key.startswith("key_"):
        raise CannotError(f"{key[:12]!r} is no id of an OpenAI key; those start with key_")
    refuse_wider(target, OWNERS | {"key_id"}, f"all use of key {key}")
    ids = {"key": key, **({"project": project} if project else {})}
    return Plan(Place("project_key", ids, ("exists",)), f"delete OpenAI key {key} for good; no undo")


def _without(measure: DowngradeModel, before: State) -> State:
    """The project's policy with one more model denied; what it already says is kept."""
    named = before.get("model_ids")
    listed = {str(name) for name in named} if isinstance(named, list) else set()
    old, new, allows = measure.from_model, measure.to_model, before.get("mode") == "allow_list"
    if (new in listed) != allows:
        raise CannotError(f"the project does not allow {new}: denying {old} would stop the work, not move it")
    left: list[JsonValue] = [*sorted(listed - {old} if allows else listed | {old})]
    return {"mode": "allow_list" if allows else "deny_list", "model_ids": left}
