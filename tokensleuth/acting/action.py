"""A stored proposal as something to be done: its measure and target, checked again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from agent.measures import Measure
from agent.target import Target
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


class _Stored(BaseModel):
    """The parts of a stored proposal that are carried out; nothing is taken for something else."""

    model_config = ConfigDict(strict=True)

    action: str
    parameters: dict[str, JsonValue]
    target: dict[Dimension | Literal["gateway"], str]


def action_in(document: Mapping[str, object]) -> Action:
    """From a proposal of the contract; raises RefusedError for an action or parameter that is not known."""
    try:
        stored = _Stored.model_validate(dict(document))
        if "action" in stored.parameters:
            raise RefusedError(f"{document['id']} is no known action: its parameters name another action")
        measure = _MEASURE.validate_json(
            json.dumps(stored.parameters | {"action": stored.action}), strict=True
        )
        scope = Scope.of({d: v for d, v in stored.target.items() if d != "gateway"})
        target = Target.model_validate({"gateway": stored.target.get("gateway"), "scope": scope})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RefusedError(f"{document['id']} is no known action: {place}: {first['msg'].lower()}") from None
    return Action(measure, target)
