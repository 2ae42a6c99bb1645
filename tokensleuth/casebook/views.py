"""An incident with all that people decided and the service did about it: what messages and pages show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, select

from tokensleuth.casebook.decided import Said, words_of
from tokensleuth.casebook.executed import Execution, executions_of
from tokensleuth.casebook.feedback import Feedback, feedback_of
from tokensleuth.casebook.records import JsonObject
from tokensleuth.casebook.schema import incidents, proposals
from tokensleuth.casebook.schema_acts import timelines
from tokensleuth.casebook.storable import storable
from tokensleuth.casebook.store import read_incident
from tokensleuth.casebook.watches import Watch, read_watch


def can_be_undone(proposal: Mapping[str, object]) -> bool:
    """Whether what it does leaves something to take back."""
    told = proposal["action"] in ("notify_owner", "fix_price")
    return proposal["reversible"] is True and not told


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal as it stands."""

    document: JsonObject
    """Of the contract, and `incident_id`, `state` (expired by the passing of time too), `round`,
    `payload_hash`, `requested_by`, `spend_share`, `proposed_at`."""
    words: Sequence[Said]
    """What people said in its present round."""
    execution: Execution | None
    undo: Execution | None
    watch: Watch | None

    @property
    def id(self) -> str:
        return str(self.document["id"])

    @property
    def state(self) -> str:
        return str(self.document["state"])

    @property
    def can_be_undone(self) -> bool:
        """Whether it was really done, can be taken back, and nobody has."""
        applied = self.execution
        unsure = applied is not None and applied.state == "unknown" and applied.wanted is not None
        done = applied is not None and (applied.state == "done" or unsure) and not applied.dry_run
        open_again = self.undo is None or self.undo.state in ("blocked", "failed")
        return done and open_again and can_be_undone(self.document)

    def as_json(self) -> JsonObject:
        return self.document | {
            "decisions": [said.as_json() for said in self.words],
            "execution": self.execution.as_json() if self.execution else None,
            "undo_execution": self.undo.as_json() if self.undo else None,
            "watch": self.watch.as_json() if self.watch else None,
        }


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident as it stands."""

    incident: JsonObject
    """Of the contract, as last investigated."""
    proposals: Sequence[ProposalView]
    """Those that are not superseded, in their order."""
    feedback: Sequence[Feedback]
    """Latest first."""
    timeline: JsonObject | None
    """The hours around it as they are charted; see `tokensleuth.timeline.Timeline.as_json`."""

    @property
    def id(self) -> str:
        return str(self.incident["id"])

    def as_json(self) -> JsonObject:
        return self.incident | {
            "proposals": [proposal.as_json() for proposal in self.proposals],
            "feedback": [given.as_json() for given in self.feedback],
        }


def read_view(connection: Connection, incident_id: str, *, now: datetime) -> IncidentView | None:
    """The incident; None where there is none of that id."""
    incident = read_incident(connection, storable(incident_id), now=now)
    if incident is None:
        return None
    documents = cast(Sequence[JsonObject], incident["proposals"])
    shown = select(timelines.c.document).where(timelines.c.incident_id == incident_id)
    return IncidentView(
        incident=incident,
        proposals=[_proposal(connection, document) for document in documents],
        feedback=feedback_of(connection, incident_id),
        timeline=cast(JsonObject | None, connection.scalar(shown)),
    )


def incident_of(connection: Connection, proposal_id: str) -> str | None:
    """The incident that a proposal belongs to."""
    found = connection.scalar(select(proposals.c.incident_id).where(proposals.c.id == storable(proposal_id)))
    return None if found is None else str(found)


def incident_ids(connection: Connection, *, limit: int | None = None) -> Sequence[str]:
    """All incidents, latest first."""
    statement = select(incidents.c.id).order_by(incidents.c.start_at.desc(), incidents.c.id).limit(limit)
    return [str(found) for found in connection.scalars(statement)]


def _proposal(connection: Connection, document: JsonObject) -> ProposalView:
    proposal_id, round_number = str(document["id"]), int(str(document["round"]))
    of_round = [e for e in executions_of(connection, proposal_id) if e.round == round_number]
    execution = next((e for e in of_round if e.kind == "apply"), None)
    return ProposalView(
        document=document,
        words=words_of(connection, proposal_id, round_number),
        execution=execution,
        undo=next((e for e in of_round if e.kind == "undo"), None),
        watch=read_watch(connection, execution.id) if execution else None,
    )
