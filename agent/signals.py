"""The named facts the playbooks ask for, each with the evidence it was taken from."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from agent.derived import DERIVED, Signal, derived_from, worth_weighing
from agent.evidence import Evidence
from agent.look import row_scope, slice_of
from ledger.errors import RefusedError
from ledger.scope import Scope
from playbooks import Playbook
from tools.split import MECHANISMS, Mechanism

LEAST_MOVED = 0.3

TAKEN: Mapping[str, tuple[str, str]] = {
    "windows_compared": ("compare", "windows_compared"),
    "cost_ratio": ("compare", "cost_ratio"),
    "requests_ratio": ("compare", "requests_ratio"),
    "requests_unknown": ("compare", "requests_unknown"),
    "tokens_ratio": ("compare", "tokens_ratio"),
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
    "ramp": ("key_activity", "ramp"),
    "as_busy_days": ("key_activity", "as_busy_days"),
    "as_quiet_days": ("key_activity", "as_quiet_days"),
    "record_ratio": ("key_activity", "record_ratio"),
    "past_active_share": ("key_activity", "past_active_share"),
    "session_spreads": ("key_activity", "session_spreads"),
    "month_ago_ratio": ("key_activity", "month_ago_ratio"),
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
    "calendar_covers": ("changes", "calendar_covers"),
    "cheap_tier_share_of_rise": ("tier", "cheap_tier_share_of_rise"),
    "cheap_tier_share_before": ("tier", "cheap_tier_share_before"),
}
"""Fact to the tool it comes from and its name there; `model` and `tier` are the two uses of `mix`."""

OF_SUSPECT: Mapping[str, str] = {
    **{
        name: name
        for name in (
            "cost_ratio", "requests_ratio", "requests_unknown", "failed_share_rise", "retried_share_rise",
            "input_tokens_per_request_ratio", "output_tokens_per_request_ratio", "cache_read_share_rise",
            "usd_per_mtok_ratio", "spreads", "old_origin_ratio", "common_length_ratio", "whole_model",
            "new_scope",
        )
    },
    "part_of_spend": "of_spend",
    "new_origin_share": "stranger",
    "new_origin_share_of_rise": "stranger",
}  # fmt: skip
"""Fact to its name in the row of a suspect, which knows its leaves best: it leads over every tool."""

DATED: Mapping[str, str] = {"price": "price_event_match", "tokenizer": "tokenizer_event_match"}
"""Kind of a dated event to the fact that says whether the data made its predicted step at its time."""

FACTS = frozenset(
    (*TAKEN, *OF_SUSPECT, *DATED.values(), "tokenizer_verdict", *DERIVED, *(f"share_{m}" for m in MECHANISMS))
)
"""Every fact a playbook may ask for."""


def refuse_unknown_facts(playbooks: Sequence[Playbook]) -> None:
    """Raises RefusedError for a rule that asks for a fact that no evidence gives."""
    for playbook in playbooks:
        for rule in playbook.rules:
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
    signals |= _of_suspect(evidence, scope)
    signals |= _dated(evidence, scope)
    signals |= _of_cohort(evidence, signals)
    return worth_weighing(signals | derived_from(signals))


def _source(evidence: Evidence) -> str:
    if evidence.tool == "breakdown":
        return "breakdown" if evidence.arguments.get("by") == ["key_id"] else "overview"
    if evidence.tool == "mix":
        return "tier" if evidence.arguments.get("dimension") == "service_tier" else "model"
    return evidence.tool


def _shares(evidence: Sequence[Evidence], scope: Scope) -> dict[str, Signal]:
    """How much of what moved in the scope each mechanism moved: of the suspect, else of all effects."""
    if found := slice_of(evidence, scope):
        sizes = {m: abs(_float(found.row.get(f"share_{m}"))) for m in MECHANISMS}
        return _share_signals(sizes, float(_sign(found.usd)), found.evidence.id)
    for split in evidence:
        if split.tool == "effects" and split.where == scope:
            usd = {m: split.number(f"{m}_usd") or 0.0 for m in MECHANISMS}
            gross = sum(abs(v) for v in usd.values())
            rise = float(_sign(sum(usd.values())))
            return _share_signals(
                {m: abs(v) / gross if gross else 0.0 for m, v in usd.items()}, rise, split.id
            )
    return {}


def _of_suspect(evidence: Sequence[Evidence], scope: Scope) -> dict[str, Signal]:
    """What the row of a suspect says of its own leaves; a stranger to a key is told from no stranger."""
    found = slice_of(evidence, scope)
    known = {name: found.row.get(field) for name, field in OF_SUSPECT.items()} if found else {}
    return {n: Signal(_float(v), found.evidence.id) for n, v in known.items() if found and v is not None}


def _dated(evidence: Sequence[Evidence], scope: Scope) -> dict[str, Signal]:
    """Whether catalogued events near the window are borne out; nothing where no event could be judged."""
    found: dict[str, Signal] = {}
    for e in evidence:
        for row in e.rows if e.tool == "changes" and e.where.contains(scope) else ():
            fact = DATED.get(str(row.get("kind")))
            matches = row.get("matches")
            if fact and matches is not None and row.get("source") != "ledger" and is_about(row, scope):
                value = max(_float(matches), found[fact].value if fact in found else 0.0)
                found[fact] = Signal(value, e.id)
    return found


def is_about(row: Mapping[str, object], scope: Scope) -> bool:
    """Whether no dimension is pinned to another value."""
    theirs, ours = row_scope(row.get("scope")).as_dict(), scope.as_dict()
    return all(ours.get(dimension, value) == value for dimension, value in theirs.items())


def _of_cohort(evidence: Sequence[Evidence], signals: Mapping[str, Signal]) -> dict[str, Signal]:
    """What the keys that moved to another model say, where such a move is what the scope did."""
    moved = sum(signals[f"share_{m}"].value for m in ("tokenizer", "model_mix") if f"share_{m}" in signals)
    found = next((e for e in evidence if e.tool == "switchers" and e.status == "ok"), None)
    verdict = found.number("tokenizer_verdict") if found else None
    if found is None or verdict is None or moved < LEAST_MOVED:
        return {}
    return {"tokenizer_verdict": Signal(verdict, found.id)}


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


def _sign(value: float) -> int:
    """1, -1, or 0 where nothing changed: then it is neither dearer nor cheaper."""
    return (value > 0) - (value < 0)


def _float(value: object) -> float:
    return float(value) if isinstance(value, (int, float, Decimal)) else 0.0
