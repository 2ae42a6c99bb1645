"""Workloads to hourly usage rows: requests by shape, growth and noise, then tokens and characters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.synthetic.columns import PROMPT_COLUMNS, shaped
from ledger.synthetic.cost import priced_usd
from ledger.synthetic.models import usd_per_token
from ledger.synthetic.plan import Workload, plan_workloads
from ledger.synthetic.shapes import Floats, noise_factors, shape
from ledger.synthetic.spec import OrganisationSpec
from ledger.window import WEEK_HOURS

Ints = npt.NDArray[np.int64]

_TRAFFIC_STREAM = 1_000_003
"""Tells the random stream of traffic from those of the teams, which are numbered from 0."""
_REQUEST_SPREAD = 0.35
"""Relative spread of tokens per request; a mean over n requests spreads by the root of n less."""
_HOURLY_SPREAD = 0.02
_LARGEST_SPREAD = 0.3


def generate_usage(spec: OrganisationSpec) -> pd.DataFrame:
    """The organisation's usage in the columns of a usage file, one row per hour and scope with traffic."""
    workloads = plan_workloads(spec)
    rng = np.random.default_rng([spec.seed, _TRAFFIC_STREAM])
    requests = rng.poisson(_expected_requests(workloads, spec, rng)).astype(np.int64)
    which, when = np.nonzero(requests)
    rows = _scope_columns(workloads, which)
    rows["started_at"] = pd.to_datetime(spec.hours[when] * 3600, unit="s", utc=True)
    for name, counts in _counts(workloads, which, requests[which, when], spec, rng).items():
        rows[name] = counts
    rows["cost_usd"] = np.nan
    frame = shaped(rows)
    return _with_identity(_billed(frame, spec), spec)


@dataclass(frozen=True, slots=True)
class TokenShape:
    """Mean tokens per request of each class, after what the provider caches."""

    input: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float
    output: float


def token_shape(workload: Workload) -> TokenShape:
    """Only Anthropic charges for cache writes; agents keep theirs for an hour."""
    feature, cached = workload.feature, workload.feature.cached_share
    if workload.service_tier == "batch":
        cached = 0.0
    written = cached * 0.12 if workload.facts.provider == "anthropic" else 0.0
    kept_long = feature.name == "agent-tasks"
    return TokenShape(
        input=feature.prompt_tokens * (1 - cached - written),
        cache_read=feature.prompt_tokens * cached,
        cache_write_5m=0.0 if kept_long else feature.prompt_tokens * written,
        cache_write_1h=feature.prompt_tokens * written if kept_long else 0.0,
        output=feature.output_tokens / (1 - workload.facts.reasoning_share),
    )


def usd_per_request(workload: Workload) -> float:
    tokens, tier, model = token_shape(workload), workload.service_tier, workload.facts.model
    return (
        tokens.input * usd_per_token(model, "input", service_tier=tier)
        + tokens.cache_read * usd_per_token(model, "cache_read", service_tier=tier)
        + tokens.cache_write_5m * usd_per_token(model, "cache_write_5m", service_tier=tier)
        + tokens.cache_write_1h * usd_per_token(model, "cache_write_1h", service_tier=tier)
        + tokens.output * usd_per_token(model, "output", service_tier=tier)
    )


def _expected_requests(
    workloads: Sequence[Workload], spec: OrganisationSpec, rng: np.random.Generator
) -> Floats:
    """Mean requests of each workload in each hour."""
    hours = spec.hours
    shapes = np.stack(
        [shape(w.rhythm, hours, utc_offset_hours=w.utc_offset_hours, rng=rng) for w in workloads]
    )
    growth = np.array([[w.growth_per_week] for w in workloads])
    weeks = (np.arange(len(hours)) - len(hours) / 2) / WEEK_HOURS
    requests_per_hour = np.array([[w.usd_per_hour / usd_per_request(w)] for w in workloads])
    noise = noise_factors(*shapes.shape, sigma=spec.noise, rng=rng)
    return np.asarray(requests_per_hour * shapes * np.exp(growth * weeks) * noise, dtype=np.float64)


def _scope_columns(workloads: Sequence[Workload], which: Ints) -> pd.DataFrame:
    scopes = pd.DataFrame(
        {
            "provider": [w.facts.provider for w in workloads],
            "model": [w.facts.model for w in workloads],
            "team": [w.team for w in workloads],
            "project": [w.project for w in workloads],
            "key_id": [w.key_id for w in workloads],
            "user": pd.Series([w.user for w in workloads], dtype="str"),
            "feature": [w.feature.name for w in workloads],
            "region": [w.region for w in workloads],
            "service_tier": [w.service_tier for w in workloads],
            "client": [w.client for w in workloads],
            "prompt_template": [w.prompt_template for w in workloads],
        }
    )
    return scopes.take(which).reset_index(drop=True)


def _counts(
    workloads: Sequence[Workload],
    which: Ints,
    requests: Ints,
    spec: OrganisationSpec,
    rng: np.random.Generator,
) -> dict[str, pd.Series]:
    """The count columns of each row; prompt and answer sizes wander a little from hour to hour."""
    spread = np.minimum(_REQUEST_SPREAD / np.sqrt(requests) + _HOURLY_SPREAD, _LARGEST_SPREAD)
    prompt_size, answer_size = (np.exp(spread * rng.standard_normal(len(requests))) for _ in range(2))
    shapes = [token_shape(w) for w in workloads]
    failed = rng.binomial(requests, spec.failure_rate)

    def total(means: Sequence[float], size: Floats) -> pd.Series:
        return pd.Series(np.rint(np.asarray(means)[which] * requests * size).astype(np.int64))

    counts = {
        "requests": pd.Series(requests),
        "failed_requests": pd.Series(failed),
        "retried_requests": pd.Series(rng.binomial(failed, 0.6)),
        "input_tokens": total([s.input for s in shapes], prompt_size),
        "cache_read_tokens": total([s.cache_read for s in shapes], prompt_size),
        "cache_write_5m_tokens": total([s.cache_write_5m for s in shapes], prompt_size),
        "cache_write_1h_tokens": total([s.cache_write_1h for s in shapes], prompt_size),
        "output_tokens": total([s.output for s in shapes], answer_size),
    }
    return counts | _optional_counts(workloads, which, counts)


def _optional_counts(
    workloads: Sequence[Workload], which: Ints, counts: dict[str, pd.Series]
) -> dict[str, pd.Series]:
    """Reasoning where the model reasons, characters where the team's gateway logs them; null elsewhere."""
    reasoning = np.array([w.facts.reasoning_share for w in workloads])[which]
    logged = pd.Series(np.array([w.logs_characters for w in workloads])[which])
    per_token = np.array([w.feature.characters_per_token for w in workloads])[which]
    prompt = pd.DataFrame(counts)[list(PROMPT_COLUMNS)].sum(axis=1)
    answer = counts["output_tokens"] * (1 - reasoning)
    return {
        "reasoning_tokens": _whole(counts["output_tokens"] * reasoning).where(pd.Series(reasoning > 0)),
        "input_characters": _whole(prompt * per_token).where(logged),
        "output_characters": _whole(answer * per_token).where(logged),
    }


def _whole(values: pd.Series) -> pd.Series:
    return values.round().astype("Int64")


def _billed(frame: pd.DataFrame, spec: OrganisationSpec) -> pd.DataFrame:
    billed = frame["provider"].isin(spec.billed_providers)
    cost = (priced_usd(frame) * (1 - spec.billed_discount)).round(6)
    return frame.assign(cost_usd=cost.where(billed))


def _with_identity(frame: pd.DataFrame, spec: OrganisationSpec) -> pd.DataFrame:
    if not spec.record_ids:
        return frame
    ids = [f"rec-{spec.seed:x}-{position:08x}" for position in range(len(frame))]
    return frame.assign(record_id=pd.Series(ids, dtype="str"))
