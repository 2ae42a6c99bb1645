"""The tool that looks for changes in how usage was priced: unit prices, rates, price book, loads."""

from collections.abc import Mapping, Sequence

from ledger.reader import LoadShare, PriceBasis, Reader
from ledger.scope import EVERYTHING, Scope
from ledger.usage import Measures
from ledger.window import Window
from tools.answer import Row, Scalar, ToolAnswer, answer, asked, ratio, share, usd
from tools.comparison import Comparison, compare_with
from tools.shapley import Floats
from tools.unit_prices import MODEL_TIER, ModelTier, class_rates, listed_cost

SUMMED_UP = 0.5
"""Sources with fewer records than this per request sum requests up."""
STEP = 0.01
"""A unit price that is right is constant to the cent; a step over 1 % is a change (reference)."""


def price_changes(reader: Reader, window: Window, *, where: Scope = EVERYTHING) -> ToolAnswer:
    """Find what changed in how a scope's usage was priced, against the same hours in up to 4 earlier weeks
    (else days).

    Use it when the price per token moved. Rows: `provider`, `model`, `service_tier`, `actual_usd`,
    `unit_price_ratio`, `rate_ratio`, `unpriced_tokens`. Facts: `unit_price_ratio`: cost of these tokens over
    their cost at old prices; `rate_ratio`: the same by our price book alone (1: the book did not move);
    `models`, `models_with_a_step` over 1 %; `version_changed` 1: our book changed, to `version_now`;
    `computed_share` (of tokens; the rest is billed), `computed_share_before`, `basis_moved`;
    `unpriced_tokens`, `unpriced_share`, `unpriced_share_before`, `unpriced_models`; delivery: `loads`,
    `records`, `restated_share`, `new_format_share`, `records_per_cell_ratio` (2: rows count twice).
    `no_data`: no usage in the window.
    """
    compared = compare_with(reader, window)
    now = _by_model(reader.totals([window], by=MODEL_TIER, where=where))
    before = (
        _by_model(reader.totals(compared.baseline, by=MODEL_TIER, where=where)) if compared.baseline else {}
    )
    rates = class_rates(reader, compared.baseline), class_rates(reader, [window])
    rows = [_row(m, now[m], before[m], *rates) for m in sorted(now.keys() & before.keys())]
    basis = reader.price_basis([window], where=where)
    earlier = reader.price_basis(compared.baseline, where=where) if compared.baseline else ()
    return answer(
        "price_changes",
        asked(window, where),
        compared,
        where,
        rows=rows[:12],
        facts={
            **_unit_facts(now, before, *rates),
            **_basis_facts(basis, earlier),
            **_load_facts(reader, compared, where),
        },
        found=bool(now),
    )


def _by_model(table: Mapping[Scope, Measures]) -> dict[ModelTier, Measures]:
    return {(v["provider"], v["model"], v["service_tier"]): m for s, m in table.items() if (v := s.as_dict())}


def _at_old_prices(now: Measures, before: Measures, rates: Floats | None) -> float | None:
    """What today's tokens would have cost at the unit prices of the baseline; None where it had none."""
    usual = listed_cost(before.tokens, rates)
    return before.cost_pico / usual * listed_cost(now.tokens, rates) if usual and before.cost_pico else None


def _row(
    model: ModelTier,
    now: Measures,
    before: Measures,
    old_rates: Mapping[ModelTier, Floats],
    new_rates: Mapping[ModelTier, Floats],
) -> Row:
    expected = _at_old_prices(now, before, old_rates.get(model))
    return {
        "provider": model[0],
        "model": model[1],
        "service_tier": model[2],
        "actual_usd": usd(now.cost_pico),
        "unit_price_ratio": ratio(now.cost_pico, expected) if expected else None,
        "rate_ratio": _rate_ratio(now, old_rates.get(model), new_rates.get(model)),
        "unpriced_tokens": now.unpriced_tokens,
    }


def _rate_ratio(now: Measures, old: Floats | None, new: Floats | None) -> float | None:
    if old is None or new is None:
        return None
    return ratio(listed_cost(now.tokens, new), listed_cost(now.tokens, old))


def _unit_facts(
    now: Mapping[ModelTier, Measures],
    before: Mapping[ModelTier, Measures],
    old_rates: Mapping[ModelTier, Floats],
    new_rates: Mapping[ModelTier, Floats],
) -> dict[str, Scalar]:
    """Ratios over all models used on both sides, weighted by what is spent on them now."""
    both = {m: _at_old_prices(now[m], before[m], old_rates.get(m)) for m in now.keys() & before.keys()}
    known = {m: cost for m, cost in both.items() if cost}
    listed = [m for m in known if m in old_rates and m in new_rates]
    steps = [m for m, cost in known.items() if abs(now[m].cost_pico / cost - 1) > STEP]
    return {
        "models": len(now),
        "models_with_a_step": len(steps),
        "unit_price_ratio": ratio(sum(now[m].cost_pico for m in known), sum(known.values())),
        "rate_ratio": ratio(
            sum(listed_cost(now[m].tokens, new_rates[m]) for m in listed),
            sum(listed_cost(now[m].tokens, old_rates[m]) for m in listed),
        ),
    }


def _basis_facts(now: Sequence[PriceBasis], before: Sequence[PriceBasis]) -> dict[str, Scalar]:
    versions = [
        {(b.provider, b.model, b.price_version) for b in side if not b.billed and b.price_version}
        for side in (now, before)
    ]
    known = {(provider, model) for provider, model, _ in versions[1]}
    changed = [v for v in versions[0] - versions[1] if v[:2] in known]
    return {
        "version_changed": int(bool(changed)),
        "version_now": ", ".join(sorted({str(v[2]) for v in changed})[:3]) or None,
        "computed_share": _computed_share(now),
        "computed_share_before": _computed_share(before),
        "basis_moved": abs(_computed_share(now) - _computed_share(before)) if before else None,
        "unpriced_tokens": sum(b.unpriced_tokens for b in now),
        "unpriced_share": share(sum(b.unpriced_tokens for b in now), sum(b.tokens for b in now)),
        "unpriced_share_before": share(sum(b.unpriced_tokens for b in before), sum(b.tokens for b in before)),
        "unpriced_models": ", ".join(sorted({b.model for b in now if b.unpriced_tokens})[:5]) or None,
    }


def _computed_share(side: Sequence[PriceBasis]) -> float:
    return share(sum(b.tokens for b in side if not b.billed), sum(b.tokens for b in side))


def _load_facts(reader: Reader, compared: Comparison, where: Scope) -> dict[str, Scalar]:
    """Rows that were restated, that come in a format which delivered nothing before, or that repeat."""
    loads = reader.loads(compared.window, where=where)
    earlier = [load for w in compared.baseline for load in reader.loads(w, where=where)]
    known = {load.format for load in earlier}
    records = sum(load.records for load in loads)
    fresh = sum(load.records for load in loads if load.format not in known) if known else 0
    restated = sum(min(load.restated_rows, load.records) for load in loads)
    return {
        "loads": len(loads),
        "records": records,
        "restated_share": share(restated, records),
        "new_format_share": share(fresh, records),
        "records_per_cell_ratio": _records_per_cell_ratio(reader, compared, where, loads, earlier),
    }


def _records_per_cell_ratio(
    reader: Reader,
    compared: Comparison,
    where: Scope,
    loads: Sequence[LoadShare],
    earlier: Sequence[LoadShare],
) -> float | None:
    """How many records made up one hour of one scope, against before; None for request-level records.

    Where a source sums up hours itself there is one record per hour and scope, so twice as many mean
    that rows count twice; where every request is a record, more records are more requests. Without request
    counts nobody knows which of the two it is.
    """
    sides = []
    for windows, shares in (((compared.window,), loads), (compared.baseline, earlier)):
        records, requests = sum(s.records for s in shares), sum(s.requests for s in shares)
        cells = sum(m.cells for m in reader.totals(windows, where=where).values()) if windows else 0
        if not cells or not records or records > SUMMED_UP * requests:
            return None
        sides.append(records / cells)
    return ratio(sides[0], sides[1])
