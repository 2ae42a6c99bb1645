"""The tool that finds moves between models or service tiers."""

from collections.abc import Mapping
from typing import Literal, TypeVar

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.usage import Measures
from ledger.window import Window
from tools.answer import Row, Scalar, ToolAnswer, added, answer, asked, ratio, share, usd
from tools.comparison import Comparison, compare_with, widened
from tools.leaves import OWNER
from tools.shapley import Floats
from tools.unit_prices import ModelTier, class_rates, listed_cost

SWITCHED = (0.8, 0.2)
"""A key switched when its share on one value fell from over 80 % to under 20 % (reference)."""

ALIKE = 0.1
"""Input and output per request that rose by factors this close rose by one common factor."""

CHEAP_TIERS = frozenset({"batch", "flex"})

Table = Mapping[Scope, Measures]
MixDimension = Literal["model", "service_tier"]
_Key = TypeVar("_Key", str, Scope)


def mix(reader: Reader, window: Window, *, dimension: MixDimension, where: Scope = EVERYTHING) -> ToolAnswer:
    """Show how requests moved between models or service tiers, against the same hours in up to 4 earlier
    weeks (else days).

    `dimension` is model or service_tier; a scope that pins one is widened, so that both ends of a move show.
    At most 12 rows: the value, `share`, `share_before` (of requests), `requests`, `mean_requests`,
    `actual_usd`. Facts: `from_value` lost, `to_value` gained most; `moved_share`; `price_ratio`: list price
    of the second over the first for the same tokens; `cost_per_request_ratio`; `switched_length_ratio`: input
    and output per request rose alike by it, else 1; `switchers`: keys that moved; for tiers
    `cheap_tier_share_of_rise`, `cheap_tier_share_before`: part of added and usual cost at batch or flex. One
    value alone is no move. Where a source counts no requests, shares are of tokens. `no_data`: no usage in
    the window.
    """
    compared = compare_with(reader, window)
    now, before = _both_sides(reader, compared, where, dimension)
    shares = _by_value(now, dimension), _by_value(before, dimension)
    facts = _move_facts(*shares)
    left, gained = facts.get("from_value"), facts.get("to_value")
    more: dict[str, Scalar] = {}
    if dimension == "service_tier":
        more = {
            "cheap_tier_share_of_rise": _cheap_share_of_rise(*shares, compared),
            "cheap_tier_share_before": _cheap_share(shares[1]),
        }
    elif left and gained:
        more = {"price_ratio": _price_ratio(reader, compared, where, str(left), str(gained))}
    return answer(
        "mix",
        asked(window, where, dimension=dimension),
        compared,
        where,
        rows=_rows(dimension, *shares, compared),
        facts={**facts, **more, "switchers": _switchers(now, before, dimension, str(left))},
        found=bool(now),
    )


def _both_sides(
    reader: Reader, compared: Comparison, where: Scope, dimension: MixDimension
) -> tuple[Table, Table]:
    """Totals by place and value, of all the work of the places that are in the scope on either side."""
    by: tuple[Dimension, ...] = (*OWNER, dimension)
    sides = [(compared.window,), compared.baseline]
    tables = [reader.totals(s, by=by, where=widened(where)) if s else {} for s in sides]
    if widened(where) == where:
        return tables[0], tables[1]
    inside = {s for windows in sides if windows for s in reader.totals(windows, by=OWNER, where=where)}
    kept = [{s: m for s, m in table.items() if _place(s) in inside} for table in tables]
    return kept[0], kept[1]


def _place(scope: Scope) -> Scope:
    return Scope(tuple((d, v) for d, v in scope.items if d in OWNER))


def _by_value(table: Table, dimension: MixDimension) -> dict[str, Measures]:
    found: dict[str, list[Measures]] = {}
    for scope, measures in table.items():
        found.setdefault(scope.as_dict()[dimension], []).append(measures)
    return {value: added(parts) for value, parts in found.items()}


def _requests_share(table: Mapping[str, Measures]) -> dict[str, float]:
    """Shares of requests; of tokens where any requests are not known."""
    work = _work(table)
    total = sum(work.values())
    return {s: share(n, total) for s, n in work.items()}


def _work(table: Mapping[_Key, Measures]) -> dict[_Key, int]:
    counted = all(m.requests_known for m in table.values())
    return {s: m.requests if counted else m.tokens.total for s, m in table.items()}


def _rows(
    dimension: MixDimension, now: Mapping[str, Measures], before: Mapping[str, Measures], compared: Comparison
) -> list[Row]:
    shares, earlier = _requests_share(now), _requests_share(before)
    order = sorted(shares.keys() | earlier.keys(), key=lambda v: (-shares.get(v, 0.0), v))
    return [
        {
            dimension: value,
            "share": shares.get(value, 0.0),
            "share_before": earlier.get(value, 0.0),
            "requests": now.get(value, Measures()).known_requests,
            "mean_requests": _mean_requests(before.get(value, Measures()), compared),
            "actual_usd": usd(now.get(value, Measures()).cost_pico),
        }
        for value in order[:12]
    ]


def _mean_requests(usual: Measures, compared: Comparison) -> float | None:
    return round(compared.mean(usual.requests), 1) if usual.requests_known else None


def _move_facts(now: Mapping[str, Measures], before: Mapping[str, Measures]) -> dict[str, Scalar]:
    shares, earlier = _requests_share(now), _requests_share(before)
    moves = {s: shares.get(s, 0.0) - earlier.get(s, 0.0) for s in sorted(shares.keys() | earlier.keys())}
    if len(moves) < 2 or not before:
        return {}
    risen, fallen = max(moves, key=lambda s: moves[s]), min(moves, key=lambda s: moves[s])
    old, new = before.get(fallen, Measures()), now.get(risen, Measures())
    return {
        "from_value": fallen,
        "to_value": risen,
        "moved_share": round(min(moves[risen], -moves[fallen]), 4),
        "cost_per_request_ratio": ratio(_cost_per_request(new), _cost_per_request(old)),
        "switched_length_ratio": _common_length_ratio(new, old),
    }


def _common_length_ratio(new: Measures, old: Measures) -> float | None:
    """The factor by which input and output per request changed alike; 1 where they changed differently."""
    if not (new.requests and old.requests and old.tokens.prompt and old.tokens.output and new.tokens.output):
        return None
    if not (new.requests_known and old.requests_known):
        return None
    sent = (new.tokens.prompt / new.requests) / (old.tokens.prompt / old.requests)
    answered = (new.tokens.output / new.requests) / (old.tokens.output / old.requests)
    return round(min(sent, answered), 4) if abs(sent / answered - 1) <= ALIKE else 1.0


def _price_ratio(reader: Reader, compared: Comparison, where: Scope, left: str, gained: str) -> float | None:
    """List price of the same tokens on the second model against the first, at the rates of the window."""
    rates = class_rates(reader, (compared.window, *compared.baseline[:1]))
    table = reader.totals([compared.window], by=("provider", "model", "service_tier"), where=widened(where))
    total = {left: 0.0, gained: 0.0}
    for scope, measures in table.items():
        values = scope.as_dict()
        tier = values["service_tier"]
        pair = {m: _rates_of(rates, m, tier) for m in total}
        if values["model"] == gained and pair[left] is not None and pair[gained] is not None:
            for model, known in pair.items():
                total[model] += listed_cost(measures.tokens, known)
    return ratio(total[gained], total[left])


def _rates_of(rates: Mapping[ModelTier, Floats], model: str, tier: str) -> Floats | None:
    return next((r for (_, m, t), r in sorted(rates.items()) if m == model and t == tier), None)


def _cheap_share_of_rise(
    now: Mapping[str, Measures], before: Mapping[str, Measures], compared: Comparison
) -> float | None:
    """The share of additional cost that is at a tier for work without hurry; None where nothing rose."""
    changes = {
        s: now.get(s, Measures()).cost_pico - compared.mean_pico(before.get(s, Measures()).cost_pico)
        for s in now.keys() | before.keys()
    }
    rise = sum(changes.values())
    cheap = sum(change for tier, change in changes.items() if tier in CHEAP_TIERS)
    return share(max(cheap, 0), rise) if rise > 0 else None


def _cheap_share(table: Mapping[str, Measures]) -> float:
    """The share of cost at a tier for work without hurry."""
    total = sum(m.cost_pico for m in table.values())
    return share(sum(m.cost_pico for tier, m in table.items() if tier in CHEAP_TIERS), total)


def _cost_per_request(measures: Measures | None) -> float:
    if measures is None or not measures.requests or not measures.requests_known:
        return 0.0
    return measures.cost_pico / measures.requests


def _switchers(now: Table, before: Table, dimension: MixDimension, left: str) -> int:
    """How many keys left the value."""
    shares = []
    for table in (before, now):
        totals: dict[str, int] = {}
        on_it: dict[str, int] = {}
        for scope, work in _work(table).items():
            values = scope.as_dict()
            key = values["key_id"]
            totals[key] = totals.get(key, 0) + work
            on_it[key] = on_it.get(key, 0) + (work if values[dimension] == left else 0)
        shares.append({k: share(on_it[k], n) for k, n in totals.items()})
    earlier, later = shares
    return sum(earlier[k] > SWITCHED[0] and later[k] < SWITCHED[1] for k in earlier.keys() & later.keys())
