"""Runs added up by duty: how many ended how, and how long they took, for counters that never go back.

Retention keeps the tally of the runs it deletes in its audit entry, so that the sum is of all that ever were.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import ColumnElement, Connection, case, func, select

from tokensleuth.casebook.schema_acts import audit
from tokensleuth.casebook.schema_runs import runs

BOUNDS_S: Sequence[float] = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600)
"""Upper bounds of the buckets of run times; what takes longer is in the last, which has none."""

FORGOTTEN = "forgotten"
"""`what` of the audit entry of a retention run; its subject is RETENTION."""
RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class RunTally:
    """The ended runs of one duty."""

    done: int = 0
    failed: int = 0
    timed: int = 0
    """Those of them whose time is known."""
    seconds: float = 0.0
    """Theirs, added up."""
    within: tuple[int, ...] = (0,) * len(BOUNDS_S)
    """How many of them took no longer than each of BOUNDS_S."""

    def __add__(self, other: "RunTally") -> "RunTally":
        return RunTally(
            self.done + other.done,
            self.failed + other.failed,
            self.timed + other.timed,
            self.seconds + other.seconds,
            tuple(ours + theirs for ours, theirs in zip(self.within, other.within, strict=True)),
        )

    def as_json(self) -> dict[str, object]:
        return {
            "done": self.done,
            "failed": self.failed,
            "timed": self.timed,
            "seconds": self.seconds,
            "within": list(self.within),
        }

    @classmethod
    def of(cls, document: Mapping[str, object]) -> "RunTally":
        """From `as_json`; bounds that another version had are left out."""
        within = tuple(cast(Sequence[int], document["within"]))
        counts = {name: cast(int, document[name]) for name in ("done", "failed", "timed")}
        known = len(within) == len(BOUNDS_S)
        return cls(
            **counts,
            seconds=float(cast(float, document["seconds"])),
            within=within if known else (0,) * len(BOUNDS_S),
        )


def tally_runs(connection: Connection, *conditions: ColumnElement[bool]) -> dict[str, RunTally]:
    """By duty, of the ended runs that meet all conditions."""
    ended = runs.c.state.in_(("done", "failed"))
    within = [_count(runs.c.seconds <= bound).label(f"within_{n}") for n, bound in enumerate(BOUNDS_S)]
    statement = (
        select(
            runs.c.duty,
            _count(runs.c.state == "done").label("done"),
            _count(runs.c.state == "failed").label("failed"),
            func.count(runs.c.seconds).label("timed"),
            func.coalesce(func.sum(runs.c.seconds), 0.0).label("seconds"),
            *within,
        )
        .where(ended, *conditions)
        .group_by(runs.c.duty)
    )
    return {
        row["duty"]: RunTally(
            int(row["done"]),
            int(row["failed"]),
            int(row["timed"]),
            float(row["seconds"]),
            tuple(int(row[f"within_{n}"]) for n in range(len(BOUNDS_S))),
        )
        for row in connection.execute(statement).mappings()
    }


def forgotten_runs(connection: Connection) -> dict[str, RunTally]:
    """By duty, of the runs that retention deleted, by its audit entries."""
    return added(
        {duty: RunTally.of(tally) for duty, tally in one.items()}
        for one in forgotten(connection, "runs")
        if isinstance(one, dict)
    )


def forgotten(connection: Connection, what: str) -> list[object]:
    """What each retention run noted under this name."""
    statement = select(audit.c.document).where(audit.c.subject == RETENTION, audit.c.what == FORGOTTEN)
    return [
        cast(Mapping[str, object], document).get(what)
        for document in connection.scalars(statement.order_by(audit.c.number))
    ]


def added(tallies: Iterable[Mapping[str, RunTally]]) -> dict[str, RunTally]:
    """One tally per duty."""
    total: dict[str, RunTally] = {}
    for each in tallies:
        for duty, tally in each.items():
            total[duty] = total.get(duty, RunTally()) + tally
    return total


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
