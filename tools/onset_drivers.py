"""What a mechanism moves, hour by hour, beside what it usually is: by this its first hour is told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

import numpy as np

from ledger.catalogue import bind, utc_naive
from ledger.reader import Reader
from ledger.scope import Dimension, Scope
from ledger.usage import TOKEN_CLASSES, UNCOUNTED_PART
from ledger.window import WEEK_HOURS, Window
from tools.comparison import MOVABLE
from tools.factors import OUTPUT, PROMPT
from tools.price_steps import ReferenceRates
from tools.shapley import Floats
from tools.split import Mechanism
from tools.unit_prices import ModelTier

WEEKS = 4
"""Earlier weeks that say what is usual."""
THIN = 0.25
"""An hour of the earlier weeks with less than this part of an ordinary hour's work says less than all do."""
LEAST_SHARE = 1e-3
"""A share of nothing is taken for this."""
MOVED = 0.05
"""A value that gained less of the work than this did not change the tokens of the rest."""
NAMES: tuple[Dimension, ...] = MOVABLE
Unit = Literal["request", "token"]


@dataclass(frozen=True, slots=True)
class Driver:
    """A quantity by hour; `actual` over `per` and `usual` over `per` are what people read."""

    name: str
    actual: Floats
    usual: Floats
    """What `actual` would be at the usual level; NaN where no earlier week tells."""
    per: Floats

    def level(self, hours: slice) -> float | None:
        """The mean over some hours; None where there was nothing to divide by."""
        per = float(self.per[hours].sum())
        return float(self.actual[hours].sum()) / per if per else None


@dataclass(frozen=True, slots=True)
class Past:
    """The work of a scope by provider, model and tier, in the hours looked at and the weeks before them."""

    look: Window
    since: Window
    """From the first hour that is read to the end of `look`."""
    names: Sequence[ModelTier]
    work: Floats
    """Shape (names, hours of `since`): requests, or tokens where any source counts no requests."""
    unit: Unit
    """Of the work."""
    cost_pico: Floats
    tokens: Floats
    """Shape (token classes, names, hours)."""

    @property
    def hours(self) -> slice:
        """The hours looked at."""
        return slice(self.since.hours - self.look.hours, self.since.hours)

    def now(self, values: Floats) -> Floats:
        return np.asarray(values[..., self.hours])

    def weeks(self, values: Floats) -> tuple[Floats, Floats]:
        """Sums over the same hours of the weeks before the first hour looked at, and how many those are."""
        n, first = self.look.hours, self.hours.start
        total, count = np.zeros((*values.shape[:-1], n)), np.zeros(n)
        for week in range(1, WEEKS + 2):
            at = np.arange(first, first + n) - week * WEEK_HOURS
            there = (at >= 0) & (at < first)
            total[..., there] += values[..., at[there]]
            count += there
        return total, count


def read_past(reader: Reader, look: Window, where: Scope) -> Past | None:
    """Read what the scope did; None where it did nothing."""
    extent = reader.extent()
    first = look.start_at - timedelta(weeks=WEEKS)
    since = Window(max(first, extent.start_at) if extent else first, look.end_at)
    query = bind("price_hours", windows=[since], where=where)
    found = reader.engine.columns(query.sql, query.parameters)
    if not len(found["hour"]):
        return None
    # The query sorts by these names.
    begins = np.any([found[name][1:] != found[name][:-1] for name in NAMES], axis=0)
    code = np.append(0, np.cumsum(begins))
    firsts = np.append(0, np.flatnonzero(begins) + 1)
    names = list(zip(*(map(str, found[name][firsts]) for name in NAMES), strict=True))
    hours = (found["hour"] - np.datetime64(utc_naive(since.start_at))) // np.timedelta64(1, "h")
    flat = code * since.hours + hours.astype(np.int64)

    def table(column: str) -> Floats:
        sums = np.bincount(flat, found[column], minlength=len(names) * since.hours).astype(np.float64)
        return np.asarray(sums.reshape(len(names), since.hours))

    tokens = np.stack([table(name) for name in TOKEN_CLASSES])
    if float(found["uncounted"].sum()) > UNCOUNTED_PART * float(tokens.sum()):
        return Past(look, since, names, tokens.sum(axis=0), "token", table("cost"), tokens)
    return Past(look, since, names, table("requests"), "request", table("cost"), tokens)


def volume(past: Past) -> Driver:
    """Work against the mean of the earlier weeks; against nothing but each other in a young ledger."""
    work = past.work.sum(axis=0)
    total, count = past.weeks(work)
    actual, usual = past.now(work), np.ones(past.look.hours)
    if (count > 0).mean() >= 0.5:
        usual = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return Driver(f"{past.unit}s per hour", actual, usual, np.ones_like(actual))


def length(past: Past, classes: slice, name: str) -> Driver:
    """Per request; per token, which is their share, where requests are not known."""
    return _rate(
        past, f"{name} per {past.unit}", past.tokens[classes].sum(axis=(0, 1)), past.work.sum(axis=0)
    )


def cache_share(past: Past) -> Driver:
    cached, prompt = past.tokens[TOKEN_CLASSES.index("cache_read")], past.tokens[PROMPT].sum(axis=0)
    return _share(past, "cache-read share of the prompt", cached.sum(axis=0), prompt.sum(axis=0))


def moved_share(past: Past, where: Scope, dimensions: Sequence[Dimension]) -> tuple[Driver, float]:
    """The share of the work at the values that gained, or at the one the scope names; and what it gained."""
    values = [tuple(name[NAMES.index(d)] for d in dimensions) for name in past.names]
    kinds = sorted(set(values))
    code = np.array([kinds.index(value) for value in values])
    work = np.array([past.work[code == kind].sum(axis=0) for kind in range(len(kinds))])
    gains = _shares(past.now(work)) - _shares(past.weeks(work)[0])
    pinned = where.as_dict()
    named = [all(pinned.get(d, v) == v for d, v in zip(dimensions, kind, strict=True)) for kind in kinds]
    chosen = np.array(named) if pinned.keys() & set(dimensions) else gains >= 0.5 * gains.max()
    told = ", ".join(" ".join(kinds[i][-1:]) for i in np.flatnonzero(chosen)[:3])
    driver = _share(past, f"share of {past.unit}s at {told}", work[chosen].sum(axis=0), work.sum(axis=0))
    return driver, float(gains[chosen].sum())


def unit_price(past: Past, reader: Reader) -> Driver:
    """What is paid for the tokens against the prices of the week before; each model at its own level."""
    day = past.look.start_at.date()
    rates = ReferenceRates(reader.rates(day - timedelta(days=7), day))
    clock = (past.since.start_at.hour + np.arange(past.since.hours)) % 24
    by_hour = np.array([[rates.of(name, hour) for hour in range(24)] for name in past.names])
    listed = np.einsum("cnh,nhc->nh", past.tokens, by_hour[:, clock])
    earlier = slice(0, past.hours.start) if past.hours.start else slice(0, 96)
    paid, due = (values[:, earlier].sum(axis=1) for values in (past.cost_pico, listed))
    factor = np.divide(paid, due, out=np.zeros_like(paid), where=due > 0)
    known = factor > 0
    actual, usual = past.cost_pico[known], listed[known] * factor[known, None]
    tokens = past.tokens[:, known].sum(axis=(0, 1))
    return Driver(
        "USD per million tokens",
        past.now(actual.sum(axis=0)), past.now(usual.sum(axis=0)), past.now(tokens * 1e6),
    )  # fmt: skip


def driver_of(lead: Mechanism, past: Past, where: Scope, reader: Reader) -> Driver:
    """What the leading mechanism moves."""
    match lead:
        case "volume" | "retries" | "new_entities" | "gone_entities":
            return volume(past)
        case "input_length":
            return length(past, PROMPT, "prompt tokens")
        case "output_length":
            return length(past, slice(OUTPUT, OUTPUT + 1), "output tokens")
        case "cache":
            return cache_share(past)
        case "price" | "unpriced":
            return unit_price(past, reader)
        case "model_mix" | "tier_mix" | "tokenizer":
            return _move(past, where, lead)


def _move(past: Past, where: Scope, lead: Mechanism) -> Driver:
    """Tokens of a text change with the model; where no work moved, the same model counts anew."""
    dimensions: Sequence[Dimension] = ("service_tier",) if lead == "tier_mix" else ("provider", "model")
    driver, gained = moved_share(past, where, dimensions)
    if lead == "tokenizer" and abs(gained) < MOVED:
        return length(past, slice(0, len(TOKEN_CLASSES)), "tokens")
    return driver


def _rate(past: Past, name: str, part: Floats, whole: Floats) -> Driver:
    """`part` per `whole` against the earlier weeks; hours that did little then are told by all of them."""
    parts, wholes = past.weeks(part)[0], past.weeks(whole)[0]
    overall = float(parts.sum() / wholes.sum()) if wholes.any() else 1.0
    thin = THIN * float(wholes.mean()) or 1.0
    usual = (parts + thin * overall) / (wholes + thin)
    return Driver(name, past.now(part), past.now(whole) * usual, past.now(whole))


def _share(past: Past, name: str, part: Floats, whole: Floats) -> Driver:
    """Of the share and what is left of it, the one that was smaller: a change shows more in it."""
    before = past.weeks(part)[0].sum() / max(past.weeks(whole)[0].sum(), 1.0)
    if before > 0.5:
        return _rate(past, f"1 - {name}", whole - part, whole)
    found = _rate(past, name, part, whole)
    return replace(found, usual=np.maximum(found.usual, LEAST_SHARE * found.per))


def _shares(work: Floats) -> Floats:
    totals = work.sum(axis=1)
    return np.asarray(totals / max(float(totals.sum()), 1.0))
