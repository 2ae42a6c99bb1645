"""Dated events held against the data: did it move at that time, and by the size the event predicts?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log, sqrt

from ledger.events import NEAR_DAYS, EffectMetric, Event
from ledger.hour_sums import PriceHours
from ledger.prices.overrides import matches
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.usage import TOKEN_CLASSES, Measures, TokenClass
from ledger.window import Window
from tools.answer import added
from tools.comparison import widened
from tools.price_steps import PriceStep, ReferenceRates
from tools.relative_price import price_between
from tools.switch_cohort import Cohort
from tools.switch_statistics import LEAST_SHARE

NEAR = timedelta(days=NEAR_DAYS)
SPAN = timedelta(hours=72)
PRICE_TOLERANCE, TOKEN_TOLERANCE = 0.03, 0.10
"""By how much the data may miss the stated range: lists are exact, measured token ratios are not."""
LEAST_PRICE_MOVE, LEAST_TOKEN_MOVE = log(1.01), log(1.05)
CLASS_METRICS: dict[TokenClass, tuple[EffectMetric, ...]] = {
    "input": ("input_price", "unit_price"),
    "cache_read": ("cache_read_price", "input_price", "unit_price"),
    "cache_write_5m": ("cache_write_price", "input_price", "unit_price"),
    "cache_write_1h": ("cache_write_price", "input_price", "unit_price"),
    "output": ("output_price", "unit_price"),
}
"""The first metric an event states is what a class's price is expected to do."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A range of ratios."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        return round(sqrt(self.low * self.high), 4)

    def agrees(self, observed: float, *, tolerance: float, least_move: float) -> int | None:
        """1 where the data moved and by this much, 0 where not; None where nothing was to be seen."""
        if observed <= 0 or abs(log(observed)) > least_move:
            return int(self.low * (1 - tolerance) <= observed <= self.high * (1 + tolerance))
        return None if self.low <= 1 <= self.high else 0


@dataclass(frozen=True, slots=True)
class MeasuredEvent:
    """An event and what the data did about it."""

    event: Event
    at: datetime
    """When the data moved; the event's own day where it did not."""
    expected: Expected | None
    observed: float | None
    matches: int | None


def measured_price(
    event: Event, priced: Sequence[PriceHours], steps: Sequence[PriceStep], rates: ReferenceRates
) -> MeasuredEvent:
    """Compare the event with the step that its models' billed unit price made near its day, if any."""
    billed = [p for p in priced if p.billed and event.concerns(p.model) and p.tokens.any()]
    near = Window(event.span.start_at - NEAR, event.span.end_at + NEAR)
    made = [
        s for s in steps
        if event.concerns(s.model) and s.is_of_the_model and near.start_at <= s.at < near.end_at
    ]  # fmt: skip
    step = max(made, key=lambda s: abs(log(s.ratio)), default=None)
    if not billed or not event.effect or not (step or _both_sides(billed, event)):
        return MeasuredEvent(event, event.at, None, None, None)
    chosen = [
        p for p in billed if step is None or (p.model, p.service_tier) == (step.model, step.service_tier)
    ]
    expected = _expected_price(event, max(chosen, key=lambda p: float(p.cost_pico.sum())), rates)
    observed = step.ratio if step else 1.0
    verdict = expected.agrees(observed, tolerance=PRICE_TOLERANCE, least_move=LEAST_PRICE_MOVE)
    return MeasuredEvent(event, step.at if step else event.at, expected, observed, verdict)


def _both_sides(priced: Sequence[PriceHours], event: Event) -> bool:
    """Whether there was usage before and after the event: else nothing can be seen."""
    hours = [at for p in priced for at in p.hours]
    return min(hours) < event.span.start_at and max(hours) >= event.at


def _expected_price(event: Event, hours: PriceHours, rates: ReferenceRates) -> Expected:
    """The event's ratios per class, weighted by what each class costs in the data."""
    name = (hours.provider, hours.model, hours.service_tier)
    parts = hours.tokens.sum(axis=0) * rates.of(name, hours.hours[0].hour)
    ranges = [_class_range(event, token_class) for token_class in TOKEN_CLASSES]
    low, high = (
        float(sum(part * bounds[i] for part, bounds in zip(parts, ranges, strict=True)) / parts.sum())
        for i in (0, 1)
    )
    return Expected(round(low, 4), round(high, 4))


def _class_range(event: Event, token_class: TokenClass) -> tuple[float, float]:
    stated = [event.effect[metric] for metric in CLASS_METRICS[token_class] if metric in event.effect]
    return stated[0] if stated else (1.0, 1.0)


def measured_tokenizer(event: Event, cohort: Cohort | None) -> MeasuredEvent:
    """Compare the event with the tokens per request of the keys that moved to its models."""
    bounds = event.effect.get("input_tokens")
    expected = Expected(*bounds) if bounds else None
    if cohort is None or expected is None or not is_about(event, cohort):
        return MeasuredEvent(event, event.at, expected, None, 0)
    at = min(s.at for s in cohort.switchers)
    if at < event.span.start_at - NEAR:
        return MeasuredEvent(event, event.at, expected, None, 0)
    tokens = cohort.tokens()
    verdict = expected.agrees(tokens.ratio, tolerance=TOKEN_TOLERANCE, least_move=LEAST_TOKEN_MOVE)
    if verdict == 1 and tokens.ratio > 1 and tokens.share_over < LEAST_SHARE:
        verdict = 0
    return MeasuredEvent(event, at, expected, round(tokens.ratio, 4), verdict)


def measured_new_price(
    reader: Reader, event: Event, cohort: Cohort | None, priced: Sequence[PriceHours], rates: ReferenceRates
) -> MeasuredEvent:
    """Compare the event with what keys that moved to the new model are billed, against the old one."""
    if cohort is None or not is_about(event, cohort):
        return MeasuredEvent(event, event.at, None, None, None)
    billed = {p.model: p for p in priced if p.billed and p.tokens.any()}
    if cohort.old not in billed or cohort.new not in billed:
        return MeasuredEvent(event, event.at, None, None, None)
    expected = _expected_price(event, billed[cohort.old], rates)
    observed = price_ratio(reader, cohort)
    verdict = (
        expected.agrees(observed, tolerance=PRICE_TOLERANCE, least_move=LEAST_PRICE_MOVE)
        if observed
        else None
    )
    return MeasuredEvent(event, min(s.at for s in cohort.switchers), expected, observed, verdict)


def price_ratio(reader: Reader, cohort: Cohort, where: Scope = EVERYTHING) -> float | None:
    """Price of the new model over that of the old, each in the hours it was used in."""
    moments = [s.at for s in cohort.switchers]
    before = Window(cohort.window.start_at, max(moments))
    after = Window(min(moments), cohort.window.end_at)
    return price_between(reader, (cohort.old, before), (cohort.new, after), where=widened(where))


def is_about(event: Event, cohort: Cohort) -> bool:
    """Whether the keys moved between the models that the event compares."""
    replaced = not event.replaces or any(matches(glob, cohort.old) for glob in event.replaces)
    return event.concerns(cohort.new) and replaced


def measured_cache(reader: Reader, event: Event, window: Window, where: Scope) -> MeasuredEvent:
    """Compare the event with the cost per token of its clients, the days before and after it."""
    bounds = event.effect.get("cost_per_token")
    if bounds is None:
        return MeasuredEvent(event, event.at, None, None, None)
    sides = [
        _cost_per_token(reader, event, Window(start, start + SPAN), where)
        for start in (event.span.start_at - SPAN, event.at)
    ]
    before, after = sides
    if not before or not after or event.at >= window.end_at:
        return MeasuredEvent(event, event.at, Expected(*bounds), None, None)
    expected, observed = Expected(*bounds), round(after / before, 4)
    verdict = expected.agrees(observed, tolerance=PRICE_TOLERANCE, least_move=LEAST_TOKEN_MOVE)
    return MeasuredEvent(event, event.at, expected, observed, verdict)


def _cost_per_token(reader: Reader, event: Event, window: Window, where: Scope) -> float | None:
    table = reader.totals([window], by=("model", "client"), where=where)
    concerned = [m for s, m in table.items() if _concerns(event, s)]
    total = added(concerned) if concerned else Measures()
    return total.cost_pico / total.tokens.total if total.tokens.total and total.cost_pico else None


def _concerns(event: Event, scope: Scope) -> bool:
    values = scope.as_dict()
    clients = event.clients or ("*",)
    return event.concerns(values["model"]) and any(matches(glob, values["client"]) for glob in clients)
