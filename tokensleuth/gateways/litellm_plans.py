"""What each measure comes to at a LiteLLM proxy: the place, its fields and the values wanted; no calls.

Seen at litellm 1.102.4: limits per model live in `metadata` and `null` does not undo them, `{}` does;
aliases are followed two steps far; unknown fields are ignored without a word.
"""

import re
from collections.abc import Mapping
from typing import assert_never

from pydantic import JsonValue

from agent.measures import (
    BlockKey,
    DowngradeModel,
    FixPrice,
    MarkExpected,
    Measure,
    NotifyOwner,
    RevokeKey,
    SetBudget,
    SetRateLimit,
)
from agent.target import Target
from ledger.scope import UNALLOCATED, Dimension
from tokensleuth.gateways.port import GONE, CannotError, Place, Plan, State
from tokensleuth.gateways.reach import refuse_wider

DURATIONS: Mapping[str, str] = {"day": "1d", "week": "7d", "month": "30d"}
MAPS = frozenset({"aliases", "model_tpm_limit", "model_rpm_limit"})
"""Fields that a write replaces as a whole, and that only `{}` empties."""
PER_TEAM = frozenset({"tpm_limit", "rpm_limit", "model_tpm_limit", "model_rpm_limit", "max_budget"})
KEPT_BY: Mapping[str, frozenset[Dimension]] = {
    "key": frozenset({"team", "project", "key_id"}),
    "team": frozenset({"team"}),
}
"""What a target may pin without being narrower than the key or team that is acted on."""
SLOW = "up to a minute where the proxy has several workers"
"""Each keeps keys and teams in memory for `user_api_key_cache_ttl`, by default 60 s."""

_HASH = re.compile(r"[0-9a-f]{64}")


def planned(measure: Measure, target: Target) -> Plan:
    """Raises CannotError."""
    asked = asked_fields(measure)
    place = place_of(target, tuple(asked))
    if place.kind == "team" and not PER_TEAM.intersection(asked):
        raise CannotError(f"litellm can {measure.action} for a key, and the target names only a team")
    _refuse_wider(measure, target, place)
    return Plan(place, _told(measure, place), SLOW)


def wanted_state(measure: Measure, before: State) -> State:
    """The asked values, with maps merged into what is there; raises CannotError where that has no effect."""
    if isinstance(measure, DowngradeModel):
        _check_alias(measure, _map(before.get("aliases")))
    return {
        name: {**_map(before.get(name)), **_map(value)} if name in MAPS else value
        for name, value in asked_fields(measure).items()
    }


def asked_fields(measure: Measure) -> dict[str, JsonValue]:
    """The fields that a measure touches, with its own values; raises CannotError."""
    match measure:
        case SetRateLimit():
            return _limits(measure)
        case SetBudget():
            if measure.max_usd <= 0:
                raise CannotError(
                    f"a budget of {measure.max_usd} USD refuses everything; block the key instead"
                )
            return {"max_budget": float(measure.max_usd), "budget_duration": DURATIONS[measure.period]}
        case DowngradeModel():
            return {"aliases": {measure.from_model: measure.to_model}}
        case BlockKey():
            return {"blocked": True}
        case RevokeKey():
            return dict(GONE)
        case FixPrice() | NotifyOwner() | MarkExpected():
            raise CannotError(f"litellm has no action {measure.action}")
        case _:
            assert_never(measure)


def as_sent(state: State) -> dict[str, JsonValue]:
    """The fields of a state as an update must hold them."""
    return {name: _map(value) if name in MAPS else value for name, value in state.items()}


def is_key_hash(text: str) -> bool:
    """Whether it is a SHA-256 as LiteLLM stores and logs keys."""
    return _HASH.fullmatch(text) is not None


def _limits(measure: SetRateLimit) -> dict[str, JsonValue]:
    given = {"tpm_limit": measure.tokens_per_minute, "rpm_limit": measure.requests_per_minute}
    asked = {name: limit for name, limit in given.items() if limit is not None}
    if not asked:
        raise CannotError("the rate limit names neither tokens nor requests per minute")
    if measure.model is None:
        return {**asked}
    return {f"model_{name}": {measure.model: limit} for name, limit in asked.items()}


def place_of(target: Target, fields: tuple[str, ...] = ()) -> Place:
    """The key of the target, else its team; raises CannotError."""
    named = dict(target.scope.items)
    key, team = named.get("key_id"), named.get("team")
    if target.gateway != "litellm":
        raise CannotError(f"the target is at {target.gateway}, not at litellm")
    if key is not None:
        if not is_key_hash(key):
            raise CannotError("the target's key_id is not the SHA-256 of a LiteLLM key, 64 digits of 0-9a-f")
        return Place("key", {"key": key}, fields)
    if team in (None, "", UNALLOCATED):
        raise CannotError(f"litellm needs a key or a team, and the target is {target.scope}")
    return Place("team", {"team": str(team)}, fields)


def _refuse_wider(measure: Measure, target: Target, place: Place) -> None:
    """A limit of a team holds for all its projects, and one of a key for all it is used for."""
    model = _model_of(measure)
    held = KEPT_BY[place.kind]
    if model is not None and target.scope.as_dict().get("model", model) == model:
        held |= {"provider", "model"}
    refuse_wider(target, held, f"all use of {model or 'every model'} by its {place.kind}")


def _model_of(measure: Measure) -> str | None:
    """The one model that it is about; None where it is about all."""
    match measure:
        case SetRateLimit(model=model):
            return model
        case DowngradeModel(from_model=model):
            return model
        case _:
            return None


def _check_alias(measure: DowngradeModel, aliases: Mapping[str, JsonValue]) -> None:
    """An alias of the cheaper model is followed too: it may lead back to the dear one."""
    if measure.from_model == measure.to_model:
        raise CannotError(f"{measure.from_model} cannot be its own downgrade")
    if onwards := aliases.get(measure.to_model):
        raise CannotError(f"the key already has {measure.to_model} answered by {onwards}")


def _told(measure: Measure, place: Place) -> str:
    what = f"key {place.ids['key'][:12]}" if place.kind == "key" else f"team {place.ids['team']}"
    match measure:
        case SetRateLimit():
            limits = {"tokens": measure.tokens_per_minute, "requests": measure.requests_per_minute}
            given = " and ".join(f"{limit:,} {unit}" for unit, limit in limits.items() if limit is not None)
            return f"limit {what} to {given} per minute{f' for {measure.model}' if measure.model else ''}"
        case SetBudget():
            return (
                f"limit {what} to {measure.max_usd} USD a {measure.period}; spend since its last reset counts"
            )
        case DowngradeModel():
            return f"answer {measure.from_model} with {measure.to_model} for {what}"
        case BlockKey():
            return f"block {what}"
        case _:
            return f"delete {what} for good"


def _map(value: JsonValue) -> dict[str, JsonValue]:
    return dict(value) if isinstance(value, dict) else {}
