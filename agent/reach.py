"""What each gateway can execute on which scope, so that nothing is proposed to it that it has no lever for.

Checked against the gateways themselves by a test; where none can, people are told to do it by hand.
"""

from collections.abc import Mapping

from agent.measures import DowngradeModel, Gateway, Measure, SetRateLimit
from ledger.scope import UNALLOCATED, Dimension, Scope

BY_PROJECT: frozenset[Gateway] = frozenset({"openai", "anthropic"})
"""These limit a model in a whole project (at Anthropic: workspace), never one key."""
_KEY_PREFIX: Mapping[Gateway, str] = {"openai": "key_", "anthropic": "apikey_"}

_OF_A_KEY: frozenset[Dimension] = frozenset({"provider", "team", "project", "key_id"})
"""What a key belongs to: with more than that pinned, acting on the key would be acting on more."""


def limitable(scope: Scope, gateway: Gateway = "none") -> Scope | None:
    """What a gateway can limit of a scope: the key, else the project, else the team; or a project's model."""
    pinned = {d: v for d, v in scope.items if v != UNALLOCATED}
    wanted: tuple[Dimension, ...] = ("team", "project", "key_id")
    if gateway in BY_PROJECT and {"project", "model"} <= pinned.keys():
        wanted = ("project", "model")
    found = [(d, pinned[d]) for d in wanted if d in pinned]
    return Scope.of(found) if found else None


def limited_model(scope: Scope, gateway: Gateway) -> str | None:
    """The model that a limit at this gateway is for; None where it is for all of the scope."""
    return scope.as_dict().get("model") if gateway in BY_PROJECT else None


def can_execute(gateway: Gateway, measure: Measure, scope: Scope) -> bool:
    """Whether the gateway has a lever for it."""
    pinned = scope.as_dict()
    match gateway:
        case "litellm":
            return _at_litellm(measure, pinned)
        case "openai" | "anthropic":
            if measure.action in ("block_key", "revoke_key"):
                blocks = gateway == "anthropic" or measure.action == "revoke_key"
                is_key = pinned.get("key_id", "").startswith(_KEY_PREFIX[gateway])
                return blocks and is_key and pinned.keys() <= _OF_A_KEY
            return isinstance(measure, SetRateLimit) and pinned.keys() == {"project", "model"}
        case "webhook" | "none":
            return True


def _at_litellm(measure: Measure, pinned: Mapping[Dimension, str]) -> bool:
    """All that a key does, one model of it, or all of a team: never a part of a team."""
    if "key_id" not in pinned:
        return measure.action in ("set_rate_limit", "set_budget") and pinned.keys() == {"team"}
    model = measure.from_model if isinstance(measure, DowngradeModel) else None
    of_one_model: frozenset[Dimension] = frozenset({"provider", "model"} if model else ())
    held = (_OF_A_KEY - {"provider"}) | of_one_model
    return pinned.keys() <= held and pinned.get("model", model) == model
