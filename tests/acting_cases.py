"""An executor on a gateway that does as it is told, with a clock that is put forward by hand."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from agent.measures import Measure
from agent.target import Target
from tests.decision_builders import FixedSpend, asked_for, audited, click, propose, rules, slack, stored
from tests.incident_documents import NOW
from tokensleuth.acting.executor import Executor
from tokensleuth.acting.guards import GuardRails
from tokensleuth.acting.undoing import ask_undo, end_temporary
from tokensleuth.approvals import Answer
from tokensleuth.casebook import Casebook, JsonObject
from tokensleuth.casebook.executed import Execution, executions_of
from tokensleuth.gateways.port import Gateway, GatewayError, Place, Plan, State
from tokensleuth.settings_acts import Actions

Step = Literal["plan", "read", "wanted", "write", "read back"]
BEFORE: State = {"tpm_limit": None}
WANTED: State = {"tpm_limit": 40_000}


@dataclass(slots=True)
class HandClock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass(slots=True)
class Provider:
    """A gateway with one place; what is planned for a step is raised once each, then it works."""

    state: State | None = field(default_factory=lambda: dict(BEFORE))
    raises: dict[Step, deque[GatewayError]] = field(default_factory=dict)
    applies: bool = True
    """Whether a write that raises took effect all the same."""
    deaf: bool = False
    """Whether writes are answered and forgotten."""
    writes: list[tuple[State, str]] = field(default_factory=list)
    calls: list[Step] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "litellm"

    def fail(self, step: Step, *errors: GatewayError, applies: bool = False) -> None:
        self.raises[step] = deque(errors)
        self.applies = applies

    def plan(self, measure: Measure, target: Target) -> Plan:
        self._step("plan")
        return Plan(
            Place("key", {"key": "k1"}, ("tpm_limit",)), f"{measure.action} of k1 at {target.gateway}"
        )

    def wanted(self, measure: Measure, before: State) -> State:  # noqa: ARG002
        self._step("wanted")
        return dict(WANTED)

    def read(self, place: Place) -> State | None:  # noqa: ARG002
        self._step("read back" if "write" in self.calls else "read")
        return self.state

    def write(self, place: Place, state: State, *, before: State, idempotency_key: str) -> None:  # noqa: ARG002
        self.writes.append((state, idempotency_key))
        self.calls.append("write")
        errors = self.raises.get("write")
        if (not errors or self.applies) and not self.deaf:
            self.state = state
        if errors:
            raise errors.popleft()

    def _step(self, step: Step) -> None:
        self.calls.append(step)
        errors = self.raises.get(step)
        if errors:
            raise errors.popleft()


@dataclass(slots=True)
class Office:
    """A casebook and an executor on it."""

    casebook: Casebook
    gateway: Gateway
    actions: Actions = field(default_factory=lambda: Actions(dry_run=False))
    clock: HandClock = field(default_factory=HandClock)
    owner: str = "worker-1"

    @property
    def rails(self) -> GuardRails:
        return GuardRails(rules(), self.actions)

    @property
    def executor(self) -> Executor:
        """A new one remembers nothing, like after a restart."""
        gateways = {"litellm": self.gateway}
        return Executor(
            self.casebook, gateways, self.rails, FixedSpend(), self.owner, self.clock, channel="C1"
        )

    def approved(self, document: JsonObject | None = None) -> str:
        """A proposal that Alice approved."""
        proposal_id = propose(self.casebook, document or asked_for(), at=self.clock())
        click(self.casebook, proposal_id, slack("alice"), now=self.clock())
        return proposal_id

    def work(self, *, later: float = 0) -> int:
        """All that is due after so many seconds; how many steps that took."""
        self.clock.at += timedelta(seconds=later)
        steps = 0
        while self.executor.run_one():
            steps += 1
        return steps

    def undo(self, proposal_id: str, name: str = "alice") -> Answer:
        return ask_undo(self.casebook, proposal_id, slack(name), rules(), self.clock())

    def tick(self) -> list[Answer]:
        return end_temporary(self.casebook, rules(), self.clock())

    def done(self, proposal_id: str, kind: str = "apply") -> Execution:
        with self.casebook.reading() as connection:
            found = executions_of(connection, proposal_id)
        return next(e for e in found if e.kind == kind)

    def state(self, proposal_id: str) -> str:
        return stored(self.casebook, proposal_id).state

    def trail(self, proposal_id: str, kind: str = "apply") -> list[str]:
        return list(audited(self.casebook, self.done(proposal_id, kind).id))


@contextmanager
def office_in(place: Path | str, gateway: Gateway) -> Iterator[Office]:
    """On a casebook in the folder, or of that URL."""
    url = place if isinstance(place, str) else f"sqlite:///{place}/casebook.sqlite"
    with Casebook.open(url, key=b"the casebook key of the tests") as casebook:
        yield Office(casebook, gateway)
