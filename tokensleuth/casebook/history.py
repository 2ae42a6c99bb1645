"""The casebook as the agent remembers it: incidents of the past and what people decided about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import cast

from sqlalchemy import Connection, RowMapping, Select, select

from ledger.scope import Dimension, Scope
from ledger.window import Window
from tokensleuth.casebook.baselines import BaselineChange, read_baselines
from tokensleuth.casebook.opening import plain_errors
from tokensleuth.casebook.records import is_whole_range
from tokensleuth.casebook.schema import incidents, proposals
from tokensleuth.casebook.store import Casebook
from tools.past_incidents import Decided, PastIncident

MOST_INCIDENTS = 1000


@dataclass(frozen=True, slots=True)
class CasebookHistory:
    """A `History` over the casebook; it only reads."""

    casebook: Casebook

    def incidents_before(self, at: datetime) -> Sequence[PastIncident]:
        """The latest incidents that ended at or before `at`; a proposal open then is told by its expiry."""
        engine = self.casebook.engine
        with plain_errors(engine), engine.begin() as connection:
            found = connection.execute(_latest(at)).mappings().all()
            decided = _decisions(connection, at)
            accepted = [change for change in read_baselines(connection) if change.state == "accepted"]
        return [
            _past(row, decided.get(row["id"], ()), accepted) for row in found if not is_whole_range(dict(row))
        ]


def _latest(at: datetime) -> Select[tuple[object, ...]]:
    return (
        select(incidents)
        .where(incidents.c.end_at <= at)
        .order_by(incidents.c.end_at.desc(), incidents.c.id)
        .limit(MOST_INCIDENTS)
    )


def _decisions(connection: Connection, at: datetime) -> Mapping[str, Sequence[Decided]]:
    """By incident, in the order proposed; what a later investigation no longer proposed is left out."""
    latest = _latest(at).with_only_columns(incidents.c.id)
    statement = (
        select(proposals.c.incident_id, proposals.c.action, proposals.c.state, proposals.c.expires_at)
        .where(proposals.c.incident_id.in_(latest), proposals.c.state != "superseded")
        .order_by(proposals.c.proposed_at, proposals.c.rank, proposals.c.id)
    )
    found: dict[str, list[Decided]] = {}
    for row in connection.execute(statement).mappings():
        lapsed = row["state"] == "pending" and row["expires_at"] <= at
        state = "expired" if lapsed else row["state"]
        found.setdefault(row["incident_id"], []).append(Decided(row["action"], state))
    return found


def _past(row: RowMapping, decided: Sequence[Decided], accepted: Sequence[BaselineChange]) -> PastIncident:
    window = Window(row["start_at"], row["end_at"])
    scope = Scope.of(cast(dict[Dimension, str], row["scope"]))
    covering = [change for change in accepted if _covers(change, scope, window)]
    return PastIncident(
        id=row["id"],
        window=window,
        scope=scope,
        cause=row["cause"],
        verdict=row["verdict"],
        delta_usd=Decimal(row["delta_usd"]),
        decisions=(*decided, *(Decided("accept_baseline", "accepted") for _ in covering[:1])),
        note=next((change.reason for change in covering if change.reason), None),
        saved_at=row["saved_at"],
    )


def _covers(change: BaselineChange, scope: Scope, window: Window) -> bool:
    """Whether somebody who had seen the incident called the level it rose to normal."""
    level = Window(change.baseline.from_at, change.baseline.until_at)
    return change.baseline.scope.contains(scope) and level.overlap(window) is not None
