"""Random small ledgers for the digest: seeded organisations with gaps, unknown models, unnamed teams."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from ledger.ingest.load import LoadOptions
from ledger.ingest.scopes import Attribution
from ledger.prices.book import PriceBook
from ledger.prices.makers import provider_of
from ledger.scope import UNALLOCATED
from ledger.store import Ledger, open_ledger
from ledger.synthetic.files import write_usage
from ledger.synthetic.spec import OrganisationSpec
from ledger.synthetic.traffic import generate_usage
from ledger.window import HOUR
from tokensleuth.digest.week import Week

_MONDAYS = ("2026-06-29", "2026-07-06", "2026-10-26", "2026-11-02", "2027-01-04")
"""Ends of ledgers: weeks around the ends of months and of the year, and the changes of clocks."""


@dataclass(frozen=True, slots=True)
class RandomLedger:
    """A ledger, what its digest is asked about, and when."""

    ledger: Ledger
    weeks: tuple[Week, ...]
    team: str
    now: datetime


@contextmanager
def random_ledger(seed: int, folder: Path) -> Iterator[RandomLedger]:
    """Load it as a user would; the same seed gives the same ledger."""
    draw = random.Random(seed)  # noqa: S311 - seeded, so that a failure can be repeated
    end_at = datetime.fromisoformat(draw.choice(_MONDAYS)).replace(tzinfo=UTC)
    spec = OrganisationSpec(
        seed=seed,
        teams=draw.randint(3, 5),
        weeks=draw.randint(1, 4),
        end_at=end_at,
        usd_per_day=draw.choice((3.0, 300.0, 30_000.0)),
        keys_per_team=2,
        failure_rate=draw.choice((0.0, 0.01, 0.2)),
        billed_providers=draw.choice(((), ("openai",), ("anthropic", "openai"))),
        billed_discount=draw.choice((0.0, 0.13)),
    )
    rows = _disturbed(generate_usage(spec), draw, spec)
    files = write_usage(rows, folder / "usage", file_format="parquet")
    with open_ledger(folder / "ledger.duckdb") as ledger:
        options = LoadOptions(now=datetime(2027, 2, 1))  # noqa: DTZ001 - the form in which loads keep it
        attribution = Attribution(provider_of, lambda _: UNALLOCATED)
        for path in files:
            ledger.load(path, options, attribution=attribution, book=PriceBook())
        last = Week.of(end_at - HOUR)
        weeks = tuple({last, last.before, Week.of(spec.window.start_at)})
        now = end_at + HOUR * draw.choice((7, -53, 24 * 9))
        over = tuple(sorted(week for week in weeks if week.window.start_at < now - HOUR))
        yield RandomLedger(ledger, over, str(rows["team"].dropna().iloc[0]), now)


def _disturbed(rows: pd.DataFrame, draw: random.Random, spec: OrganisationSpec) -> pd.DataFrame:
    """Some rows without a team, a model nobody has a price for, hours in which nothing came in."""
    rng = np.random.default_rng([spec.seed, 77])
    changed = rows.copy()
    changed["team"] = changed["team"].astype("object")
    changed["model"] = changed["model"].astype("object")
    if draw.random() < 0.6:
        changed.loc[rng.random(len(changed)) < 0.05, "team"] = None
    if draw.random() < 0.5:
        changed.loc[rng.random(len(changed)) < 0.02, "model"] = "model-without-price"
    if draw.random() < 0.5:
        start = spec.window.start_at + timedelta(hours=draw.randrange(spec.window.hours))
        inside = (changed["started_at"] >= start) & (changed["started_at"] < start + 9 * HOUR)
        changed = changed[~inside]
    return changed
