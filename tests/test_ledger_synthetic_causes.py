from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from ledger.errors import RefusedError
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
    UnpricedAlias,
    VolumeDrop,
    VolumeGrowth,
)
from ledger.synthetic.columns import PROMPT_COLUMNS, TEXT_COLUMNS, TOKEN_COLUMNS
from ledger.synthetic.cost import total_usd
from ledger.synthetic.inject import inject, rows_in
from ledger.synthetic.spec import OrganisationSpec
from ledger.synthetic.traffic import generate_usage
from ledger.window import HOUR, Window

SPEC = OrganisationSpec(seed=55, teams=8, weeks=3, billed_providers=("anthropic",))
ROWS = generate_usage(SPEC)
DAY = Window(SPEC.end_at - timedelta(days=5), SPEC.end_at - timedelta(days=4))
KEY = Scope.parse(["key_id=key-recommendations-prod-55a1"])
OPUS = Scope.parse(["model=claude-opus-4-6"])
BATCH = Scope.parse(["key_id=key-search-batch-530d"])
TEAM_MODEL = Scope.parse(["team=checkout", "model=gpt-4.1-mini"])

CAUSES: tuple[Cause, ...] = (
    RunawayLoop(target=KEY, window=DAY, magnitude=5),
    RetryStorm(target=KEY, window=DAY, magnitude=4),
    PromptBloat(target=KEY, window=DAY, magnitude=2.5),
    OutputBloat(target=KEY, window=DAY, magnitude=3),
    ModelSwitch(target=TEAM_MODEL, window=DAY, magnitude=1, to_model="gpt-4.1"),
    PriceChange(target=OPUS, window=DAY, magnitude=1.25),
    TokenizerChange(target=OPUS, window=DAY, magnitude=1.35, to_model="claude-opus-4-7"),
    CacheRegression(target=KEY, window=DAY, magnitude=0.9),
    TierChange(target=BATCH, window=DAY, magnitude=1),
    KeyLeak(target=KEY, window=DAY, magnitude=50),
    NewWorkload(target=KEY, window=DAY, magnitude=20, key_id="key-new-1", feature="voice-notes"),
    Backfill(target=KEY, window=DAY, magnitude=40),
    VolumeGrowth(target=Scope(), window=DAY, magnitude=0.4),
    CountedTwice(target=KEY, window=DAY, magnitude=1),
    VolumeDrop(target=KEY, window=DAY, magnitude=0.9),
    UnpricedAlias(target=TEAM_MODEL, window=DAY, magnitude=1, alias="acme-small"),
)
each_cause = pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: type(cause).__name__)


def changed_rows(cause: Cause) -> pd.DataFrame:
    """Rows of the target in its window after the cause."""
    rows = inject(ROWS, [cause], seed=1).rows
    inside = (rows["started_at"] >= cause.window.start_at) & (rows["started_at"] < cause.window.end_at)
    return rows[inside & rows_in(rows, cause.target)]


def per_request(rows: pd.DataFrame, *columns: str) -> float:
    return float(rows[list(columns)].to_numpy(np.float64).sum() / rows["requests"].sum())


@each_cause
def test_a_cause_changes_only_rows_of_its_target_and_window(cause: Cause) -> None:
    after = inject(ROWS, [cause], seed=1).rows
    keys = ["started_at", *TEXT_COLUMNS, "requests", *TOKEN_COLUMNS, "cost_usd"]
    both = ROWS[keys].merge(after[keys], how="outer", on=keys, indicator=True)
    changed = both[both["_merge"] != "both"]
    assert len(changed) > 0
    assert changed["started_at"].min() >= cause.window.start_at
    assert changed["started_at"].max() < cause.window.end_at
    touched = changed[changed["_merge"] == "left_only"]
    assert rows_in(touched, cause.target).all()


@each_cause
def test_the_recorded_delta_is_the_change_in_cost(cause: Cause) -> None:
    organisation = inject(ROWS, [cause], seed=1)
    (injected,) = organisation.injected
    change = Decimal(total_usd(organisation.rows) - total_usd(ROWS))
    assert abs(change - injected.delta_usd) < Decimal("0.02")
    drops = isinstance(cause, VolumeDrop | UnpricedAlias)
    assert (injected.delta_usd < -5) if drops else (injected.delta_usd > 5)


@each_cause
def test_the_same_seed_injects_the_same_rows(cause: Cause) -> None:
    pd.testing.assert_frame_equal(inject(ROWS, [cause], seed=1).rows, inject(ROWS, [cause], seed=1).rows)


@each_cause
def test_parts_stay_parts_of_the_whole(cause: Cause) -> None:
    rows = changed_rows(cause)
    assert (rows["failed_requests"] <= rows["requests"]).all()
    assert (rows["retried_requests"] <= rows["requests"]).all()
    assert (rows["reasoning_tokens"].fillna(0) <= rows["output_tokens"]).all()


@each_cause
def test_the_record_names_the_culprit_and_what_is_true_of_it(cause: Cause) -> None:
    (injected,) = inject(ROWS, [cause], seed=1).injected
    assert injected.cause == cause.name
    assert injected.scope == cause.culprit
    assert set(injected.identified_by) <= set(injected.accepted)
    assert injected.window.overlap(cause.window) == injected.window


def test_a_retry_storm_is_failed_and_retried_requests() -> None:
    rows = changed_rows(RetryStorm(target=KEY, window=DAY, magnitude=4))
    assert per_request(rows, "retried_requests") == pytest.approx(0.8, abs=0.02)
    assert per_request(rows, "failed_requests") == pytest.approx(0.76, abs=0.02)


def test_a_longer_prompt_comes_with_a_new_template_and_more_characters() -> None:
    before = changed_rows(PromptBloat(target=KEY, window=DAY, magnitude=1))
    after = changed_rows(PromptBloat(target=KEY, window=DAY, magnitude=2.5))
    for columns in (PROMPT_COLUMNS, ("input_characters",)):
        assert per_request(after, *columns) == pytest.approx(2.5 * per_request(before, *columns), rel=1e-3)
    assert per_request(after, "output_tokens") == per_request(before, "output_tokens")
    assert after["prompt_template"].str.endswith(".1").all()


def test_a_new_tokenizer_needs_more_tokens_for_the_same_characters() -> None:
    cause = TokenizerChange(target=OPUS, window=DAY, magnitude=1.35, to_model="claude-opus-4-7")
    after = inject(ROWS, [cause], seed=1).rows
    old, new = (after[after["model"] == model] for model in ("claude-opus-4-6", "claude-opus-4-7"))
    old, new = (rows[rows["input_characters"].notna() & (rows["team"] == "mobile")] for rows in (old, new))
    ratio = per_request(new, *PROMPT_COLUMNS) / per_request(old, *PROMPT_COLUMNS)
    assert ratio == pytest.approx(1.35, rel=0.02)
    assert per_request(new, "input_characters") == pytest.approx(
        per_request(old, "input_characters"), rel=0.02
    )


def test_a_lost_cache_keeps_the_number_of_prompt_tokens() -> None:
    before, after = (
        changed_rows(CacheRegression(target=KEY, window=DAY, magnitude=lost)) for lost in (0, 0.9)
    )
    assert after[list(PROMPT_COLUMNS)].sum(axis=None) == before[list(PROMPT_COLUMNS)].sum(axis=None)
    assert after["cache_read_tokens"].sum() == pytest.approx(
        0.1 * before["cache_read_tokens"].sum(), rel=1e-3
    )


def test_a_price_change_touches_billed_cost_alone() -> None:
    rows = changed_rows(PriceChange(target=OPUS, window=DAY, magnitude=1.25))
    billed = rows["cost_usd"].sum()
    assert billed == pytest.approx(1.25 * total_usd(rows.assign(cost_usd=float("nan"))), rel=1e-4)


def test_a_leaked_key_is_used_by_night_from_a_place_and_client_it_never_had() -> None:
    cause = KeyLeak(target=KEY, window=DAY, magnitude=50)
    stranger = changed_rows(cause).query("region == @cause.region")
    assert set(stranger["started_at"].dt.hour) == {22, 23, 0, 1, 2, 3}
    assert set(stranger["client"]) == {cause.client}
    assert not (ROWS["region"] == cause.region).any()
    assert total_usd(stranger) / len(stranger) == pytest.approx(50, rel=0.1)


def test_half_a_switch_leaves_half_the_requests_behind() -> None:
    whole = changed_rows(ModelSwitch(target=TEAM_MODEL, window=DAY, magnitude=0, to_model="gpt-4.1"))
    half = changed_rows(ModelSwitch(target=TEAM_MODEL, window=DAY, magnitude=0.5, to_model="gpt-4.1"))
    assert half["requests"].sum() == pytest.approx(0.5 * whole["requests"].sum(), rel=0.02)


def test_a_switch_of_rows_with_record_ids_keeps_ids_unique() -> None:
    rows = generate_usage(replace(SPEC, record_ids=True))
    cause = ModelSwitch(target=TEAM_MODEL, window=DAY, magnitude=0.5, to_model="gpt-4.1")
    assert inject(rows, [cause], seed=1).rows["record_id"].is_unique


def test_a_target_without_rows_is_refused() -> None:
    nobody = VolumeDrop(target=Scope.parse(["team=nobody"]), window=DAY, magnitude=1)
    with pytest.raises(RefusedError, match="no rows of team=nobody"):
        inject(ROWS, [nobody], seed=1)


def test_causes_add_up_when_they_do_not_overlap() -> None:
    first = RetryStorm(target=KEY, window=Window(DAY.start_at, DAY.start_at + 6 * HOUR), magnitude=4)
    second = VolumeDrop(target=TEAM_MODEL, window=DAY, magnitude=0.5)
    together = inject(ROWS, [first, second], seed=1)
    change = Decimal(total_usd(together.rows) - total_usd(ROWS))
    assert abs(change - sum(entry.delta_usd for entry in together.injected)) < Decimal("0.03")
