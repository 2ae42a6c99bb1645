"""A gateway that changes nothing: it plans and reads like the real one, and does not write."""

from agent.measures import Measure
from agent.target import Target
from tokensleuth.gateways.generic_plans import plan_anywhere, wanted_anywhere
from tokensleuth.gateways.port import (
    CannotError,
    Gateway,
    NotSentError,
    Place,
    Plan,
    RefusedCallError,
    State,
)

NOTHING_CHANGED = "dry run, nothing is changed"


class DryRun:
    """In front of a gateway, or alone where none is configured."""

    def __init__(self, inner: Gateway | None, name: str) -> None:
        self._inner = inner
        self._name = name

    def __repr__(self) -> str:
        return f"DryRun({self._inner!r}, {self._name!r})"

    @property
    def name(self) -> str:
        return self._name

    def plan(self, measure: Measure, target: Target) -> Plan:
        """As the gateway behind plans it; the words say that nothing is changed."""
        if self._inner is None:
            plan = plan_anywhere(measure, target, self._name)
        else:
            plan = self._inner.plan(measure, target)
        return Plan(plan.place, f"{NOTHING_CHANGED}; it would: {plan.told}", plan.slow)

    def wanted(self, measure: Measure, before: State) -> State:
        if self._inner is None:
            return wanted_anywhere(measure, before)
        return self._inner.wanted(measure, before)

    def read(self, place: Place) -> State | None:
        """The present state; empty where there is nothing to ask or it does not answer."""
        if self._inner is None:
            return {}
        try:
            return self._inner.read(place)
        except (CannotError, NotSentError, RefusedCallError):
            return {}

    def write(self, place: Place, state: State, *, before: State, idempotency_key: str) -> None:
        """Nothing."""
