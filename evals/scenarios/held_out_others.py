"""Harmless weeks and faults of the books, with seeds that nobody tuned anything on."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from evals.scenarios.held_out_incidents import runs, starts
from evals.scenarios.misprice import Mispriced
from evals.scenarios.organisations import BASE, BILLED, BURSTY, GROWING, LARGE, NOISY, SMALL, WIDE, seeded
from evals.scenarios.places import MONTH_START, days, hours, to_the_end
from evals.scenarios.scenario import Scenario
from evals.scenarios.varied import again, everybody, hit, key, model, only, project, team, team_on
from ledger.synthetic.arrivals import CountedTwice, RunawayLoop
from ledger.synthetic.causes import UnpricedAlias, VolumeDrop, VolumeGrowth
from ledger.window import HOUR, Window

WEEKLY = [hours(day - 7 * ago, hour, 8) for ago, day, hour in ((3, 1, 9), (2, 3, 14), (1, 0, 20), (0, 2, 11))]
SATURDAYS = [hours(5 - 7 * ago, 4, 10) for ago in range(4)]
FIRSTS = [
    Window(at, at + 10 * HOUR)
    for at in (datetime(2026, 10, 1, 2, tzinfo=UTC), datetime(2026, 11, 1, 2, tzinfo=UTC))
]
"""Of the months: October's lies a good month before the range asked about."""


def deployed(alias: str) -> partial[UnpricedAlias]:
    return partial(UnpricedAlias, alias=alias)


_TWO_MONTHS = replace(BASE, weeks=8, odd_rhythms=("nightly", "intermittent", "developer", "idle"))
"""Work of month starts has a precedent here; the reports of the other organisations begin in the data."""
_QUIET = (
    Scenario("", seeded(401, SMALL)),
    Scenario("", seeded(402, LARGE)),
    Scenario("", seeded(403, WIDE)),
    Scenario("", seeded(404, NOISY)),
    Scenario("", seeded(405, GROWING)),
    Scenario("", seeded(406, BURSTY)),
    Scenario("", seeded(407, BILLED)),
    Scenario("", seeded(408), asked=days(5, 6)),
    Scenario("", seeded(409, LARGE), asked=days(1, 1), explain=True),
    Scenario("", seeded(411, replace(BURSTY, teams=16, usd_per_day=7000))),
)
_HABITS = (
    Scenario("", seeded(412), habit=again(key(3), runs("reindex-history"), WEEKLY, 50)),
    Scenario("", seeded(413, LARGE), habit=again(key(5), RunawayLoop, SATURDAYS, 4)),
    Scenario("", seeded(410, _TWO_MONTHS), asked=MONTH_START, habit=again(key(6), RunawayLoop, FIRSTS, 6)),
    Scenario("", seeded(414, _TWO_MONTHS), asked=MONTH_START, habit=again(key(2), RunawayLoop, FIRSTS, 4)),
)
_EVERYBODY = (
    Scenario("", seeded(415, LARGE), hit(everybody, VolumeGrowth, days(0, 4), 0.5), benign=True),
    Scenario("", seeded(416, WIDE), hit(everybody, VolumeGrowth, to_the_end(1, 6), 0.4), benign=True),
    Scenario("", seeded(417), hit(everybody, VolumeGrowth, to_the_end(0, 12), 0.8), benign=True),
)
_PLANNED = (
    Scenario(
        "",
        seeded(418),
        hit(team(1), starts("key-launch-prod-5d20", "price-finder"), days(1, 4), 40),
        planned=True,
    ),
    Scenario(
        "",
        seeded(419, SMALL),
        hit(team(0), starts("key-spring-prod-e1f4", "gift-helper"), to_the_end(2, 6), 15),
        planned=True,
    ),
    Scenario("", seeded(420, LARGE), hit(key(4), runs("rebuild-index"), hours(2, 18, 14), 120), planned=True),
    Scenario("", seeded(421), hit(key(2), runs("score-archive"), hours(5, 3, 20), 60), planned=True),
    Scenario("", seeded(422, LARGE), hit(team(2), VolumeGrowth, days(2, 5), 1.2), planned=True),
    Scenario("", seeded(423, WIDE), hit(everybody, VolumeDrop, days(2, 2), 0.8), planned=True),
    Scenario("", seeded(424), hit(team(0), VolumeDrop, hours(3, 8, 10), 0.95), planned=True),
)
BENIGN: tuple[Scenario, ...] = (*_QUIET, *_HABITS, *_EVERYBODY, *_PLANNED)

_RECORDED = replace(BASE, record_ids=True)
_COUNTED_TWICE = (
    Scenario("", seeded(501, replace(LARGE, record_ids=True)), hit(team(0), CountedTwice, days(1, 1), 1)),
    Scenario("", seeded(502, _RECORDED), hit(only("provider=openai"), CountedTwice, days(3, 4), 1)),
    Scenario("", seeded(503, BILLED), hit(project(2), CountedTwice, hours(1, 0, 36), 1)),
)
_NO_PRICE = (
    Scenario("", seeded(504), hit(model(1), deployed("prod-chat-eu"), to_the_end(3, 0), 1)),
    Scenario("", seeded(505, LARGE), hit(team_on("gpt-4.1"), deployed("aoai-frontline-2"), days(1, 4), 1)),
    Scenario("", seeded(506, WIDE), hit(model(0), deployed("house-model-large"), to_the_end(2, 9), 1)),
)
_WRONG_PRICE = (
    Scenario("", seeded(507), hit(only("model=claude-sonnet-4-5"), Mispriced, to_the_end(2, 0), 10)),
    Scenario("", seeded(508, LARGE), hit(model(0), Mispriced, to_the_end(3, 0), 0.6)),
    Scenario("", seeded(509, SMALL), hit(model(0), Mispriced, to_the_end(1, 0), 2.5)),
)
ARTIFACTS: tuple[Scenario, ...] = (*_COUNTED_TWICE, *_NO_PRICE, *_WRONG_PRICE)
