from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from ledger.errors import RefusedError
from ledger.scope import DIMENSIONS
from ledger.synthetic.columns import COUNT_COLUMNS, IDENTITY_COLUMNS, USAGE_COLUMNS
from ledger.synthetic.cost import total_usd
from ledger.synthetic.shapes import noise_factors, shape
from ledger.synthetic.spec import OrganisationSpec
from ledger.synthetic.traffic import generate_usage

SPEC = OrganisationSpec(seed=7, teams=6, weeks=3)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return generate_usage(SPEC)


def test_the_same_seed_gives_the_same_rows(rows: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(generate_usage(SPEC), rows)


def test_another_seed_gives_other_rows(rows: pd.DataFrame) -> None:
    assert not generate_usage(replace(SPEC, seed=8)).equals(rows)


def test_rows_have_the_columns_of_a_usage_file_and_no_others(rows: pd.DataFrame) -> None:
    assert tuple(rows.columns) == USAGE_COLUMNS
    assert set(DIMENSIONS) < set(USAGE_COLUMNS)


def test_there_is_one_row_per_hour_and_scope(rows: pd.DataFrame) -> None:
    assert not rows.duplicated(list(IDENTITY_COLUMNS)).any()


def test_instants_are_whole_hours_inside_the_window(rows: pd.DataFrame) -> None:
    assert (rows["started_at"] == rows["started_at"].dt.floor("h")).all()
    assert rows["started_at"].min() >= SPEC.window.start_at
    assert rows["started_at"].max() < SPEC.window.end_at


def test_counts_are_not_negative_and_parts_are_not_larger_than_the_whole(rows: pd.DataFrame) -> None:
    assert (rows[list(COUNT_COLUMNS)].fillna(0) >= 0).all(axis=None)
    assert (rows["requests"] > 0).all()
    assert (rows["failed_requests"] <= rows["requests"]).all()
    assert (rows["retried_requests"] <= rows["requests"]).all()
    assert (rows["reasoning_tokens"].fillna(0) <= rows["output_tokens"]).all()


def test_only_anthropic_writes_to_the_cache(rows: pd.DataFrame) -> None:
    writes = rows["cache_write_5m_tokens"] + rows["cache_write_1h_tokens"]
    assert set(rows.loc[writes > 0, "provider"]) == {"anthropic"}


def test_spend_is_what_the_spec_asked_for(rows: pd.DataFrame) -> None:
    assert total_usd(rows) / (7 * SPEC.weeks) == pytest.approx(SPEC.usd_per_day, rel=0.1)


def test_key_ids_do_not_look_like_secrets(rows: pd.DataFrame) -> None:
    assert rows["key_id"].str.fullmatch(r"key-[a-z-]+(-\d+)?-(prod|batch|reports|dev|old)-[0-9a-f]{4}").all()


def test_some_teams_log_characters_and_others_do_not(rows: pd.DataFrame) -> None:
    logged = rows.groupby("team")["input_characters"].agg(lambda values: values.notna().mean())
    assert set(logged) == {0.0, 1.0}


def test_billed_cost_is_the_list_price_less_the_discount() -> None:
    billed = generate_usage(replace(SPEC, billed_providers=("openai",), billed_discount=0.2))
    openai = billed[billed["provider"] == "openai"]
    assert billed.loc[billed["provider"] != "openai", "cost_usd"].isna().all()
    assert openai["cost_usd"].sum() == pytest.approx(
        0.8 * total_usd(openai.assign(cost_usd=np.nan)), rel=1e-4
    )


def test_record_ids_are_unique_when_asked_for() -> None:
    assert generate_usage(replace(SPEC, record_ids=True))["record_id"].is_unique


@pytest.mark.parametrize("teams", [2, 201])
def test_sizes_out_of_range_are_refused(teams: int) -> None:
    with pytest.raises(RefusedError, match=f"3 to 200 teams, not {teams}"):
        OrganisationSpec(teams=teams)


def test_an_end_within_an_hour_is_refused() -> None:
    with pytest.raises(RefusedError, match="whole hour"):
        OrganisationSpec(end_at=datetime(2026, 11, 16, 0, 30, tzinfo=UTC))


def test_offices_are_busy_by_local_day_and_quiet_at_weekends() -> None:
    curve = shape("office", SPEC.hours, utc_offset_hours=-8, rng=np.random.default_rng(0))
    local_days = curve[8:-16].reshape(-1, 24)
    assert [int(day.argmax()) for day in local_days[:2]] == [11, 11]
    assert local_days[5].sum() < 0.2 * local_days[1].sum()


def test_month_start_reports_run_on_the_first_two_days() -> None:
    curve = shape("month_start", SPEC.hours, utc_offset_hours=0, rng=np.random.default_rng(0))
    days = pd.to_datetime(SPEC.hours * 3600, unit="s").day
    assert curve[days <= 2].sum() > 0.8 * curve.sum()


def test_noise_is_centred_on_one() -> None:
    factors = noise_factors(20, 2000, sigma=0.1, rng=np.random.default_rng(0))
    assert factors.mean() == pytest.approx(1, abs=0.01)
    assert np.log(factors).std() == pytest.approx(0.1, rel=0.1)
