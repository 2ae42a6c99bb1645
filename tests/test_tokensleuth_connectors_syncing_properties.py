"""However a source tells it, and wherever a sync is cut off: the ledger ends up as after one clean load."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from evals.fake_anthropic_usage import FakeAnthropicUsage, fake_anthropic_usage
from evals.fake_litellm_spend import FakeLiteLlmSpend, fake_litellm_spend
from evals.fake_openai_usage import FakeOpenAiUsage, fake_openai_usage, later
from evals.fake_usage_facts import Pages
from evals.loopback import Loopback
from tests.sync_cases import HOUR, NOW, KilledError, Syncs, hour, syncing
from tests.usage_builder import FRESH_ROLL_UP, STORED_ROLL_UP
from tokensleuth.connectors.settings import SourceKind

HOURS = 36
"""All of them within the lookback."""
Move = Literal["forget", "tell late", "kill", "refuse", "repeat"]


@dataclass(frozen=True, slots=True)
class World:
    """A fake that things happen to."""

    kind: SourceKind
    stream: str
    served: Loopback
    happen: Callable[[Random], None]
    forget: Callable[[Random], None]
    page: Callable[[int, Callable[[list[JsonValue]], list[JsonValue]]], None]


@contextmanager
def world_of(kind: SourceKind) -> Iterator[World]:
    match kind:
        case "openai":
            with fake_openai_usage() as (openai, served):
                yield World(kind, "completions", served, *_openai(openai))
        case "anthropic":
            with fake_anthropic_usage() as (anthropic, served):
                yield World(kind, "messages", served, *_anthropic(anthropic))
        case "litellm":
            with fake_litellm_spend() as (litellm, served):
                yield World(kind, "spend-logs", served, *_litellm(litellm))


Parts = tuple[
    Callable[[Random], None],
    Callable[[Random], None],
    Callable[[int, Callable[[list[JsonValue]], list[JsonValue]]], None],
]


def _openai(fake: FakeOpenAiUsage) -> Parts:
    def happen(random: Random) -> None:
        fake.add(
            hour(random.randint(-4, HOURS)),
            api_key_id=f"key_{random.randint(1, 3)}",
            model=random.choice(["gpt-4o", "gpt-4o-mini"]),
            input_uncached=random.randint(0, 99),
            input_cached=random.randint(0, 9),
            output=random.randint(0, 9),
        )

    def forget(random: Random) -> None:
        facts = fake.facts.get("completions", [])
        if facts:
            facts.pop(random.randrange(len(facts)))

    return happen, forget, _paging(fake.pages)


def _anthropic(fake: FakeAnthropicUsage) -> Parts:
    def happen(random: Random) -> None:
        dims = {"api_key_id": f"key_{random.randint(1, 3)}", "model": "claude-sonnet-4-5"}
        fake.add(hour(random.randint(-4, HOURS)), dims, uncached=random.randint(1, 9), output=1)

    def forget(random: Random) -> None:
        if fake.facts:
            fake.facts.pop(random.randrange(len(fake.facts)))

    return happen, forget, _paging(fake.pages)


def _litellm(fake: FakeLiteLlmSpend) -> Parts:
    """What is logged stays logged; rows come late."""

    def happen(random: Random) -> None:
        at = hour(random.randint(-4, HOURS)) + timedelta(milliseconds=random.randint(0, 3_599_999))
        fake.add(f"r{len(fake.rows)}", at)

    def page(most: int, _reorder: object) -> None:
        fake.most = most

    return happen, happen, page


def _paging(pages: Pages) -> Callable[[int, Callable[[list[JsonValue]], list[JsonValue]]], None]:
    def page(most: int, reorder: Callable[[list[JsonValue]], list[JsonValue]]) -> None:
        pages.most, pages.reorder = most, reorder

    return page


def shuffled(random: Random) -> Callable[[list[JsonValue]], list[JsonValue]]:
    """In another order, some buckets twice."""

    def reorder(buckets: list[JsonValue]) -> list[JsonValue]:
        again = [bucket for bucket in buckets if random.random() < 0.3]
        return random.sample([*buckets, *again], len(buckets) + len(again))

    return reorder


def cut_off(syncs: Syncs, world: World, move: Move, random: Random, now_hours: int) -> None:
    """One sync that may not come to its end."""
    if move == "refuse":
        for _ in range(random.randint(1, 6)):
            world.served.fail(later(None), method="GET")
    syncs.opens_left = random.randint(0, 6) if move == "kill" else None
    with suppress(KilledError):
        syncs(world.kind, world.served, now=NOW + now_hours * HOUR, stream=world.stream)
    syncs.opens_left = None
    world.served.faults.clear()


@pytest.mark.parametrize("kind", ["openai", "anthropic", "litellm"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    moves=st.lists(st.sampled_from(["forget", "tell late", "kill", "refuse", "repeat"]), max_size=6),
)
def test_any_paging_order_repetition_lateness_and_kill_ends_as_one_clean_load(
    kind: SourceKind, seed: int, moves: Sequence[Move]
) -> None:
    random = Random(seed)  # noqa: S311
    with world_of(kind) as world, TemporaryDirectory() as folder:
        (Path(folder) / "clean").mkdir()
        with syncing(Path(folder)) as syncs, syncing(Path(folder) / "clean") as clean:
            for _ in range(random.randint(1, 25)):
                world.happen(random)
            for number, move in enumerate(moves):
                world.page(random.randint(1, 9), shuffled(random))
                cut_off(syncs, world, move, random, min(number, 4))
                (world.forget if move == "forget" else world.happen)(random)
            world.page(50, list)
            for target in (syncs, clean):
                found = target(kind, world.served, now=NOW + 5 * HOUR, stream=world.stream)[world.stream]
                assert (found.error, found.result.rejected) == (None, 0)
            assert syncs.totals() == clean.totals()
            assert syncs.rows(FRESH_ROLL_UP) == syncs.rows(STORED_ROLL_UP)
