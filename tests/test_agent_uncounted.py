"""Where a source counts no requests, causes that only requests tell are left open, and reports say so."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agent.finding import Finding
from agent.investigation import Deps, Subject, investigate_incident
from agent.measures import SetRateLimit
from evals.fake_anthropic_usage import fake_anthropic_usage
from ledger.reader import Reader
from ledger.scope import Scope
from ledger.synthetic.arrivals import KeyLeak, NewWorkload, RunawayLoop
from ledger.synthetic.causes import (
    CacheRegression,
    Cause,
    ModelSwitch,
    OutputBloat,
    PromptBloat,
    RetryStorm,
    TokenizerChange,
    VolumeDrop,
    VolumeGrowth,
)
from ledger.synthetic.inject import inject, rows_in
from ledger.synthetic.spec import OrganisationSpec
from ledger.synthetic.traffic import generate_usage
from ledger.window import HOUR, Window
from playbooks import load_playbooks
from tests.incident_documents import proposal_document
from tests.ledger_builder import reader_of
from tests.sync_cases import NOW, hour, syncing
from tokensleuth.terminal.proposals import consequences

PLAYBOOKS = load_playbooks()
SPEC = OrganisationSpec(seed=1, teams=6, usd_per_day=1500)
DAY = Window(SPEC.end_at - 120 * HOUR, SPEC.end_at - 96 * HOUR)
UNTOLD = {"runaway_loop", "retry_storm", "prompt_bloat", "output_bloat"}
SENTENCE = "so more requests and longer ones cannot be told apart"


@cache
def rows() -> pd.DataFrame:
    return generate_usage(SPEC)


def busiest(dimension: str, *filters: str, rank: int = 0) -> Scope:
    inside = rows()[rows_in(rows(), Scope.parse(filters))]
    tokens = inside.groupby(dimension)["input_tokens"].sum().sort_values(ascending=False)
    return Scope.parse([f"{dimension}={tokens.index[rank]}"])


def key() -> Scope:
    return busiest("key_id", rank=2)


def cached_key() -> Scope:
    cached = rows()[rows()["cache_read_tokens"] > 1.5 * rows()["input_tokens"]]
    return Scope.parse([f"key_id={cached.groupby('key_id')['cache_read_tokens'].sum().idxmax()}"])


def switch() -> Cause:
    mini = busiest("key_id", "model=gpt-4.1-mini").with_value("model", "gpt-4.1-mini")
    return ModelSwitch(target=mini, window=DAY, magnitude=1, to_model="gpt-4.1")


def told(cause: Cause, *, everywhere: bool) -> Finding:
    """Of an organisation without request counts, at all providers or at that of the culprit alone."""
    made = inject(rows(), [cause], seed=1)
    injected = made.injected[0]
    mask = pd.Series(True, index=made.rows.index)
    if not everywhere:
        theirs = made.rows[rows_in(made.rows, injected.scope)]["provider"]
        mask = made.rows["provider"].eq(theirs.mode().iloc[0])
    without = made.rows.copy()
    without.loc[mask, ["requests", "failed_requests", "retried_requests"]] = 0
    without.loc[mask, ["input_characters", "output_characters"]] = None
    return explained(reader_of(without), injected.window)


def explained(reader: Reader, window: Window) -> Finding:
    subject = Subject(incident_id="inc_1", window=window, explain=True)
    return investigate_incident(subject, Deps(reader, PLAYBOOKS, now=NOW), InMemorySaver()).finding


CASES: dict[str, tuple[Callable[[], Cause], str]] = {
    "loop": (lambda: RunawayLoop(target=key(), window=DAY, magnitude=6), "unknown"),
    "storm": (lambda: RetryStorm(target=key(), window=DAY, magnitude=5), "volume_growth"),
    "prompts": (lambda: PromptBloat(target=key(), window=DAY, magnitude=2.5), "unknown"),
    "answers": (lambda: OutputBloat(target=key(), window=DAY, magnitude=3), "unknown"),
    "tokenizer": (
        lambda: TokenizerChange(
            target=Scope.parse(["model=claude-opus-4-6"]),
            window=DAY,
            magnitude=1.35,
            to_model="claude-opus-4-7",
        ),
        "unknown",
    ),
    "switch": (switch, "model_switch"),
    "cache": (lambda: CacheRegression(target=cached_key(), window=DAY, magnitude=0.9), "cache_regression"),
    "leak": (lambda: KeyLeak(target=key(), window=DAY, magnitude=60), "key_leak"),
    "new": (
        lambda: NewWorkload(
            target=busiest("team"), window=DAY, magnitude=8, key_id="key-new", feature="summarise"
        ),
        "new_workload",
    ),
    "drop": (lambda: VolumeDrop(target=key(), window=DAY, magnitude=0.9), "volume_drop"),
    "growth": (lambda: VolumeGrowth(target=busiest("team"), window=DAY, magnitude=0.8), "volume_growth"),
}


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_only_what_tokens_tell_is_named(name: str, everywhere: bool) -> None:
    cause, expected = CASES[name]
    finding = told(cause(), everywhere=everywhere)
    assert finding.cause == expected
    assert not UNTOLD & {culprit.cause for culprit in finding.culprits}
    assert sum(effect.usd for effect in finding.effects) == finding.delta_usd
    assert SENTENCE in finding.report
    assert (finding.verdict == "inconclusive") == (expected == "unknown")


@dataclass(frozen=True, slots=True)
class Synced:
    """A month of two keys, pulled from Anthropic's usage report; the last day differs."""

    reader: Reader
    day: Window


def shape(number: int) -> float:
    return 1.0 if 8 <= hour(number).hour < 20 else 0.3


@pytest.fixture(params=[False, True], ids=["as people work", "at every hour alike"])
def synced(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Synced]:
    with syncing(tmp_path) as syncs, fake_anthropic_usage() as (fake, served):
        syncs.first_days = 30
        for number in range(1, 30 * 24):
            for key_id, size in (("apikey_1", 100), ("apikey_2", 150)):
                times = shape(number)
                if number <= 24 and key_id == "apikey_1":
                    times = times + 7 if request.param else 8 * times
                dims = {"api_key_id": key_id, "model": "claude-opus-4-1", "service_tier": "standard"}
                work = int(size * times * (1 + 0.02 * (number % 5)))
                fake.add(hour(number), dims, uncached=1000 * work, cache_read=500 * work, output=200 * work)
        syncs("anthropic", served, stream="messages")
        yield Synced(syncs.ledger.reader, Window(hour(24), hour(0)))


def test_eight_times_the_tokens_of_an_anthropic_key_are_no_runaway_loop(
    synced: Synced, request: pytest.FixtureRequest
) -> None:
    finding = explained(synced.reader, synced.day)
    even = "alike" in request.node.name
    assert finding.culprits[0].scope.as_dict()["key_id"] == "apikey_1"
    assert finding.cause == ("unknown" if even else "volume_growth")
    assert finding.culprits[0].playbook == ("unknown" if even else "volume_growth_by_tokens")
    assert SENTENCE in finding.report
    assert "| more requests or tokens |" in finding.report
    volume = next(e.usd for e in finding.effects if e.name == "volume")
    assert volume > Decimal("0.99") * finding.delta_usd
    assert not UNTOLD & {a.cause for a in finding.alternatives if a.confidence > 0}
    for proposal in finding.proposals:
        assert proposal.requests_refused_per_day is None
        if isinstance(proposal.measure, SetRateLimit):
            assert proposal.measure.requests_per_minute is None
            assert "How many requests it would have refused is not known" in finding.report
    assert any(isinstance(p.measure, SetRateLimit) for p in finding.proposals) is not even


def test_the_terminal_leaves_open_how_many_requests_are_refused() -> None:
    told_of = list(consequences(proposal_document("block_key", {}, expected_saving_usd_per_day="12.00")))
    assert told_of == ["saves $12.00 a day", "how many requests it refuses is not known", "can be undone"]
    nothing = list(consequences(proposal_document("block_key", {})))
    assert nothing == ["can be undone"]
