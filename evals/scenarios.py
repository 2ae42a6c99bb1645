"""The seeded scenarios: an organisation, what happens to it, and the range somebody asks about.

Names are numbers, so that nothing the program sees gives the answer away.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pandas as pd

from ledger.scope import Scope
from ledger.synthetic.arrivals import Backfill, CountedTwice, KeyLeak, NewWorkload, RunawayLoop
from ledger.synthetic.causes import (
    CacheRegression,
    Cause,
    ModelSwitch,
    OutputBloat,
    PriceChange,
    PromptBloat,
    RetryStorm,
    TierChange,
    TokenizerChange,
    VolumeDrop,
    VolumeGrowth,
)
from ledger.synthetic.cost import priced_usd, without_unpriced_batch
from ledger.synthetic.inject import Organisation, inject, rows_in
from ledger.synthetic.spec import OrganisationSpec
from ledger.synthetic.traffic import generate_usage
from ledger.window import HOUR, Window

END_AT = datetime(2026, 11, 16, tzinfo=UTC)
LAST_WEEK = Window(END_AT - timedelta(weeks=1), END_AT)
MONTH_START = Window(datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC))

Plot = Callable[[pd.DataFrame], Sequence[Cause]]
"""From the rows of an ordinary organisation to what happens in it."""


def nothing(_: pd.DataFrame) -> Sequence[Cause]:
    return ()


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    spec: OrganisationSpec
    plot: Plot = field(default=nothing)
    asked: Window = LAST_WEEK
    explain: bool = False
    """Whether the range itself is the incident (`--explain`), as where no detector can see the change."""

    def organisation(self) -> Organisation:
        rows = without_unpriced_batch(generate_usage(self.spec))
        return inject(rows, self.plot(rows), seed=self.spec.seed)


def hours(day: int, hour: int, length: int) -> Window:
    """`length` hours from a weekday (0 is Monday) and hour of the last week."""
    start_at = LAST_WEEK.start_at + (24 * day + hour) * HOUR
    return Window(start_at, start_at + length * HOUR)


def largest(rows: pd.DataFrame, dimension: str, *filters: str, rank: int = 0) -> Scope:
    """The value of the dimension that costs most (or second, third ...) among the rows, as a scope."""
    inside = rows[rows_in(rows, Scope.parse(filters))]
    spend = priced_usd(inside).groupby(inside[dimension]).sum().sort_values(ascending=False)
    return Scope.parse([f"{dimension}={spend.index[rank]}"])


def retries(rows: pd.DataFrame) -> Sequence[Cause]:
    return (RetryStorm(target=largest(rows, "key_id", rank=3), window=hours(1, 9, 7), magnitude=8),)


def switch(rows: pd.DataFrame) -> Sequence[Cause]:
    team = largest(rows, "team", "model=gpt-4.1-mini")
    target = team.with_value("model", "gpt-4.1-mini")
    return (ModelSwitch(target=target, window=hours(2, 10, 48), magnitude=1, to_model="gpt-4.1"),)


def leak(rows: pd.DataFrame) -> Sequence[Cause]:
    key = largest(rows, "key_id", "model=claude-sonnet-4-5")
    return (KeyLeak(target=key, window=hours(2, 20, 10), magnitude=80),)


def loop(rows: pd.DataFrame) -> Sequence[Cause]:
    return (RunawayLoop(target=largest(rows, "key_id", rank=6), window=hours(4, 15, 20), magnitude=9),)


def longer_prompts(rows: pd.DataFrame) -> Sequence[Cause]:
    return (PromptBloat(target=largest(rows, "key_id", rank=2), window=hours(1, 8, 60), magnitude=3),)


def longer_answers(rows: pd.DataFrame) -> Sequence[Cause]:
    return (OutputBloat(target=largest(rows, "key_id", rank=1), window=hours(2, 8, 48), magnitude=3.5),)


def cold_cache(rows: pd.DataFrame) -> Sequence[Cause]:
    cached = rows[rows["cache_read_tokens"] > 2 * rows["input_tokens"]]
    return (CacheRegression(target=largest(cached, "key_id"), window=hours(1, 12, 72), magnitude=0.95),)


def dearer_model(rows: pd.DataFrame) -> Sequence[Cause]:
    return (
        PriceChange(target=largest(rows, "model"), window=Window(END_AT - 60 * HOUR, END_AT), magnitude=1.6),
    )


def new_tokenizer(_: pd.DataFrame) -> Sequence[Cause]:
    old = Scope.parse(["model=claude-opus-4-6"])
    window = Window(END_AT - 96 * HOUR, END_AT)
    return (TokenizerChange(target=old, window=window, magnitude=1.4, to_model="claude-opus-4-7"),)


def off_batch(rows: pd.DataFrame) -> Sequence[Cause]:
    key = largest(rows, "key_id", "service_tier=batch")
    return (TierChange(target=key, window=hours(1, 0, 96), magnitude=1),)


def launch(rows: pd.DataFrame) -> Sequence[Cause]:
    team = largest(rows, "team", rank=1)
    start = NewWorkload(
        target=team, window=hours(1, 0, 72), magnitude=35, key_id="key-pilot-prod-77c1", feature="voice-notes"
    )
    return (start,)


def catch_up(rows: pd.DataFrame) -> Sequence[Cause]:
    return (Backfill(target=largest(rows, "key_id", rank=4), window=hours(3, 18, 9), magnitude=110),)


def outage(rows: pd.DataFrame) -> Sequence[Cause]:
    return (VolumeDrop(target=largest(rows, "team"), window=hours(2, 9, 10), magnitude=0.97),)


def twice(rows: pd.DataFrame) -> Sequence[Cause]:
    return (CountedTwice(target=largest(rows, "team", rank=1), window=hours(2, 0, 24), magnitude=1),)


def success(_: pd.DataFrame) -> Sequence[Cause]:
    return (VolumeGrowth(target=Scope(), window=hours(1, 0, 96), magnitude=0.6),)


def two_at_once(rows: pd.DataFrame) -> Sequence[Cause]:
    return (*retries(rows), *longer_answers(rows))


_BASE = OrganisationSpec(teams=10, weeks=5, end_at=END_AT, usd_per_day=4000)
_LARGE = replace(_BASE, teams=24, usd_per_day=9000)


def _spec(seed: int, base: OrganisationSpec = _BASE) -> OrganisationSpec:
    return replace(base, seed=seed)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("case-01", _spec(101), longer_answers),
    Scenario("case-02", _spec(102)),
    Scenario("case-03", _spec(103), leak),
    Scenario("case-04", _spec(104), catch_up),
    Scenario("case-05", _spec(105), retries),
    Scenario("case-06", _spec(106, replace(_BASE, billed_providers=("openai", "anthropic"))), dearer_model),
    Scenario("case-07", _spec(107), switch),
    Scenario("case-08", _spec(108), loop),
    Scenario("case-09", _spec(109), outage),
    Scenario("case-10", _spec(110, _LARGE), new_tokenizer),
    Scenario("case-11", _spec(111), asked=MONTH_START),
    Scenario("case-12", _spec(207), cold_cache),
    Scenario("case-13", _spec(113), launch),
    Scenario("case-14", _spec(114), longer_prompts),
    Scenario("case-15", _spec(115, replace(_BASE, record_ids=True)), twice),
    Scenario("case-16", _spec(211), off_batch),
    Scenario("case-17", _spec(117, _LARGE), success),
    Scenario("case-18", _spec(118, _LARGE), two_at_once),
)
