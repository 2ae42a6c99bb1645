"""Causes that change traffic which is there already. Each names its target, window and magnitude.

Causes that bring new rows are in `arrivals`; `inject` applies both kinds.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from ledger.scope import Scope
from ledger.synthetic.columns import COUNT_COLUMNS, PROMPT_COLUMNS
from ledger.synthetic.cost import rebilled
from ledger.synthetic.edits import moved_tokens, scaled_counts, scaled_traffic
from ledger.synthetic.models import BY_MODEL
from ledger.window import Window

CauseName = Literal[
    "runaway_loop", "retry_storm", "prompt_bloat", "output_bloat", "model_switch", "price_change",
    "tokenizer_change", "cache_regression", "tier_change", "key_leak", "new_workload", "backfill_or_batch",
    "volume_drop", "volume_growth", "accounting_artifact",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """Where a cause sets to work."""

    rows: pd.DataFrame
    """The target's rows inside the window."""
    history: pd.DataFrame
    """The target's rows before it."""
    rng: np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Something that happens to the rows of `target` inside `window`."""

    name: ClassVar[CauseName]
    adds_rows: ClassVar[bool] = False
    """Whether `change` returns rows to be added, instead of what the target's rows become."""
    target: Scope
    window: Window
    magnitude: float

    @property
    def culprit(self) -> Scope:
        """The scope a report should name."""
        return self.target

    def change(self, site: Site) -> pd.DataFrame:
        """What the rows of the site become, or the rows to add; nothing but the argument is used."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryStorm(Cause):
    """A client gives up too early and asks again: `magnitude` more requests for each, failed but billed."""

    name: ClassVar[CauseName] = "retry_storm"

    def change(self, site: Site) -> pd.DataFrame:
        more = scaled_traffic(site.rows, 1 + self.magnitude, site.rng)
        extra = more["requests"] - site.rows["requests"].reindex(more.index)
        base = site.rows.reindex(more.index)
        return more.assign(
            failed_requests=(base["failed_requests"] + (0.95 * extra).round()).astype("int64"),
            retried_requests=(base["retried_requests"] + extra).astype("int64"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptBloat(Cause):
    """A new prompt version makes every prompt `magnitude` times as long."""

    name: ClassVar[CauseName] = "prompt_bloat"

    def change(self, site: Site) -> pd.DataFrame:
        longer = scaled_counts(site.rows, (*PROMPT_COLUMNS, "input_characters"), self.magnitude)
        return longer.assign(prompt_template=longer["prompt_template"] + ".1")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputBloat(Cause):
    """Answers `magnitude` times as long."""

    name: ClassVar[CauseName] = "output_bloat"

    def change(self, site: Site) -> pd.DataFrame:
        return scaled_counts(
            site.rows, ("output_tokens", "reasoning_tokens", "output_characters"), self.magnitude
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSwitch(Cause):
    """The target, all on one model, moves to `to_model`; `magnitude` is the share of traffic that moves."""

    name: ClassVar[CauseName] = "model_switch"
    to_model: str

    @property
    def culprit(self) -> Scope:
        return Scope.of(tuple(pair for pair in self.target.items if pair[0] != "model"))

    def change(self, site: Site) -> pd.DataFrame:
        moved = _moving(site, self.magnitude)
        stayed = _difference(site.rows, moved)
        renamed = moved.assign(model=self.to_model, provider=BY_MODEL[self.to_model].provider)
        return pd.concat([stayed, rebilled(renamed, moved)])


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerChange(Cause):
    """Keys move to a model version that needs `magnitude` times the tokens for the same characters."""

    name: ClassVar[CauseName] = "tokenizer_change"
    to_model: str

    @property
    def culprit(self) -> Scope:
        return Scope((("model", self.to_model),))

    def change(self, site: Site) -> pd.DataFrame:
        columns = (*PROMPT_COLUMNS, "output_tokens", "reasoning_tokens")
        longer = scaled_counts(site.rows, columns, self.magnitude)
        return rebilled(longer.assign(model=self.to_model), longer)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange(Cause):
    """The provider bills `magnitude` times as much for the same tokens; only billed rows can show it."""

    name: ClassVar[CauseName] = "price_change"

    def change(self, site: Site) -> pd.DataFrame:
        return site.rows.assign(cost_usd=(site.rows["cost_usd"] * self.magnitude).round(6))


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRegression(Cause):
    """A share `magnitude` of cache reads become uncached input, at Anthropic partly new cache writes."""

    name: ClassVar[CauseName] = "cache_regression"

    def change(self, site: Site) -> pd.DataFrame:
        writes = site.rows["provider"] == "anthropic"
        parts = (
            moved_tokens(
                site.rows[which], from_column="cache_read_tokens", to_columns=where, share=self.magnitude
            )
            for which, where in (
                (writes, {"cache_write_5m_tokens": 0.3, "input_tokens": 0.7}),
                (~writes, {"input_tokens": 1.0}),
            )
        )
        return pd.concat(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChange(Cause):
    """A share `magnitude` of batch traffic is sent at the standard tier."""

    name: ClassVar[CauseName] = "tier_change"

    def change(self, site: Site) -> pd.DataFrame:
        moved = _moving(site, self.magnitude)
        return pd.concat(
            [_difference(site.rows, moved), rebilled(moved.assign(service_tier="standard"), moved)]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeDrop(Cause):
    """A share `magnitude` of requests is gone."""

    name: ClassVar[CauseName] = "volume_drop"

    def change(self, site: Site) -> pd.DataFrame:
        return scaled_traffic(site.rows, 1 - self.magnitude, site.rng)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeGrowth(Cause):
    """Organic growth: requests rise to 1 + `magnitude` times over a third of the window and stay there."""

    name: ClassVar[CauseName] = "volume_growth"

    def change(self, site: Site) -> pd.DataFrame:
        length = pd.Timedelta(self.window.end_at - self.window.start_at)
        progress = ((site.rows["started_at"] - pd.Timestamp(self.window.start_at)) / length).to_numpy(
            np.float64
        )
        reached = np.asarray(np.clip(progress * 3, 0, 1), dtype=np.float64)
        return scaled_traffic(site.rows, 1 + self.magnitude * reached, site.rng)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpricedAlias(Cause):
    """The model is called by a deployment name that no price book knows; `magnitude` is not used."""

    name: ClassVar[CauseName] = "accounting_artifact"
    alias: str

    def change(self, site: Site) -> pd.DataFrame:
        return site.rows.assign(model=self.alias)


def _moving(site: Site, share: float) -> pd.DataFrame:
    """The share of the traffic that leaves; where rows have record ids the parts need their own."""
    moving = scaled_traffic(site.rows, share, site.rng)
    return moving.assign(record_id=moving["record_id"] + "-m")


def _difference(rows: pd.DataFrame, moved: pd.DataFrame) -> pd.DataFrame:
    """What stays of `rows` when `moved` has left them; rows left without requests are gone."""
    left = 1 - (moved["requests"] / rows["requests"]).fillna(0).to_numpy(np.float64)
    stayed = scaled_counts(rows, COUNT_COLUMNS, left)
    return stayed[stayed["requests"] > 0]
