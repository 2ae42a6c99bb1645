"""Where a measure applies; apart from findings, so that who only acts need not load what investigates."""

from pydantic import JsonValue

from agent.measures import Frozen, Gateway
from ledger.scope import Scope


class Target(Frozen):
    """What executes a measure, and on which scope."""

    gateway: Gateway
    scope: Scope

    def as_json(self) -> dict[str, JsonValue]:
        return {"gateway": self.gateway, **scope_json(self.scope)}


def scope_json(scope: Scope) -> dict[str, JsonValue]:
    return {str(dimension): value for dimension, value in scope.items}
