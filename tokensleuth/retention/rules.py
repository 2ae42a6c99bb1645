"""Which rows of the casebook are old and closed: the same conditions count and delete them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Table, and_, func, not_, or_, select

from tokensleuth.casebook.schema import evidence, incidents, investigations, model_calls, proposals
from tokensleuth.casebook.schema_acts import (
    decisions,
    executions,
    feedback,
    inbox,
    messages,
    outbox,
    timelines,
    watches,
)
from tokensleuth.casebook.schema_runs import digests, notices, runs
from tokensleuth.retention.settings import RetentionSettings
from tokensleuth.retention.still_open import open_incidents

TALLIED = (runs, notices)
"""Their numbers live on in the audit entry, so they go in its transaction; all others go in batches."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of one table that are to go."""

    table: Table
    condition: ColumnElement[bool]

    @property
    def name(self) -> str:
        return self.table.name


@dataclass(frozen=True, slots=True)
class Ages:
    """The settings at an instant."""

    settings: RetentionSettings
    now: datetime
    settled_until: datetime | None
    """Up to when our own calls are in the ledger; None: none is."""

    def rules(self) -> list[Rule]:
        """Without incidents, which go with all their tables at once; see `old_incidents`."""
        found = (
            self._rule("inbox", inbox, inbox.c.handled_at, inbox.c.state.in_(("done", "refused"))),
            self._rule("outbox", outbox, outbox.c.sent_at, *self._of_letters()),
            self._rule("messages", messages, messages.c.asked_at, self._closed(messages.c.incident_id)),
            self._rule("timelines", timelines, timelines.c.saved_at, self._closed(timelines.c.incident_id)),
            self._evidence(),
            self._model_calls(),
            self._rule("runs", runs, runs.c.finished_at, *_ended_runs()),
            self._rule("notices", notices, notices.c.closed_at),
            self._rule("digests", digests, digests.c.made_at),
        )
        return [rule for rule in found if rule is not None]

    def old_incidents(self) -> ColumnElement[bool] | None:
        """Those that ended, and were looked at last, before the edge, with nothing open."""
        edge = self.settings.edge("incidents", self.now)
        if edge is None:
            return None
        return and_(incidents.c.end_at < edge, incidents.c.saved_at < edge, self._closed(incidents.c.id))

    def _rule(
        self, name: str, table: Table, at: ColumnElement[datetime | None], *conditions: ColumnElement[bool]
    ) -> Rule | None:
        edge = self.settings.edge(name, self.now)
        return None if edge is None else Rule(table, and_(at < edge, *conditions))

    def _closed(self, incident_id: ColumnElement[str]) -> ColumnElement[bool]:
        return incident_id.not_in(open_incidents(self.now))

    def _of_letters(self) -> Sequence[ColumnElement[bool]]:
        """All of an incident's go together, and the one a message came from stays as long as the message."""
        edge = self.settings.edge("outbox", self.now)
        other = outbox.alias("other")
        recent = select(other.c.incident_id).where(
            other.c.incident_id.is_not(None), or_(other.c.sent_at.is_(None), other.c.sent_at >= edge)
        )
        of_nothing_open = or_(
            outbox.c.incident_id.is_(None),
            and_(self._closed(outbox.c.incident_id), outbox.c.incident_id.not_in(recent)),
        )
        shown = outbox.c.id.in_(select(messages.c.outbox_id).where(*self._messages_that_stay()))
        return outbox.c.state.in_(("sent", "failed")), not_(shown), of_nothing_open

    def _messages_that_stay(self) -> Iterator[ColumnElement[bool]]:
        """Not those that go in the same run: a second run would find their letters else."""
        if (edge := self.settings.edge("messages", self.now)) is not None:
            yield not_(and_(messages.c.asked_at < edge, self._closed(messages.c.incident_id)))
        if (old := self.old_incidents()) is not None:
            yield messages.c.incident_id.not_in(select(incidents.c.id).where(old))

    def _evidence(self) -> Rule | None:
        edge = self.settings.edge("evidence", self.now)
        if edge is None:
            return None
        old = select(investigations.c.id).where(
            investigations.c.saved_at < edge, self._closed(investigations.c.incident_id)
        )
        return Rule(evidence, evidence.c.investigation_id.in_(old))

    def _model_calls(self) -> Rule | None:
        """What is not in the ledger yet would be lost."""
        edge = self.settings.edge("model_calls", self.now)
        if edge is None or self.settled_until is None:
            return None
        return Rule(model_calls, model_calls.c.at < min(edge, self.settled_until))


def hanging_on(incident_ids: Select[str] | Sequence[str]) -> list[Rule]:
    """Every table with rows of these incidents, those that refer to others first."""
    asked = select(proposals.c.id).where(proposals.c.incident_id.in_(incident_ids))
    carried = select(executions.c.id).where(executions.c.proposal_id.in_(asked))
    looked = select(investigations.c.id).where(investigations.c.incident_id.in_(incident_ids))
    return [
        Rule(watches, watches.c.execution_id.in_(carried)),
        Rule(executions, executions.c.proposal_id.in_(asked)),
        Rule(decisions, decisions.c.proposal_id.in_(asked)),
        Rule(proposals, proposals.c.incident_id.in_(incident_ids)),
        Rule(evidence, evidence.c.investigation_id.in_(looked)),
        Rule(investigations, investigations.c.incident_id.in_(incident_ids)),
        *(Rule(t, t.c.incident_id.in_(incident_ids)) for t in (timelines, messages, outbox, feedback)),
        Rule(incidents, incidents.c.id.in_(incident_ids)),
    ]


def _ended_runs() -> Sequence[ColumnElement[bool]]:
    """The planner goes on from the last slot of a duty, so that one stays."""
    other = runs.alias("other")
    last = select(func.max(other.c.slot)).where(other.c.duty == runs.c.duty).scalar_subquery()
    return runs.c.state.in_(("done", "failed")), runs.c.slot < last
