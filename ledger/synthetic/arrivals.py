"""Causes that bring rows which were not there: loops, leaks, new workloads, backfills, double counting."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from ledger.scope import Scope
from ledger.synthetic.causes import Cause, CauseName, Site
from ledger.synthetic.edits import added_traffic, main_scope, moved_tokens, usd_per_request
from ledger.synthetic.shapes import Hours, shape
from ledger.window import Window

NIGHT_HOURS_UTC = (22, 23, 0, 1, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunawayLoop(Cause):
    """A loop calls round the clock, `magnitude` times the key's mean active hour, on top of the usual."""

    name: ClassVar[CauseName] = "runaway_loop"
    adds_rows: ClassVar[bool] = True

    def change(self, site: Site) -> pd.DataFrame:
        like = main_scope(site.history)
        requests = self.magnitude * float(like["requests"].mean())
        return added_traffic(like, hours=hours_of(self.window), requests=requests, rng=site.rng)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLeak(Cause):
    """A stranger uses the key by night from a new place and client; `magnitude` is USD per hour used."""

    name: ClassVar[CauseName] = "key_leak"
    adds_rows: ClassVar[bool] = True
    region: str = "ap-southeast-3"
    client: str = "python-requests/2.32"

    def change(self, site: Site) -> pd.DataFrame:
        like = main_scope(site.history)
        hours = hours_of(self.window)
        return added_traffic(
            like,
            hours=hours[hours.hour.isin(NIGHT_HOURS_UTC)],
            requests=self.magnitude / usd_per_request(like),
            changes={"region": self.region, "client": self.client, "prompt_template": None},
            rng=site.rng,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWorkload(Cause):
    """A team starts something new under a new key, in office hours; `magnitude` is its mean USD per hour."""

    name: ClassVar[CauseName] = "new_workload"
    adds_rows: ClassVar[bool] = True
    key_id: str
    feature: str

    @property
    def culprit(self) -> Scope:
        return self.target.with_value("key_id", self.key_id)

    def change(self, site: Site) -> pd.DataFrame:
        like = main_scope(site.history)
        hours = hours_of(self.window)
        curve = shape("office", _since_1970(hours), utc_offset_hours=0, rng=site.rng)
        return added_traffic(
            like,
            hours=hours,
            requests=curve * self.magnitude / usd_per_request(like),
            changes={"key_id": self.key_id, "feature": self.feature, "prompt_template": f"{self.feature}@v1"},
            rng=site.rng,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill(Cause):
    """A known key works through the past in one go, at the batch tier; `magnitude` is USD per hour."""

    name: ClassVar[CauseName] = "backfill_or_batch"
    adds_rows: ClassVar[bool] = True
    feature: str = "reindex-history"

    def change(self, site: Site) -> pd.DataFrame:
        like = _uncached(main_scope(site.history))
        changes = {"service_tier": "batch", "feature": self.feature, "prompt_template": f"{self.feature}@v1"}
        requests = self.magnitude / usd_per_request(like.assign(service_tier="batch"))
        return added_traffic(
            like, hours=hours_of(self.window), requests=requests, changes=changes, rng=site.rng
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTwice(Cause):
    """An export is loaded again under other record ids: a share `magnitude` of the rows counts twice."""

    name: ClassVar[CauseName] = "accounting_artifact"
    adds_rows: ClassVar[bool] = True

    def change(self, site: Site) -> pd.DataFrame:
        again = site.rows[site.rng.random(len(site.rows)) < self.magnitude]
        ids = [f"export-{int(site.rng.integers(16**6)):06x}-{position}" for position in range(len(again))]
        return again.assign(record_id=pd.Series(ids, index=again.index, dtype="str"))


def hours_of(window: Window) -> pd.DatetimeIndex:
    """Every hour of the window."""
    return pd.date_range(window.start_at, window.end_at, freq="h", inclusive="left", unit="us")


def _uncached(rows: pd.DataFrame) -> pd.DataFrame:
    """Batches read nothing from the cache."""
    reads = {"input_tokens": 1.0}
    for column in ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"):
        rows = moved_tokens(rows, from_column=column, to_columns=reads, share=1)
    return rows


def _since_1970(hours: pd.DatetimeIndex) -> Hours:
    return ((hours - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(hours=1)).to_numpy(np.int64)
