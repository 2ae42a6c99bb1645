"""Accepted baselines in the casebook: rows are only added, the last one of a baseline is its state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import Connection, RowMapping, func, insert, select

from detectors.accepted import Baseline
from ledger.ids import fact_id
from ledger.scope import Dimension, Scope
from ledger.window import instant_text
from tokensleuth.casebook.schema import baseline_changes

BaselineState = Literal["accepted", "undone"]


@dataclass(frozen=True, slots=True)
class BaselineChange:
    """What somebody decided about the level of a scope, and the numbers they were shown."""

    state: BaselineState
    baseline: Baseline
    usual_usd_per_day: str
    """Decimal dollars: what the same hours cost before the change, usually."""
    level_usd_per_day: str
    """What they cost since."""
    reason: str | None
    decided_by: str
    decided_at: datetime

    @property
    def baseline_id(self) -> str:
        """Made from the facts: accepting the same change of the same scope again is the same baseline."""
        return fact_id("base", self.baseline.scope.items, self.baseline.from_at.isoformat())

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.baseline_id,
            "state": self.state,
            "scope": self.baseline.scope.as_dict(),
            "from_at": instant_text(self.baseline.from_at),
            "until_at": instant_text(self.baseline.until_at),
            "acts_from": instant_text(self.baseline.acts_from),
            "usual_usd_per_day": self.usual_usd_per_day,
            "level_usd_per_day": self.level_usd_per_day,
            "reason": self.reason,
            "decided_by": self.decided_by,
            "decided_at": instant_text(self.decided_at),
        }


def append_change(connection: Connection, change: BaselineChange) -> BaselineChange:
    """Add the row unless the baseline is in that state already; what is in the casebook then."""
    known = [other for other in read_baselines(connection) if other.baseline_id == change.baseline_id]
    if known and known[0].state == change.state:
        return known[0]
    connection.execute(insert(baseline_changes).values(_row(change)))
    return change


def read_baselines(connection: Connection) -> list[BaselineChange]:
    """The last change of each baseline, latest level first."""
    last = select(func.max(baseline_changes.c.number)).group_by(baseline_changes.c.baseline_id)
    statement = (
        select(baseline_changes)
        .where(baseline_changes.c.number.in_(last))
        .order_by(baseline_changes.c.from_at.desc(), baseline_changes.c.baseline_id)
    )
    return [_change(row) for row in connection.execute(statement).mappings()]


def _row(change: BaselineChange) -> Mapping[str, object]:
    copied = ("state", "usual_usd_per_day", "level_usd_per_day", "reason", "decided_by", "decided_at")
    return {name: getattr(change, name) for name in copied} | {
        "baseline_id": change.baseline_id,
        "scope": change.baseline.scope.as_dict(),
        "from_at": change.baseline.from_at,
        "until_at": change.baseline.until_at,
    }


def _change(row: RowMapping) -> BaselineChange:
    scope = Scope.of(cast(dict[Dimension, str], row["scope"]))
    return BaselineChange(
        state=row["state"],
        baseline=Baseline(scope, row["from_at"], row["until_at"]),
        usual_usd_per_day=row["usual_usd_per_day"],
        level_usd_per_day=row["level_usd_per_day"],
        reason=row["reason"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
    )
