"""Every cause the synthetic organisation can be given is named, with its culprit."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

import pandas as pd
import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agent.finding import Finding
from agent.investigation import Deps, Subject, investigate_incident
from ledger.scope import EVERYTHING, Scope
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
from ledger.synthetic.inject import Injected, inject, rows_in
from ledger.synthetic.spec import OrganisationSpec
from ledger.synthetic.traffic import generate_usage
from ledger.window import HOUR, Window
from playbooks import load_playbooks
from tests.ledger_builder import Cell, LedgerBuilder, at, reader_of, span

PLAYBOOKS = load_playbooks()
SPEC = OrganisationSpec(seed=1, teams=6, usd_per_day=1500, record_ids=True)
BILLED = OrganisationSpec(seed=1, teams=6, usd_per_day=1500, billed_providers=("openai", "anthropic"))
SILENT = OrganisationSpec(seed=1, teams=6, usd_per_day=1500, characters_share=0.0)


@cache
def _rows(spec: OrganisationSpec) -> pd.DataFrame:
    return generate_usage(spec)


def _hours(day: int, hour: int, length: int) -> Window:
    start_at: datetime = SPEC.end_at - timedelta(days=7 - day) + hour * HOUR
    return Window(start_at, start_at + length * HOUR)


def _busiest(dimension: str, *filters: str, rank: int = 0) -> Scope:
    rows = _rows(SPEC)
    inside = rows[rows_in(rows, Scope.parse(filters))]
    tokens = inside.groupby(dimension)["input_tokens"].sum().sort_values(ascending=False)
    return Scope.parse([f"{dimension}={tokens.index[rank]}"])


def _key() -> Scope:
    return _busiest("key_id", rank=2)


def _model_of(scope: Scope) -> str:
    rows = _rows(SPEC)
    return str(rows[rows_in(rows, scope)]["model"].iloc[0])


def _explained(spec: OrganisationSpec, cause: Cause) -> tuple[Finding, Injected]:
    organisation = inject(_rows(spec), [cause], seed=1)
    deps = Deps(reader_of(organisation.rows), PLAYBOOKS, now=SPEC.end_at)
    window = organisation.injected[0].window
    subject = Subject(incident_id="inc_1", window=window, scope=EVERYTHING, explain=True)
    return investigate_incident(subject, deps, InMemorySaver()).finding, organisation.injected[0]


DAY = _hours(2, 0, 24)
CASES: dict[str, tuple[OrganisationSpec, Callable[[], Cause]]] = {
    "loop": (SPEC, lambda: RunawayLoop(target=_key(), window=_hours(2, 9, 30), magnitude=6)),
    "storm": (SPEC, lambda: RetryStorm(target=_key(), window=_hours(2, 9, 8), magnitude=5)),
    "prompts": (SPEC, lambda: PromptBloat(target=_key(), window=DAY, magnitude=2.5)),
    "answers": (SPEC, lambda: OutputBloat(target=_key(), window=DAY, magnitude=3)),
    "switch": (
        SPEC,
        lambda: ModelSwitch(
            target=_busiest("key_id", "model=gpt-4.1-mini").with_value("model", "gpt-4.1-mini"),
            window=DAY,
            magnitude=1,
            to_model="gpt-4.1",
        ),
    ),
    "price": (
        BILLED,
        lambda: PriceChange(target=Scope.parse([f"model={_model_of(_key())}"]), window=DAY, magnitude=1.4),
    ),
    "tokenizer": (
        SPEC,
        lambda: TokenizerChange(
            target=Scope.parse(["model=claude-opus-4-6"]),
            window=DAY,
            magnitude=1.35,
            to_model="claude-opus-4-7",
        ),
    ),
    "tokenizer, no characters": (
        SILENT,
        lambda: TokenizerChange(
            target=Scope.parse(["model=claude-opus-4-6"]),
            window=DAY,
            magnitude=1.35,
            to_model="claude-opus-4-7",
        ),
    ),
    "cache": (SPEC, lambda: CacheRegression(target=_cached_key(), window=DAY, magnitude=0.9)),
    "tier": (
        SPEC,
        lambda: TierChange(
            target=_busiest("key_id", "service_tier=batch"), window=_hours(1, 0, 72), magnitude=1
        ),
    ),
    "leak": (SPEC, lambda: KeyLeak(target=_key(), window=_hours(2, 20, 10), magnitude=60)),
    "new": (
        SPEC,
        lambda: NewWorkload(
            target=_busiest("team"),
            window=_hours(1, 0, 48),
            magnitude=8,
            key_id="key-new",
            feature="summarise",
        ),
    ),
    "backfill": (SPEC, lambda: Backfill(target=_key(), window=_hours(2, 3, 20), magnitude=25)),
    "drop": (SPEC, lambda: VolumeDrop(target=_key(), window=_hours(3, 0, 24), magnitude=0.9)),
    "growth": (SPEC, lambda: VolumeGrowth(target=_busiest("team"), window=_hours(1, 0, 96), magnitude=0.8)),
    "alias": (
        SPEC,
        lambda: UnpricedAlias(
            target=_key().with_value("model", _model_of(_key())), window=DAY, magnitude=1, alias="prod-7"
        ),
    ),
    "twice": (SPEC, lambda: CountedTwice(target=_busiest("team"), window=DAY, magnitude=0.9)),
}


def _cached_key() -> Scope:
    rows = _rows(SPEC)
    cached = rows[rows["cache_read_tokens"] > 1.5 * rows["input_tokens"]]
    return Scope.parse([f"key_id={cached.groupby('key_id')['cache_read_tokens'].sum().idxmax()}"])


@pytest.mark.parametrize("name", CASES)
def test_the_cause_and_its_culprit_are_named(name: str) -> None:
    spec, build = CASES[name]
    finding, truth = _explained(spec, build())
    assert finding.cause == truth.cause
    assert finding.verdict in ("confirmed", "benign", "accounting_artifact")
    told = finding.culprits[0].scope.as_dict()
    assert set(told) & {*truth.scope.dimensions, *truth.identified_by}
    assert all(value in truth.accepted[d] for d, value in told.items())


def test_an_ordinary_day_is_normal_variation() -> None:
    deps = Deps(reader_of(_rows(SPEC)), PLAYBOOKS, now=SPEC.end_at)
    subject = Subject(incident_id="inc_1", window=_hours(1, 0, 24), explain=True)
    finding = investigate_incident(subject, deps, InMemorySaver()).finding
    assert (finding.cause, finding.verdict) == ("normal_variation", "benign")


def test_without_an_earlier_time_no_cause_is_named() -> None:
    reader = LedgerBuilder().run(Cell(), days=1).reader()
    deps = Deps(reader, PLAYBOOKS, now=at(2))
    subject = Subject(incident_id="inc_1", window=span(0), explain=True)
    finding = investigate_incident(subject, deps, InMemorySaver()).finding
    assert (finding.verdict, finding.cause) == ("inconclusive", "unknown")


def test_where_nothing_has_a_price_a_price_is_proposed() -> None:
    reader = LedgerBuilder().run(Cell(unpriced=True), days=35).reader()
    subject = Subject(incident_id="inc_1", window=span(30), explain=True)
    finding = investigate_incident(subject, Deps(reader, PLAYBOOKS, now=at(31)), InMemorySaver()).finding
    assert finding.cause == "accounting_artifact"
    assert finding.proposals[0].action == "fix_price"
    assert finding.unpriced_tokens > 0
