"""The named facts the playbooks ask for, each with the evidence it was taken from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from agent.evidence import Evidence
from agent.look import row_scope
from ledger.errors import RefusedError
from ledger.scope import Scope
from playbooks import Playbook
from tools.split import MECHANISMS, Mechanism


@dataclass(frozen=True, slots=True)
class Signal:
    """A number and the id of its evidence."""

    value: float
    evidence: str


Signals = Mapping[str, Signal]

TAKEN: Mapping[str, tuple[str, str]] = {
    "cost_ratio": ("compare", "cost_ratio"),
    "requests_ratio": ("compare", "requests_ratio"),
    "failed_share_rise": ("compare", "failed_share_rise"),
    "retried_share_rise": ("compare", "retried_share_rise"),
    "input_tokens_per_request_ratio": ("compare", "input_tokens_per_request_ratio"),
    "output_tokens_per_request_ratio": ("compare", "output_tokens_per_request_ratio"),
    "cache_read_share_rise": ("compare", "cache_read_share_rise"),
    "usd_per_mtok_ratio": ("compare", "usd_per_mtok_ratio"),
    "spreads": ("compare", "spreads"),
    "breadth": ("breakdown", "rising_share"),
    "keys": ("breakdown", "values"),
    "top_key_share": ("breakdown", "top_share"),
    "new_origin_share": ("key_activity", "new_origin_share"),
    "old_origin_ratio": ("key_activity", "old_origin_ratio"),
    "new_origin_share_of_rise": ("key_activity", "new_origin_share_of_rise"),
    "new_scope": ("key_activity", "new_scope"),
    "age_hours": ("key_activity", "age_hours"),
    "evenness": ("key_activity", "evenness"),
    "shape": ("key_activity", "shape"),
    "as_busy_days": ("key_activity", "as_busy_days"),
    "as_quiet_days": ("key_activity", "as_quiet_days"),
    "record_ratio": ("key_activity", "record_ratio"),
    "past_active_share": ("key_activity", "past_active_share"),
    "unit_price_ratio": ("price_changes", "unit_price_ratio"),
    "rate_ratio": ("price_changes", "rate_ratio"),
    "version_changed": ("price_changes", "version_changed"),
    "computed_share": ("price_changes", "computed_share"),
    "unpriced_share": ("price_changes", "unpriced_share"),
    "restated_share": ("price_changes", "restated_share"),
    "new_format_share": ("price_changes", "new_format_share"),
    "records_per_cell_ratio": ("price_changes", "records_per_cell_ratio"),
    "moved_share": ("model", "moved_share"),
    "price_ratio": ("model", "price_ratio"),
    "switched_length_ratio": ("model", "switched_length_ratio"),
    "switchers": ("model", "switchers"),
    "tier_moved_share": ("tier", "moved_share"),
    "cheap_tier_share_of_rise": ("tier", "cheap_tier_share_of_rise"),
}
"""Fact to the tool it comes from and its name there; `model` and `tier` are the two uses of `mix`."""

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
    "accounting_share",
    "tokenizer_signature",
)
FACTS = frozenset((*TAKEN, *DERIVED, *(f"share_{m}" for m in MECHANISMS)))
"""Every fact a playbook may ask for."""

USUAL_SPREADS = 2.5
"""A change of so many of its own week-to-week spreads is no news; with 4 weeks the spread is rough."""
SMALL_CHANGE = 0.1
SMALL_PART = 0.02
MOSTLY = 0.6
ALIKE_DAYS = 2
NOW_AND_THEN = 0.5
"""A scope active in at most this share of hours has no usual hour to be compared with."""
NO_RECORD = 1.25
REPEATS = 1.25
"""Records per hour and scope must rise by this factor before rows count as repeated."""


def refuse_unknown_facts(playbooks: Sequence[Playbook]) -> None:
    """Raises RefusedError for a rule that asks for a fact that no evidence gives."""
    for playbook in playbooks:
        for rule in (*playbook.confirms, *playbook.refutes, *playbook.benign_when):
            if rule.fact not in FACTS:
                known = ", ".join(sorted(FACTS))
                raise RefusedError(f"{playbook.cause}.md: no evidence gives `{rule.fact}`; known are {known}")


def signals_of(evidence: Sequence[Evidence], scope: Scope) -> dict[str, Signal]:
    """Every fact that the evidence about one suspected scope gives."""
    about = {_source(e): e for e in evidence if e.where == scope and e.status == "ok"}
    signals: dict[str, Signal] = {}
    for name, (source, field) in TAKEN.items():
        found = about.get(source)
        value = found.number(field) if found else None
        if found and value is not None:
            signals[name] = Signal(value, found.id)
    signals |= _shares(evidence, scope)
    signals |= _part_of_spend(evidence, scope)
    return signals | _derived(signals)


def _source(evidence: Evidence) -> str:
    if evidence.tool == "breakdown":
        return "breakdown" if evidence.arguments.get("by") == ["key_id"] else "overview"
    if evidence.tool == "mix":
        return "tier" if evidence.arguments.get("dimension") == "service_tier" else "model"
    return evidence.tool


def _shares(evidence: Sequence[Evidence], scope: Scope) -> dict[str, Signal]:
    """How much of what moved in the scope each mechanism moved: of the suspect, else of all effects."""
    for found in evidence:
        for row in found.rows if found.tool == "suspects" else ():
            if "lead" in row and row_scope(row["scope"]) == scope:
                sizes = {m: abs(_float(row.get(f"share_{m}"))) for m in MECHANISMS}
                rise = 1.0 if _float(row["usd"]) >= 0 else -1.0
                return _share_signals(sizes, rise, found.id)
    for found in evidence:
        if found.tool == "effects" and found.where == scope:
            usd = {m: found.number(f"{m}_usd") or 0.0 for m in MECHANISMS}
            gross = sum(abs(v) for v in usd.values())
            rise = 1.0 if sum(usd.values()) >= 0 else -1.0
            return _share_signals(
                {m: abs(v) / gross if gross else 0.0 for m, v in usd.items()}, rise, found.id
            )
    return {}


def _part_of_spend(evidence: Sequence[Evidence], scope: Scope) -> dict[str, Signal]:
    """The suspect's dollars as a part of what the whole subject usually spends."""
    whole = next((e.number("mean_usd") for e in evidence if e.tool == "effects"), None)
    for found in evidence:
        for row in found.rows if found.tool == "suspects" else ():
            if whole and "lead" in row and row_scope(row["scope"]) == scope:
                return {"part_of_spend": Signal(abs(_float(row["usd"])) / whole, found.id)}
    return {}


def _share_signals(sizes: Mapping[Mechanism, float], rise: float, evidence: str) -> dict[str, Signal]:
    shares = {f"share_{m}": Signal(size, evidence) for m, size in sizes.items()}
    more: tuple[Mechanism, ...] = ("volume", "new_entities")
    less: tuple[Mechanism, ...] = ("volume", "gone_entities")
    return {
        **shares,
        "rise": Signal(rise, evidence),
        "share_more_work": Signal(sum(sizes[m] for m in more) if rise > 0 else 0.0, evidence),
        "share_less_work": Signal(sum(sizes[m] for m in less) if rise < 0 else 0.0, evidence),
    }


def _derived(signals: Signals) -> dict[str, Signal]:
    """Facts made of other facts; each keeps the evidence of the one that says most."""
    made = {
        "spreads_size": _size(signals.get("spreads"), around=0.0),
        "change_size": _size(signals.get("cost_ratio"), around=1.0),
        "unit_price_step": _size(signals.get("unit_price_ratio"), around=1.0),
        "price_gap": _size(signals.get("price_ratio"), around=1.0),
        "bursts_as_before": _bursts(signals),
        "own_price_change": _product(signals, "version_changed", "computed_share"),
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
    return Signal(float(usual and abs(cost.value - 1) <= SMALL_CHANGE), cost.evidence)


def _bursts(signals: Signals) -> Signal | None:
    """1 where a scope that works now and then does no more in a row than it did before."""
    active, record = signals.get("past_active_share"), signals.get("record_ratio")
    if active is None or record is None:
        return None
    usual = 0 < active.value <= NOW_AND_THEN and record.value <= NO_RECORD
    return Signal(float(usual), record.evidence)


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


def _accounting(signals: Signals) -> Signal | None:
    """How much of the change pricing or counting explains, rather than use."""
    unpriced = signals.get("share_unpriced")
    own = _product(signals, "own_price_change", "share_price")
    repeated = signals.get("repeated_share")
    counted = Signal(2 * repeated.value, repeated.evidence) if repeated else None
    known = [s for s in (unpriced, own, counted) if s]
    return max(known, key=lambda s: s.value) if known else None


def _tokenizer(signals: Signals) -> Signal | None:
    """Share of the change that is tokens per text: measured by characters, else told by its signature."""
    measured, moved = signals.get("share_tokenizer"), signals.get("share_model_mix")
    if measured is None or moved is None:
        return None
    gap, length = signals.get("price_ratio"), signals.get("switched_length_ratio")
    same_price = gap is not None and abs(gap.value - 1) <= 0.03
    if same_price and length is not None and length.value >= 1.04:
        return Signal(measured.value + moved.value, length.evidence)
    return measured


def _float(value: object) -> float:
    return float(value) if isinstance(value, (int, float, Decimal)) else 0.0
