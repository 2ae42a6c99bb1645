"""The tool that looks at who used a key, from where and at which hours, and what of that is new."""

from collections.abc import Mapping

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.usage import Measures
from ledger.window import HOUR, Window
from tools.answer import Row, Scalar, ToolAnswer, answer, asked, ratio, share, usd
from tools.comparison import Comparison, compare_with, widened
from tools.hours import hour_facts

ORIGINS: tuple[Dimension, ...] = ("region", "client")


def key_activity(reader: Reader, window: Window, *, where: Scope = EVERYTHING) -> ToolAnswer:
    """Look at the activity of a key (or any scope): age, regions, clients, hours, errors, against before.

    `new_origin_share` is the share of cost from regions or clients that were never seen before the
    baseline ended, `new_origin_share_of_rise` the share of the additional cost; `old_origin_ratio` is how
    the known ones did against their mean. Both new and unchanged at once is how a leaked key looks; new
    while the known fell is a roll-over. `evenness` is 1 when the rise is the same at every hour, 0 when it
    comes in bursts (left out where the usual hours are even too); `shape` correlates the hours with the
    usual ones. `as_busy_days` and `as_quiet_days` count the earlier days, a week or more ago, on which the
    same hours were as busy or as quiet as now; `record_ratio` compares the cost with the busiest stretch of
    as many hours at any time of day, for scopes that work now and then (`past_active_share`).
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
            "requests": now.get(s, Measures()).requests,
            "failed_requests": now.get(s, Measures()).failed_requests,
            "new": int(s in fresh),
        }
        for s in order[:12]
    ]


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


def _age_facts(reader: Reader, compared: Comparison, where: Scope) -> dict[str, Scalar]:
    """How long the scope has been known, and how many keys it holds."""
    keys = reader.first_seen("key_id", where=_who(where))
    if not keys:
        return {}
    first = min(lived.start_at for lived in keys.values())
    return {
        "keys": len(keys),
        "age_hours": round((compared.window.end_at - first) / HOUR),
        "new_scope": int(first >= compared.known_until),
    }
