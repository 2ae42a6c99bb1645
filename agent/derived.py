"""Facts made of other facts: signatures that take several numbers to read."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """A number and the id of its evidence."""

    value: float
    evidence: str


Signals = Mapping[str, Signal]

DERIVED = (
    "rise",
    "share_more_work",
    "share_less_work",
    "spreads_size",
    "change_size",
    "part_of_spend",
    "bursts_as_before",
    "noise_signature",
    "unit_price_step",
    "price_gap",
    "own_price_change",
    "repeated_share",
    "turned_cheap",
    "expected_growth",
    "accounting_share",
    "tokenizer_signature",
)
USUAL_SPREADS = 2.5
"""A change of so many of its own week-to-week spreads is no news; with 4 weeks the spread is rough."""
SMALL_CHANGE = 0.1
SMALL_UNTRIED_CHANGE = 0.3
"""The same where a single earlier window cannot say how much the scope varies."""
SMALL_PART = 0.02
MOSTLY = 0.6
ALIKE_DAYS = 2
NOW_AND_THEN = 0.5
"""A scope active in at most this share of hours has no usual hour to be compared with."""
NO_RECORD = 2.0
"""Sessions of such scopes differ by about this factor among themselves."""
MONTHLY = 0.5
"""What comes with the day of the month differs by about this factor between months."""
USUAL_SESSION = 3.0
"""Spreads of the logarithm of sessions: a longer one that comes once in years of a normal key is news."""
NEXT_TO_ALL = 0.9
PLANNED = 0.8
"""Of the hours, in the operator's calendar."""
SEVERAL_KEYS = 3
COMMON_FACTOR = 1.04
REPEATS = 1.25
"""Records per hour and scope must rise by this factor before rows count as repeated."""


def derived_from(signals: Signals) -> dict[str, Signal]:
    """Facts made of other facts; each keeps the evidence of the one that says most."""
    made = {
        "spreads_size": _size(signals.get("spreads"), around=0.0),
        "change_size": _size(signals.get("cost_ratio"), around=1.0),
        "unit_price_step": _size(signals.get("unit_price_ratio"), around=1.0),
        "price_gap": _size(signals.get("price_ratio"), around=1.0),
        "bursts_as_before": _bursts(signals),
        "own_price_change": _product(signals, "version_changed", "computed_share"),
        "turned_cheap": _turned_cheap(signals),
        "expected_growth": _expected_growth(signals),
        "repeated_share": _repeated(signals.get("records_per_cell_ratio")),
        "tokenizer_signature": _tokenizer(signals),
    }
    found = {name: signal for name, signal in made.items() if signal}
    known = {**signals, **found}
    last = {"accounting_share": _accounting(known), "noise_signature": _noise(known)}
    return found | {name: signal for name, signal in last.items() if signal}


def _noise(signals: Signals) -> Signal | None:
    """1 for a change that is usual and small, negligible in the whole, or nothing new for the scope."""
    spreads, cost = signals.get("spreads"), signals.get("cost_ratio")
    part = signals.get("part_of_spend")
    if part is not None and part.value <= SMALL_PART:
        return Signal(1.0, part.evidence)
    if alike := _alike(signals):
        return alike
    if cost is None:
        return None
    usual = spreads is None or abs(spreads.value) <= USUAL_SPREADS
    small = SMALL_UNTRIED_CHANGE if spreads is None else SMALL_CHANGE
    return Signal(float(usual and abs(cost.value - 1) <= small), cost.evidence)


def _bursts(signals: Signals) -> Signal | None:
    """1 where a scope does no more in a row than a month ago, or than before where it works now and then."""
    month = signals.get("month_ago_ratio")
    if month and month.value >= MONTHLY:
        return Signal(1.0, month.evidence)
    active, record = signals.get("past_active_share"), signals.get("record_ratio")
    if active is None or record is None:
        return None
    sessions = signals.get("session_spreads")
    usual = record.value <= NO_RECORD or (sessions is not None and sessions.value <= USUAL_SESSION)
    return Signal(float(0 < active.value <= NOW_AND_THEN and usual), record.evidence)


def worth_weighing(signals: Signals) -> dict[str, Signal]:
    """Without what says nothing of a scope that bursts as it did before: its usual hours are empty.

    Beside empty hours every session multiplies use, and is as even as itself.
    """
    bursts = signals.get("bursts_as_before")
    told_by = ("evenness", "requests_ratio") if bursts and bursts.value else ()
    return {name: signal for name, signal in signals.items() if name not in told_by}


def _alike(signals: Signals) -> Signal | None:
    """1 where the scope did as much work, or as little, on several earlier days at these hours."""
    bursts, more = signals.get("bursts_as_before"), signals.get("share_more_work")
    if bursts and bursts.value and more and more.value >= MOSTLY:
        return bursts
    for work, days in (("share_more_work", "as_busy_days"), ("share_less_work", "as_quiet_days")):
        share, count = signals.get(work), signals.get(days)
        if share and count and share.value >= MOSTLY and count.value >= ALIKE_DAYS:
            return Signal(1.0, count.evidence)
    return None


def _size(signal: Signal | None, *, around: float) -> Signal | None:
    return Signal(abs(signal.value - around), signal.evidence) if signal else None


def _product(signals: Signals, *names: str) -> Signal | None:
    found = [signals[name] for name in names if name in signals]
    if len(found) < len(names):
        return None
    value = 1.0
    for signal in found:
        value *= signal.value
    return Signal(value, found[0].evidence)


def _repeated(ratio: Signal | None) -> Signal | None:
    """The share of records that are repeats, were every scope and hour to have as many as before."""
    if ratio is None:
        return None
    return Signal(1 - 1 / ratio.value if ratio.value >= REPEATS else 0.0, ratio.evidence)


def _turned_cheap(signals: Signals) -> Signal | None:
    """The share of the rise at a tier for work without hurry, unless such work is what the scope does."""
    rise, before = signals.get("cheap_tier_share_of_rise"), signals.get("cheap_tier_share_before")
    if rise is None or (before is not None and before.value >= MOSTLY):
        return None
    return rise


def _expected_growth(signals: Signals) -> Signal | None:
    """1 where the operator's calendar says so, or where most of several keys rose along."""
    planned, breadth, keys = (signals.get(name) for name in ("calendar_covers", "breadth", "keys"))
    if planned and planned.value >= PLANNED:
        return Signal(1.0, planned.evidence)
    if breadth is None or keys is None:
        return None
    return Signal(float(breadth.value >= MOSTLY and keys.value >= SEVERAL_KEYS), breadth.evidence)


def _accounting(signals: Signals) -> Signal | None:
    """How much of the change pricing or counting explains, rather than use."""
    unpriced = signals.get("share_unpriced")
    own = _product(signals, "own_price_change", "share_price")
    repeated = signals.get("repeated_share")
    counted = Signal(2 * repeated.value, repeated.evidence) if repeated else None
    known = [s for s in (unpriced, own, counted, _nothing_priced(signals)) if s]
    return max(known, key=lambda s: s.value) if known else None


def _nothing_priced(signals: Signals) -> Signal | None:
    """1 where next to no token has a price, now as before: then no dollars tell anything about use."""
    unpriced = signals.get("unpriced_share")
    if unpriced is None or unpriced.value < NEXT_TO_ALL or "cost_ratio" in signals:
        return None
    return Signal(1.0, unpriced.evidence)


def _tokenizer(signals: Signals) -> Signal | None:
    """Share of the change that is tokens per text: measured by characters, else told by its signature."""
    measured, moved = signals.get("share_tokenizer"), signals.get("share_model_mix")
    if measured is None or moved is None:
        return None
    if in_place := _tokenizer_in_place(signals):
        return in_place
    gap, length = signals.get("price_ratio"), signals.get("switched_length_ratio")
    same_price = gap is not None and abs(gap.value - 1) <= 0.03
    if same_price and length is not None and length.value >= 1.04:
        return Signal(measured.value + moved.value, length.evidence)
    return measured


def _tokenizer_in_place(signals: Signals) -> Signal | None:
    """Input and output of a whole model that rose by one factor in several keys: no key did that."""
    names = ("whole_model", "keys", "common_length_ratio", "share_input_length", "share_output_length")
    if any(name not in signals for name in names):
        return None
    whole, keys, factor, sent, answered = (signals[name] for name in names)
    if not whole.value or keys.value < SEVERAL_KEYS or factor.value < COMMON_FACTOR:
        return None
    return Signal(sent.value + answered.value, factor.evidence)
