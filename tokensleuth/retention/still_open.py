"""What is still open in the casebook: nothing that belongs to it may be deleted, however old it is."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, union

from tokensleuth.casebook.schema import proposals
from tokensleuth.casebook.schema_acts import executions, feedback, outbox, watches
from tokensleuth.casebook.schema_runs import tunings

_UNDECIDED = ("pending", "approved", "executing")


def open_incidents(now: datetime) -> Select[str]:
    """The ids of incidents with something to decide, to carry out, to look after, to undo, or to tell."""
    of_proposals = select(proposals.c.incident_id.label("incident_id"))
    to_do = or_(executions.c.state == "executing", _stands(), executions.c.id.in_(_watched()))
    carried = of_proposals.join(executions, executions.c.proposal_id == proposals.c.id).where(to_do)
    every = union(
        of_proposals.where(proposals.c.state.in_(_UNDECIDED)),
        carried,
        _ids(outbox.c.incident_id, outbox.c.state == "waiting"),
        _ids(feedback.c.incident_id, feedback.c.until_at > now),
        _ids(tunings.c.incident_id, tunings.c.until_at > now),
    ).subquery()
    return select(every.c.incident_id)


def _ids(column: ColumnElement[str], condition: ColumnElement[bool]) -> Select[str]:
    return select(column.label("incident_id")).where(column.is_not(None), condition)


def _watched() -> Select[str]:
    return select(watches.c.execution_id).where(watches.c.state == "watching")


def _stands() -> ColumnElement[bool]:
    """A temporary limit that was set, or may have been, and is not taken back yet."""
    undo = executions.alias("undo")
    undone = exists().where(
        undo.c.proposal_id == executions.c.proposal_id,
        undo.c.round == executions.c.round,
        undo.c.kind == "undo",
        undo.c.state == "done",
    )
    return and_(
        executions.c.kind == "apply",
        executions.c.state.in_(("done", "unknown")),
        executions.c.dry_run.is_(False),
        executions.c.undo_at.is_not(None),
        ~undone,
    )
