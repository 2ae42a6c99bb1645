"""What `sync` really brings, held against each other: usage and bills of both providers, over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evals import fake_anthropic_usage as anthropic
from evals import fake_openai_usage as openai
from evals.fake_anthropic_usage import FakeAnthropicUsage
from evals.fake_openai_usage import FakeOpenAiUsage
from ledger.prices.book import PriceBook
from ledger.window import Window
from tests.reconciling_cases import Source
from tests.sync_cases import DAY, HOUR, NOW, Syncs, syncing
from tokensleuth.reconciling.completeness import completeness
from tokensleuth.reconciling.judging import Judged
from tokensleuth.reconciling.reconciled import Parts, reconcile

MIDNIGHT = NOW.replace(hour=0, minute=0)
FIRST = MIDNIGHT - 2 * DAY
FEEDS = (Source("openai"), Source("anthropic"))


@pytest.fixture
def syncs(tmp_path: Path) -> Iterator[Syncs]:
    with syncing(tmp_path) as found:
        yield found


def judged(syncs: Syncs) -> list[Judged]:
    parts = Parts(FEEDS, PriceBook(), PriceBook())
    return list(reconcile(syncs.ledger, parts, Window(FIRST, FIRST + DAY), NOW).judged)


def day_of_gpt(fake: FakeOpenAiUsage) -> None:
    """24 million uncached tokens at 2.50, 48 million cached at 1.25, 2.4 million of output at 10."""
    for number in range(-1, 24):
        fake.add(
            FIRST + number * HOUR, project_id="proj_1", model="gpt-4o",
            input_uncached=1_000_000, input_cached=2_000_000, output=100_000, requests=10,
        )  # fmt: skip


def test_openai_s_bill_agrees_with_its_usage(syncs: Syncs) -> None:
    with openai.fake_openai_usage() as (fake, served):
        day_of_gpt(fake)
        fake.costs = [
            openai.DayCost(FIRST, "proj_1", "gpt-4o, input", 60.0, 24e6),
            openai.DayCost(FIRST, "proj_1", "gpt-4o, cached input", 60.0, 48e6),
            openai.DayCost(FIRST, "proj_1", "gpt-4o, output", 24.0, 2.4e6),
            openai.DayCost(FIRST, "proj_1", "web search tool calls", 7.0),
        ]
        syncs("openai", served)
    (found,) = judged(syncs)
    assert (found.status, found.item.gap_pico) == ("agrees", 0)


def test_openai_s_bill_counts_more_than_came(syncs: Syncs) -> None:
    with openai.fake_openai_usage() as (fake, served):
        day_of_gpt(fake)
        fake.costs = [
            openai.DayCost(FIRST, "proj_1", "gpt-4o, input", 75.0, 30e6),
            openai.DayCost(FIRST, "proj_1", "gpt-4o, cached input", 60.0, 48e6),
            openai.DayCost(FIRST, "proj_2", "gpt-4o, output", 24.0, 2.4e6),
        ]
        syncs("openai", served)
    (found,) = judged(syncs)
    assert found.explained is not None
    assert found.explained.reason == "missing_usage"
    assert found.explained.told == "the bill counts 80,400,000 tokens, the ledger 74,400,000"


def day_of_sonnet(fake: FakeAnthropicUsage) -> None:
    """24 million at 3, 48 million reads at 0.30, 2.4 million writes at 3.75, as many answers at 15."""
    dims = {"model": "claude-sonnet-4-5-20250929", "workspace_id": "wrkspc_1", "api_key_id": "apikey_1"}
    for number in range(-1, 24):
        at = FIRST + number * HOUR
        fake.add(at, dims, uncached=1_000_000, cache_read=2_000_000, write_5m=100_000, output=100_000)


def test_anthropic_s_cents_agree_with_its_usage(syncs: Syncs) -> None:
    with anthropic.fake_anthropic_usage() as (fake, served):
        day_of_sonnet(fake)
        fake.costs = [
            anthropic.DayCost(FIRST, "wrkspc_1", f"Claude Sonnet 4.5 Usage - {what}", cents)
            for what, cents in (
                ("Input Tokens", "7200.00"),
                ("Input Tokens, Cache Read", "1440.00"),
                ("Input Tokens, Cache Write", "900.0"),
                ("Output Tokens", "3600"),
            )
        ]
        syncs("anthropic", served)
    (found,) = judged(syncs)
    assert (found.status, found.item.gap_pico) == ("agrees", 0)


def test_a_first_day_of_which_only_a_part_was_pulled_is_not_judged(syncs: Syncs) -> None:
    """The first pull begins 3 days ago to the hour; the bill of that day is whole."""
    with openai.fake_openai_usage() as (fake, served):
        begin = MIDNIGHT - 3 * DAY
        for number in range(24):
            fake.add(begin + number * HOUR, model="gpt-4o", input_uncached=1_000_000)
        fake.costs = [openai.DayCost(begin, None, "gpt-4o, input", 60.0, 24e6)]
        syncs("openai", served)
    parts = Parts(FEEDS, PriceBook(), PriceBook())
    found = reconcile(syncs.ledger, parts, Window(begin, begin + DAY), NOW)
    assert not found.judged
    assert [each.why for each in found.waiting] == ["usage of openai begins at 2026-11-19 09:00 UTC"]


def test_a_failing_report_holds_the_day_and_detection_back(syncs: Syncs) -> None:
    with openai.fake_openai_usage() as (fake, served):
        day_of_gpt(fake)
        syncs("openai", served, stream="completions")
        syncs("openai", served, stream="costs")
        fake.stops_at = MIDNIGHT
        syncs("openai", served, now=NOW + 5 * HOUR, stream="completions")
    found = completeness(syncs.ledger, FEEDS, NOW + 5 * HOUR)
    assert found.complete_until is not None
    assert found.complete_until <= NOW
    assert found.waits[0].endswith("detection waits")
