"""A stored proposal as something to be done: its measure and target, checked again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import TypeAdapter, ValidationError

from agent.finding import Target
from agent.measures import Measure
from ledger.errors import RefusedError
from ledger.scope import Dimension, Scope
from tokensleuth.people import CLASS_OF, ActionClass

_MEASURE: TypeAdapter[Measure] = TypeAdapter(Measure)


@dataclass(frozen=True, slots=True)
class Action:
    """A measure of the closed list, and what it acts on."""

    measure: Measure
    target: Target

    @property
    def kind(self) -> ActionClass:
        return CLASS_OF[self.measure.action]

    @property
    def is_told(self) -> bool:
        """Whether it only tells people or marks something: no gateway executes it."""
        return self.kind == "tell"

    @property
    def is_temporary(self) -> bool:
        """Whether it may be taken back by itself after some hours."""
        return self.kind == "limit"


def action_in(document: Mapping[str, object]) -> Action:
    """From a proposal of the contract; raises RefusedError for an action or parameter that is not known."""
    parameters = cast(Mapping[str, object], document["parameters"])
    target = dict(cast(Mapping[str, object], document["target"]))
    gateway = target.pop("gateway", None)
    try:
        measure = _MEASURE.validate_python({"action": document["action"], **parameters})
        scope = Scope.of(cast(dict[Dimension, str], target))
        return Action(measure, Target.model_validate({"gateway": gateway, "scope": scope}))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RefusedError(f"{document['id']} is no known action: {place}: {first['msg'].lower()}") from None
