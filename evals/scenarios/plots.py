"""What happens in the cases that were there while the product was made: one plot a cause, at one size."""

from collections.abc import Sequence

import pandas as pd

from evals.scenarios.places import END_AT, hours, largest
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
from ledger.window import HOUR, Window


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
