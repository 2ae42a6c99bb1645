"""Incidents with seeds that nobody tuned anything on: every cause at other sizes, hours and organisations."""

from functools import partial

from evals.scenarios.organisations import BILLED, BURSTY, GROWING, LARGE, NOISY, SMALL, WIDE, seeded
from evals.scenarios.places import days, hours, to_the_end
from evals.scenarios.renaming import HOSTILE
from evals.scenarios.scenario import Scenario
from evals.scenarios.varied import Pick, cached_key, hit, key, model, only, project, team, team_on, together
from ledger.synthetic.arrivals import Backfill, KeyLeak, NewWorkload, RunawayLoop
from ledger.synthetic.causes import (
    CacheRegression,
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

BRAZIL = partial(KeyLeak, region="sa-east-1", client="curl/8.9")
SCRIPT = partial(KeyLeak, region="af-south-1", client="node-fetch/3")
OPUS_4_7 = partial(TokenizerChange, to_model="claude-opus-4-7")
OPUS = only("model=claude-opus-4-6")
NIGHTLY: Pick = key(0, "service_tier=batch")


def to_model(name: str) -> partial[ModelSwitch]:
    return partial(ModelSwitch, to_model=name)


def starts(key_id: str, feature: str) -> partial[NewWorkload]:
    return partial(NewWorkload, key_id=key_id, feature=feature)


def runs(feature: str) -> partial[Backfill]:
    return partial(Backfill, feature=feature)


_ONE_CAUSE = (
    Scenario("", seeded(301, SMALL), hit(key(1), RunawayLoop, hours(2, 13, 9), 8)),
    Scenario("", seeded(302, WIDE), hit(key(12), RunawayLoop, hours(0, 22, 30), 10)),
    Scenario("", seeded(303, GROWING), hit(key(4), RunawayLoop, to_the_end(5, 3), 7)),
    Scenario("", seeded(304, SMALL), hit(key(0), RetryStorm, hours(3, 10, 5), 6)),
    Scenario("", seeded(305, LARGE), hit(key(8), RetryStorm, hours(0, 14, 24), 4)),
    Scenario("", seeded(306, BILLED), hit(team(2), RetryStorm, hours(3, 8, 12), 3)),
    Scenario("", seeded(307, LARGE), hit(key(3), PromptBloat, to_the_end(2, 9), 2.2)),
    Scenario("", seeded(308, BILLED), hit(key(0), PromptBloat, hours(0, 10, 50), 1.8)),
    Scenario("", seeded(309, SMALL), hit(team(1), PromptBloat, days(1, 3), 2.5)),
    Scenario("", seeded(310, NOISY), hit(key(0), OutputBloat, to_the_end(3, 11), 3)),
    Scenario("", seeded(311, SMALL), hit(key(1), OutputBloat, hours(1, 9, 34), 4)),
    Scenario("", seeded(312, WIDE), hit(team(3), OutputBloat, days(2, 4), 2.2)),
    Scenario(
        "",
        seeded(313, LARGE),
        hit(team_on("claude-haiku-4-5"), to_model("claude-sonnet-4-5"), to_the_end(3, 0), 1),
    ),
    Scenario("", seeded(314), hit(team_on("gpt-5.4-mini"), to_model("gpt-5.4"), days(1, 4), 1)),
    Scenario(
        "", seeded(315, LARGE), hit(team_on("claude-sonnet-4-5"), to_model("claude-haiku-4-5"), days(2, 6), 1)
    ),
    Scenario("", seeded(316, BILLED), hit(model(1), PriceChange, to_the_end(2, 0), 1.3)),
    Scenario("", seeded(317, BILLED), hit(model(0), PriceChange, to_the_end(4, 0), 0.75)),
    Scenario(
        "",
        seeded(318, BILLED),
        hit(only("provider=anthropic"), PriceChange, days(3, 4), 1.15),
        days(3, 4),
        explain=True,
    ),
    Scenario("", seeded(319, LARGE), hit(OPUS, OPUS_4_7, to_the_end(1, 0), 1.35)),
    Scenario("", seeded(320, WIDE), hit(OPUS, OPUS_4_7, to_the_end(2, 6), 1.5)),
    Scenario("", seeded(321, LARGE), hit(OPUS, OPUS_4_7, to_the_end(3, 0), 1.35), days(3, 6), explain=True),
    Scenario("", seeded(322, LARGE), hit(cached_key(0), CacheRegression, to_the_end(2, 10), 1)),
    Scenario("", seeded(323, BILLED), hit(cached_key(1), CacheRegression, hours(0, 15, 60), 0.9)),
    Scenario("", seeded(324, WIDE), hit(cached_key(2), CacheRegression, days(1, 3), 0.95)),
    Scenario("", seeded(325, LARGE), hit(NIGHTLY, TierChange, days(1, 5), 1)),
    Scenario("", seeded(326, WIDE), hit(NIGHTLY, TierChange, days(1, 5), 1)),
    Scenario("", seeded(327, BILLED), hit(NIGHTLY, TierChange, days(0, 5), 1)),
    Scenario("", seeded(328, SMALL), hit(key(0), BRAZIL, hours(1, 22, 6), 40)),
    Scenario("", seeded(329, WIDE), hit(key(10, "provider=openai"), SCRIPT, hours(3, 22, 30), 150)),
    Scenario("", seeded(330, BILLED), hit(key(2), BRAZIL, hours(4, 23, 49), 60)),
    Scenario(
        "", seeded(331, SMALL), hit(team(0), starts("key-trial-prod-19ab", "meeting-notes"), days(2, 4), 12)
    ),
    Scenario(
        "",
        seeded(332, WIDE),
        hit(team(5), starts("key-beta-prod-0c4e", "shop-guide"), to_the_end(1, 7), 90),
    ),
    Scenario(
        "",
        seeded(333, BURSTY),
        hit(team(1), starts("key-alpha-prod-77aa", "contract-check"), to_the_end(0, 8), 30),
    ),
    Scenario("", seeded(334, LARGE), hit(key(5), runs("reindex-archive"), hours(2, 19, 11), 130)),
    Scenario("", seeded(335, SMALL), hit(key(1), runs("embed-tickets"), hours(4, 20, 14), 25)),
    Scenario("", seeded(336, BILLED), hit(key(3), runs("relabel-2025"), hours(5, 6, 20), 70)),
    Scenario("", seeded(337, LARGE), hit(project(1), VolumeDrop, hours(1, 10, 8), 0.95)),
    Scenario("", seeded(338), hit(only("provider=anthropic"), VolumeDrop, hours(3, 13, 7), 1)),
    Scenario("", seeded(339, SMALL), hit(key(0), VolumeDrop, to_the_end(3, 9), 0.9)),
    Scenario("", seeded(340, LARGE), hit(key(2), VolumeGrowth, days(0, 5), 1.6)),
    Scenario("", seeded(341, WIDE), hit(key(4), VolumeGrowth, to_the_end(1, 6), 2.2)),
    Scenario("", seeded(342, SMALL), hit(key(0), VolumeGrowth, to_the_end(1, 0), 1.3)),
)
_SEVERAL_CAUSES = (
    Scenario(
        "",
        seeded(343, LARGE),
        together(
            hit(key(2, "provider=anthropic"), SCRIPT, hours(2, 22, 6), 120),
            hit(team(3), VolumeDrop, hours(2, 9, 8), 0.97),
        ),
    ),
    Scenario(
        "",
        seeded(344, WIDE),
        together(
            hit(team_on("gpt-4o-mini"), to_model("gpt-4o"), to_the_end(2, 8), 1),
            hit(key(3), RetryStorm, hours(2, 12, 10), 5),
        ),
    ),
    Scenario(
        "",
        seeded(345, LARGE),
        together(hit(key(1), PromptBloat, days(2, 2), 4), hit(key(4), OutputBloat, days(2, 2), 5)),
        days(2, 2),
        explain=True,
    ),
    Scenario(
        "",
        seeded(346, LARGE),
        together(hit(key(4), RunawayLoop, hours(1, 11, 12), 6), hit(key(0), PromptBloat, days(4, 4), 2)),
    ),
)
_HOSTILE = (
    Scenario("", seeded(347, LARGE), hit(key(3), RetryStorm, hours(2, 9, 9), 6), renaming=HOSTILE),
    Scenario(
        "",
        seeded(348),
        hit(key(2, "provider=anthropic"), BRAZIL, hours(3, 22, 6), 70),
        renaming=HOSTILE,
    ),
)
INCIDENTS: tuple[Scenario, ...] = (*_ONE_CAUSE, *_SEVERAL_CAUSES, *_HOSTILE)
