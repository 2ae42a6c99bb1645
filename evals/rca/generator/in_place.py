"""Causes that change rows which are there: volume, failures, lengths, the cache, prices.

Each function draws a slice and a size and returns what came of it, or None where there is no room for it.
"""

import numpy as np

from evals.rca.case import Floats, Ints, Mask
from evals.rca.generator.organisation import Rng
from evals.rca.generator.slices import Pins, draw_slice
from evals.rca.generator.strike import Strike, strike_rows
from evals.rca.generator.traffic import (
    ALL,
    CACHE_READ,
    FAILED,
    INPUT,
    INPUT_CHARS,
    OUTPUT,
    OUTPUT_CHARS,
    PROMPT,
    REQUESTS,
    RETRIED,
    WRITE_5M,
    Traffic,
    repriced,
    scaled,
    shifted_tokens,
)
from evals.rca.generator.world import World, onset_hours
from ledger.window import WEEK_HOURS
from playbooks import Cause

KEY: tuple[Pins, ...] = (
    ("key_id",),
    ("key_id", "feature"),
    ("key_id", "model"),
    ("key_id", "feature", "model"),
)
GROUP: tuple[Pins, ...] = (("team",), ("project",), ("feature",), ("team", "feature"), ("team", "region"))
DROPPING: tuple[Pins, ...] = (*KEY[:2], *GROUP, ("client",))
CALLING: tuple[Pins, ...] = (
    *(("client",), ("region",), ("model",), ("provider",)),
    *(("client", "region"), ("team", "client"), ("team", "model"), ("team", "client", "region")),
    *KEY[:2],
)
ASKING: tuple[Pins, ...] = (*GROUP[:4], *KEY[:2], ("feature", "model"), ("team", "feature", "model"))
ANSWERING: tuple[Pins, ...] = (*GROUP[:4], *KEY[:2], ("model",), ("feature", "model"))
CACHING: tuple[Pins, ...] = (
    *(("client",), ("feature",), ("team",), ("key_id",)),
    *(("team", "client"), ("client", "model"), ("team", "model"), ("team", "feature", "client")),
)
PRICED: tuple[Pins, ...] = (("model",), ("provider",), ("model", "service_tier"))


def draw_runaway_loop(rng: Rng, world: World) -> Strike | None:
    """Machine-like calls round the clock on top of a key's use."""
    hit = draw_slice(rng, world, KEY, share=(0.004, 0.25))
    if hit is None:
        return None
    rate = float(rng.uniform(2.5, 9))
    mean = world.history.counts[:, hit.streams][..., -WEEK_HOURS:].mean(axis=2)
    per_hour = np.repeat(mean[:, :, None], world.window.hours, axis=2) * rate
    wobble = 1 + 0.04 * rng.standard_normal(world.window.hours)
    counts = world.window.counts.copy()
    counts[:, hit.streams] += np.rint(per_hour * wobble * onset_hours(rng, world.window.hours)).astype(
        np.int64
    )
    after = _consistent(world.window, counts)
    return strike_rows(world, after, hit, "runaway_loop", text=f"loop at {rate:.1f} times its mean hour")


def draw_key_surge(rng: Rng, world: World) -> Strike | None:
    """A key's own traffic multiplies: nothing in the rows tells a loop from demand."""
    hit = draw_slice(rng, world, KEY, share=(0.004, 0.25))
    if hit is None:
        return None
    factor = float(rng.uniform(2.2, 8))
    after = scaled(world.window, hit.streams, _factors(rng, world, factor))
    return strike_rows(
        world, after, hit, "runaway_loop", "volume_growth", text=f"{factor:.1f} times the requests"
    )


def draw_group_growth(rng: Rng, world: World) -> Strike | None:
    hit = draw_slice(rng, world, GROUP, share=(0.03, 0.45))
    if hit is None:
        return None
    factor = float(rng.uniform(1.4, 2.5))
    after = scaled(world.window, hit.streams, _factors(rng, world, factor))
    alone = len(set(world.window.column("key_id")[hit.streams])) == 1
    causes: tuple[Cause, ...] = ("volume_growth", "runaway_loop") if alone else ("volume_growth",)
    return strike_rows(world, after, hit, *causes, text=f"{factor:.2f} times the requests")


def draw_volume_drop(rng: Rng, world: World) -> Strike | None:
    hit = draw_slice(rng, world, DROPPING, share=(0.04, 0.45))
    if hit is None:
        return None
    left = 0.0 if rng.random() < 0.4 else float(rng.uniform(0.05, 0.5))
    after = scaled(world.window, hit.streams, _factors(rng, world, left))
    return strike_rows(world, after, hit, "volume_drop", text=f"{left:.2f} of the requests left")


def draw_retry_storm(rng: Rng, world: World) -> Strike | None:
    """Attempts fail and are sent again; the prompt is billed each time, the answer sometimes."""
    hit = draw_slice(rng, world, CALLING, share=(0.02, 0.5))
    if hit is None:
        return None
    again = _factors(rng, world, float(rng.uniform(0.5, 3.0)), off=0.0)
    answered = float(rng.choice([0.1, 0.4, 1.0]))
    window = scaled(world.window, hit.streams, 1 + again, (REQUESTS, *PROMPT, INPUT_CHARS))
    window = scaled(window, hit.streams, 1 + again * answered, (OUTPUT, OUTPUT_CHARS))
    counts = window.counts.copy()
    extra = window.counts[REQUESTS] - world.window.counts[REQUESTS]
    counts[FAILED] += np.rint(float(rng.uniform(0.85, 0.98)) * extra).astype(np.int64)
    counts[RETRIED] += extra
    text = f"{again.max():.1f} more attempts for each request, {answered:.0%} of them answered"
    return strike_rows(world, _consistent(window, counts), hit, "retry_storm", text=text)


def draw_prompt_growth(rng: Rng, world: World) -> Strike | None:
    """Longer prompts: the whole prompt in step, or only the part that is not cached."""
    hit = draw_slice(rng, world, ASKING, share=(0.03, 0.45))
    if hit is None:
        return None
    factor = _factors(rng, world, float(rng.uniform(1.35, 3.0)))
    if rng.random() < 0.7:
        after = scaled(world.window, hit.streams, factor, (*PROMPT, INPUT_CHARS))
        return strike_rows(
            world, after, hit, "prompt_bloat", text=f"prompts {factor.max():.2f} times as long"
        )
    after = _with_context(world, hit.streams, factor)
    text = f"prompts {factor.max():.2f} times as long, none of it cached"
    return strike_rows(world, after, hit, "prompt_bloat", text=text)


def draw_output_growth(rng: Rng, world: World) -> Strike | None:
    hit = draw_slice(rng, world, ANSWERING, share=(0.03, 0.5))
    if hit is None:
        return None
    factor = _factors(rng, world, float(rng.uniform(1.5, 4.0)))
    after = scaled(world.window, hit.streams, factor, (OUTPUT, OUTPUT_CHARS))
    return strike_rows(world, after, hit, "output_bloat", text=f"answers {factor.max():.2f} times as long")


def draw_cache_collapse(rng: Rng, world: World) -> Strike | None:
    """Cached prompt parts are sent in full; where writes are billed apart, some are written in vain."""
    hit = draw_slice(rng, world, CACHING, share=(0.03, 0.5))
    if hit is None:
        return None
    lost = np.minimum(_factors(rng, world, float(rng.uniform(0.7, 1.0)), off=0.0), 1.0)
    writes = world.window.column("provider") == "anthropic"
    window = world.window
    for streams, shares in (
        (hit.streams & writes, {WRITE_5M: 0.3, INPUT: 0.7}),
        (hit.streams & ~writes, {INPUT: 1.0}),
    ):
        window = shifted_tokens(window, streams, lost, CACHE_READ, shares)
    return strike_rows(world, window, hit, "cache_regression", text=f"{lost.max():.0%} of cache reads lost")


def draw_price_change(rng: Rng, world: World) -> Strike | None:
    """The provider bills another price for a model, or for all of its models."""
    billed = world.is_billed(world.window.names)
    hit = draw_slice(rng, world, PRICED, share=(0.04, 0.6), among=billed)
    if hit is None:
        return None
    factor = float(rng.uniform(1.1, 1.8) if rng.random() < 0.8 else rng.uniform(0.6, 0.88))
    after = repriced(world.window, hit.streams, _factors(rng, world, factor, wobble=0))
    return strike_rows(world, after, hit, "price_change", text=f"billed at {factor:.2f} times the price")


def grown_everywhere(rng: Rng, world: World) -> Traffic:
    """Organic growth: every key by about the same factor."""
    factor = float(rng.uniform(1.12, 1.6))
    keys = world.window.column("key_id").astype(str)
    by_key = {key: factor * float(rng.lognormal(0, 0.03)) for key in sorted(set(keys))}
    growth = np.array([by_key[key] for key in keys])[:, None]
    return scaled(world.window, np.ones(world.window.streams, dtype=bool), growth)


def _factors(rng: Rng, world: World, factor: float, *, off: float = 1.0, wobble: float = 0.03) -> Floats:
    """The factor by hour, `off` before the cause sets in; shape (hours,)."""
    hours = world.window.hours
    at_work = onset_hours(rng, hours)
    values = off + (factor - off) * np.clip(1 + wobble * rng.standard_normal(hours), 0.5, 1.5)
    return np.where(at_work, np.maximum(values, 0), off)


def _with_context(world: World, streams: Mask, factor: Floats) -> Traffic:
    """Prompts longer by uncached input alone."""
    counts = world.window.counts.copy()
    prompt = counts[list(PROMPT)][:, streams].sum(axis=0)
    added = np.rint(prompt * (factor - 1)).astype(np.int64)
    per_token = counts[INPUT_CHARS, streams] / np.maximum(prompt, 1)
    counts[INPUT, streams] += added
    counts[INPUT_CHARS, streams] += np.rint(added * per_token).astype(np.int64)
    return _consistent(world.window, counts)


def _consistent(window: Traffic, counts: Ints) -> Traffic:
    changed = Traffic(window.names, counts, window.price_factor, window.copied)
    return scaled(changed, np.zeros(window.streams, dtype=bool), 1.0, ALL[:0])
