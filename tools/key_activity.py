"""The tool that looks at who used a key, from where and at which hours, and what of that is new."""

from collections.abc import Mapping

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.usage import Measures
from ledger.window import HOUR, Window, instant_text
from tools.answer import Row, Scalar, ToolAnswer, added, answer, asked, ratio, share, usd
from tools.comparison import Comparison, compare_with, widened
from tools.hours import hour_facts

ORIGINS: tuple[Dimension, ...] = ("region", "client")


def key_activity(reader: Reader, window: Window, *, where: Scope = EVERYTHING) -> ToolAnswer:
    """Look at who used a key (or any scope), from where and when, and what of that is new.

    Use it for leaks, loops, retries, new workloads. Rows by cost: `region`, `client`, `actual_usd`,
    `mean_usd`, `requests`, `failed_requests`, `retried_requests`, `new` (1: not seen before). Facts: `keys`,
    `first_seen_at`, `age_hours`, `new_scope` (1: first used after the weeks compared); new regions or
    clients: `new_origins`, `new_origin_names`, `new_origin_usd`, `new_origin_share`,
    `new_origin_share_of_rise`; `old_origin_ratio` (a leak leaves it near 1, a roll-over lowers it);
    `failed_share`, `failed_share_before`, `retried_share`, `retried_share_before`; `active_hours_share`,
    `usual_active_hours_share`, `peak_ratio`; `evenness` of the rise (1 flat, 0 bursts), its `ramp`, `shape`
    (correlation with usual hours); of `days_looked_at` earlier days `as_busy_days`, `as_quiet_days`;
    `past_active_share` (hours with cost), `record_ratio` (to the busiest past stretch), `session_spreads`,
    `month_ago_ratio`. `no_data`: no usage.
    """
    compared = compare_with(reader, window)
    seen = {d: reader.first_seen(d, where=_who(where)) for d in ORIGINS}
    now = reader.totals([window], by=ORIGINS, where=where)
    before = reader.totals(compared.baseline, by=ORIGINS, where=where) if compared.baseline else {}
    age = _age_facts(reader, compared, where)
    fresh = {s for s in now if _is_fresh(s, seen, compared)}
    return answer(
        "key_activity",
        asked(window, where),
        compared,
        where,
        rows=_rows(now, before, fresh, compared),
        facts={
            **age,
            **({} if age.get("new_scope") else _origin_facts(now, before, fresh, compared)),
            **_error_facts(now, before),
            **hour_facts(reader, compared, where),
        },
        found=bool(now),
    )


def _who(where: Scope) -> Scope:
    """The user of the scope, whatever it is used for: a key that tries a new model is not a new key."""
    return Scope(tuple((d, v) for d, v in widened(where).items if d != "feature"))


def _is_fresh(scope: Scope, seen: Mapping[Dimension, Mapping[str, Window]], compared: Comparison) -> bool:
    return any(seen[d][v].start_at >= compared.known_until for d, v in scope.items if v in seen[d])


def _rows(
    now: Mapping[Scope, Measures], before: Mapping[Scope, Measures], fresh: set[Scope], compared: Comparison
) -> list[Row]:
    order = sorted(now.keys() | before.keys(), key=lambda s: (-now.get(s, Measures()).cost_pico, s))
    return [
        {
            **dict(s.items),
            "actual_usd": usd(now.get(s, Measures()).cost_pico),
            "mean_usd": usd(compared.mean_pico(before.get(s, Measures()).cost_pico)),
            **_requests(now.get(s, Measures())),
            "new": int(s in fresh),
        }
        for s in order[:12]
    ]


def _requests(found: Measures) -> Row:
    """None where the source counts no requests."""
    counts = {
        "requests": found.requests,
        "failed_requests": found.failed_requests,
        "retried_requests": found.retried_requests,
    }
    return counts if found.requests_known else dict.fromkeys(counts)


def _origin_facts(
    now: Mapping[Scope, Measures], before: Mapping[Scope, Measures], fresh: set[Scope], compared: Comparison
) -> dict[str, Scalar]:
    total = sum(m.cost_pico for m in now.values())
    from_new = sum(now[s].cost_pico for s in fresh)
    usual = compared.mean_pico(sum(m.cost_pico for m in before.values()))
    rise = total - usual
    names = sorted({v for s in fresh for _, v in s.items})
    return {
        "new_origin_share": share(from_new, total),
        "new_origin_share_of_rise": share(min(from_new, rise), rise) if rise > 0 else None,
        "new_origin_usd": usd(from_new),
        "new_origins": len(fresh),
        "new_origin_names": ", ".join(names[:6]),
        "old_origin_ratio": ratio(total - from_new, usual),
    }


def _error_facts(now: Mapping[Scope, Measures], before: Mapping[Scope, Measures]) -> dict[str, Scalar]:
    """Shares of requests that failed or were tried again, now and over all hours compared with."""
    facts: dict[str, Scalar] = {}
    for suffix, table in (("", now), ("_before", before)):
        requests = sum(m.requests for m in table.values())
        if requests and added(list(table.values())).requests_known:
            failed = sum(m.failed_requests for m in table.values())
            retried = sum(m.retried_requests for m in table.values())
            facts[f"failed_share{suffix}"] = round(failed / requests, 6)
            facts[f"retried_share{suffix}"] = round(retried / requests, 6)
    return facts


def _age_facts(reader: Reader, compared: Comparison, where: Scope) -> dict[str, Scalar]:
    """How long the scope has been known, and how many keys it holds."""
    keys = reader.first_seen("key_id", where=_who(where))
    if not keys:
        return {}
    first = min(lived.start_at for lived in keys.values())
    return {
        "keys": len(keys),
        "first_seen_at": instant_text(first),
        "age_hours": round((compared.window.end_at - first) / HOUR),
        "new_scope": int(first >= compared.known_until),
    }
