"""How far a provider's lever reaches, against the target that people decided on."""

from collections.abc import Collection

from agent.measures import DowngradeModel, SetRateLimit
from agent.target import Target
from ledger.scope import UNALLOCATED, Dimension
from tokensleuth.gateways.port import CannotError

OWNERS: frozenset[Dimension] = frozenset({"provider", "team", "project"})
"""What a target may pin beside a project without being narrower than it."""


def pinned(target: Target, dimension: Dimension) -> str | None:
    """The target's value; None where it pins none or the spend is nobody's."""
    value = target.scope.as_dict().get(dimension)
    return None if value in (None, "", UNALLOCATED) else value


def needed(target: Target, dimension: Dimension, provider: str, action: str) -> str:
    """The target's value; raises CannotError that says what is missing."""
    value = pinned(target, dimension)
    if value is None:
        raise CannotError(f"{action} at {provider} needs a {dimension}; the target is {target.scope}")
    return value


def refuse_wider(target: Target, held: Collection[Dimension], acts_on: str) -> None:
    """Raises CannotError where the lever would act on more than the target, as on all keys of a project."""
    beyond = [d for d, _ in target.scope.items if d not in held]
    if beyond:
        raise CannotError(
            f"it would act on {acts_on}, which is more than the target {target.scope}: "
            f"no lever there knows {', '.join(beyond)}"
        )


def limited_model(measure: SetRateLimit, target: Target, provider: str) -> str:
    """The one model a limit is for; raises CannotError where none or two are named."""
    scoped = pinned(target, "model")
    if measure.model and scoped and measure.model != scoped:
        raise CannotError(f"the limit is for {measure.model}, the target for {scoped}: name one model")
    model = measure.model or scoped
    if model is None:
        raise CannotError(f"set_rate_limit at {provider} needs a model: limits there are per model")
    return model


def refuse_other_model(measure: DowngradeModel, target: Target) -> None:
    """Raises CannotError where the target is a model that the measure does not name."""
    scoped = pinned(target, "model")
    if scoped not in (None, measure.from_model):
        raise CannotError(f"the measure is about {measure.from_model}, the target about {scoped}")


def limits_told(measure: SetRateLimit) -> str:
    """Both limits in words; raises CannotError where there is none."""
    told = [
        f"{value:,} {unit} per minute"
        for value, unit in ((measure.tokens_per_minute, "tokens"), (measure.requests_per_minute, "requests"))
        if value is not None
    ]
    if not told:
        raise CannotError("set_rate_limit names neither tokens_per_minute nor requests_per_minute")
    return " and ".join(told)
