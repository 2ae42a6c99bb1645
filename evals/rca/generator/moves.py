"""Causes that take use to other names: another model, its next version, another tier, an unpriced name."""

import numpy as np

from evals.rca.case import Mask
from evals.rca.generator.models import BY_NAME, SUCCESSORS, rates_pico
from evals.rca.generator.organisation import Rng
from evals.rca.generator.slices import Pins, draw_slice
from evals.rca.generator.strike import Marked, Strike, strike_either, strike_move, touched
from evals.rca.generator.traffic import INPUT, OUTPUT, Traffic, moved, scaled
from evals.rca.generator.world import World, onset_hours
from ledger.scope import Dimension, Scope

SWITCHING: tuple[Pins, ...] = (("team",), ("project",), ("feature",), ("team", "feature"), ("key_id",))
BATCHES: tuple[Pins, ...] = (
    ("service_tier", "key_id"),
    ("service_tier", "team"),
    ("service_tier", "feature"),
    ("service_tier", "project"),
)
LEAST_SWITCHERS = 3
DEPLOYED: tuple[Pins, ...] = (("key_id",), ("team", "model"), ("model",), ("key_id", "model"))


def draw_model_switch(rng: Rng, world: World) -> Strike | None:
    """Use of a slice on one model goes to another, dearer or cheaper."""
    around = draw_slice(rng, world, SWITCHING, share=(0.03, 0.5))
    if around is None:
        return None
    source = _main_model(world, around.streams)
    target = str(rng.choice([name for name in BY_NAME if name != source]))
    ratio = _price_ratio(world, source, target)
    if 0.6 < ratio < 1.5 or ratio > 30:
        return None
    leaving = around.streams & (world.window.column("model") == source)
    share = _part(rng, 0.6) * onset_hours(rng, world.window.hours)
    shorter = BY_NAME[source].characters_per_token / BY_NAME[target].characters_per_token
    after = _retokenised(world, moved(world.window, leaving, share, _model(target)), shorter)
    text = f"{source} to {target}, {share.max():.0%}"
    return strike_move(
        world, after, around, "model_switch", across=frozenset({"model", "provider"}), text=text
    )


def draw_tokenizer_change(rng: Rng, world: World) -> Strike | None:
    """Keys of several teams go to the next version of their model: the same price, more tokens for a text."""
    for source in map(str, rng.permutation(list(SUCCESSORS))):
        users = users_of(world, source)
        if len(users) >= LEAST_SWITCHERS:
            leaving = rng.permutation(users)[: max(LEAST_SWITCHERS, len(users) - int(rng.integers(0, 3)))]
            at_work = onset_hours(rng, world.window.hours)
            return switch_version(
                world, source, list(map(str, leaving)), float(rng.uniform(1.2, 1.5)), at_work
            )
    return None


def users_of(world: World, model: str) -> list[str]:
    """The keys that use a model in the window."""
    return sorted(set(map(str, world.window.column("key_id")[world.window.column("model") == model])))


def switch_version(world: World, source: str, keys: list[str], ratio: float, at_work: Mask) -> Strike:
    """These keys' use of a model goes to its successor, which needs `ratio` times the tokens."""
    target = SUCCESSORS[source]
    here = np.isin(world.window.column("key_id").astype(str), keys)
    leaving = here & (world.window.column("model") == source)
    after = _retokenised(world, moved(world.window, leaving, at_work * 1.0, _model(target)), ratio)
    seen = touched(world, after)
    marked = Marked(seen.gained, seen.lost | frozenset(world.related(list(seen.gained))))
    text = f"{len(keys)} keys from {source}, {ratio:.2f} tokens for one"
    return Strike(("tokenizer_change",), after, (marked,), Scope((("model", target),)), text)


def draw_tier_change(rng: Rng, world: World) -> Strike | None:
    """Batch use is sent in real time."""
    batch = world.window.column("service_tier") == "batch"
    hit = draw_slice(rng, world, BATCHES, share=(0.02, 0.5), among=batch)
    if hit is None:
        return None
    share = _part(rng, 0.7) * onset_hours(rng, world.window.hours)
    after = moved(world.window, hit.streams, share, {"service_tier": "standard"})
    text = f"{share.max():.0%} from batch to standard"
    return strike_move(world, after, hit, "tier_change", across=frozenset({"service_tier"}), text=text)


def draw_unpriced(rng: Rng, world: World) -> Strike | None:
    """Use is sent to a deployment name that no price book knows."""
    computed = ~world.is_billed(world.window.names)
    hit = draw_slice(rng, world, DEPLOYED, among=computed)
    if hit is None:
        return None
    source = _main_model(world, hit.streams)
    leaving = hit.streams & (world.window.column("model") == source)
    alias = f"prod-{source.replace('.', '')}-{int(rng.integers(1, 9))}"
    after = moved(world.window, leaving, onset_hours(rng, world.window.hours) * 1.0, {"model": alias})
    return strike_either(world, after, hit, "accounting_artifact", text=f"{source} called {alias}, unpriced")


def _part(rng: Rng, least: float) -> float:
    """All of it in half of the cases, else most of it."""
    return 1.0 if rng.random() < 0.5 else float(rng.uniform(least, 0.95))


def _main_model(world: World, streams: Mask) -> str:
    models = world.window.column("model")
    usd = {str(m): world.window_usd[streams & (models == m)].sum() for m in set(models[streams])}
    return max(sorted(usd), key=lambda m: usd[m])


def _model(name: str) -> dict[Dimension, str]:
    provider = BY_NAME[name].provider if name in BY_NAME else BY_NAME[_predecessor(name)].provider
    return {"model": name, "provider": provider}


def _predecessor(name: str) -> str:
    return next(old for old, new in SUCCESSORS.items() if new == name)


def _price_ratio(world: World, source: str, target: str) -> float:
    day = world.span.start_at.date()
    old, new = (rates_pico(BY_NAME[m].provider, m, "standard", day) for m in (source, target))
    return 1.0 if old is None or new is None else float((new[0] + new[-1]) / (old[0] + old[-1]))


def _retokenised(world: World, after: Traffic, factor: float) -> Traffic:
    """What was moved needs `factor` times the tokens."""
    arrived = np.arange(after.streams) >= world.window.streams
    return scaled(after, arrived, factor, tuple(range(INPUT, OUTPUT + 1)))
