"""The small organisation of `tokensleuth demo`: 8 teams, 5 weeks, three incidents in the last one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ledger.scope import Scope
from ledger.synthetic.arrivals import KeyLeak
from ledger.synthetic.causes import Cause, ModelSwitch, RetryStorm
from ledger.synthetic.cost import priced_usd, without_unpriced_batch
from ledger.synthetic.files import FileFormat, write_injected, write_usage
from ledger.synthetic.inject import Organisation, inject, rows_in
from ledger.synthetic.spec import OrganisationSpec
from ledger.synthetic.traffic import generate_usage
from ledger.window import HOUR, Window

DEMO_SPEC = OrganisationSpec(
    seed=55,
    teams=8,
    weeks=5,
    end_at=datetime(2026, 11, 16, tzinfo=UTC),
    noise=0.08,
    odd_rhythms=("nightly", "month_start", "developer", "idle"),
)
"""No intermittent keys: whether their bursts are incidents is for the evals, not for a first look."""
DEMO_RANGE = Window(DEMO_SPEC.end_at - timedelta(weeks=1), DEMO_SPEC.end_at)
"""The week to investigate."""


class DemoFiles(NamedTuple):
    """Where `write_demo` put things."""

    usage: list[Path]
    injected: Path


def demo_organisation() -> Organisation:
    """A retry storm on Tuesday, a leaked key in the night to Thursday, and from Friday on a dearer model."""
    rows = without_unpriced_batch(generate_usage(DEMO_SPEC))
    return inject(rows, _demo_causes(rows), seed=DEMO_SPEC.seed)


def write_demo(folder: Path, *, file_format: FileFormat = "csv.gz") -> DemoFiles:
    """Write the demo's usage, one file per week, and what was injected into it."""
    organisation = demo_organisation()
    usage = write_usage(organisation.rows, folder, file_format=file_format, split_by="week")
    return DemoFiles(usage, write_injected(organisation.injected, folder))


def largest_key(rows: pd.DataFrame, scope: Scope) -> Scope:
    """The key of the scope that costs most."""
    spend = rows[rows_in(rows, scope)].assign(usd=priced_usd)
    return Scope((("key_id", str(spend.groupby("key_id")["usd"].sum().idxmax())),))


def _demo_causes(rows: pd.DataFrame) -> tuple[Cause, ...]:
    monday = DEMO_RANGE.start_at
    return (
        RetryStorm(
            target=largest_key(rows, Scope.parse(["team=data-platform"])),
            window=_hours(monday + 30 * HOUR, 6),
            magnitude=7,
        ),
        KeyLeak(
            target=largest_key(rows, Scope.parse(["team=mobile"])),
            window=_hours(monday + 70 * HOUR, 6),
            magnitude=90,
        ),
        ModelSwitch(
            target=Scope.parse(["team=checkout", "model=gpt-4.1-mini"]),
            window=Window(monday + 106 * HOUR, DEMO_RANGE.end_at),
            magnitude=1,
            to_model="gpt-4.1",
        ),
    )


def _hours(start_at: datetime, hours: int) -> Window:
    return Window(start_at, start_at + hours * HOUR)
