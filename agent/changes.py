"""Dated changes beside the change in cost: prices, models, tiers, keys, caches, tokenizers."""

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from agent.derived import Signals
from agent.evidence import Evidence
from agent.finding import Change
from agent.scoring import Scored
from agent.signals import is_about
from ledger.scope import Scope

KINDS = frozenset(get_args(Change.model_fields["kind"].annotation))
"""What the contract knows; new clients and the calendar are told elsewhere."""


def changes_of(
    evidence: Sequence[Evidence], scope: Scope, signals: Signals, best: Scored
) -> tuple[Change, ...]:
    """What changed in the window, as the evidence about one scope shows it."""
    about = [e for e in evidence if e.where == scope]
    dated = list(_dated(evidence, scope))
    found = [*_of_mix(about), *_of_prices(about), *_of_origins(about)]
    cache = signals.get("cache_read_share_rise")
    if best.cause == "cache_regression" and cache:
        found.append(
            _change("cache", "a smaller part of the prompt is read from the cache", cache.evidence, evidence)
        )
    tokenizer = signals.get("tokenizer_signature")
    if best.cause == "tokenizer_change" and tokenizer:
        found.append(_change("tokenizer", "more tokens for the same text", tokenizer.evidence, evidence))
    known = {change.kind for change in dated}
    return (*dated, *(change for change in found if change.kind not in known))


def _dated(evidence: Sequence[Evidence], scope: Scope) -> Iterator[Change]:
    """Changes with an hour of their own that concern the scope, but for events that the data contradict."""
    for found in evidence:
        for row in found.rows if found.tool == "changes" else ():
            if row.get("kind") in KINDS and row.get("matches") != 0 and is_about(row, scope):
                told = {"kind": row["kind"], "at": row["at"], "what": row["what"], "source": found.id}
                yield Change.model_validate(told)


def _of_mix(evidence: Sequence[Evidence]) -> Iterator[Change]:
    for found in evidence:
        moved = found.number("moved_share") if found.tool == "mix" else None
        if moved is not None and moved >= 0.1:
            kind: Literal["tier", "model"] = (
                "tier" if found.arguments.get("dimension") == "service_tier" else "model"
            )
            old, new = found.facts["from_value"], found.facts["to_value"]
            what = f"requests moved from {old} to {new}"
            if not _fell(found, old):
                what = f"a larger part of the requests goes to {new} than before, a smaller one to {old}"
            yield Change(kind=kind, at=found.window.start_at, what=what, source=found.id)


def _fell(mix: Evidence, value: object) -> bool:
    """Whether that value has fewer requests than usual, where they are known: else only shares moved."""
    row = next((row for row in mix.rows if value in row.values()), {})
    now, usual = row.get("requests"), row.get("mean_requests")
    if not isinstance(now, int | float) or not isinstance(usual, int | float):
        return True
    return now < usual


def _of_prices(evidence: Sequence[Evidence]) -> Iterator[Change]:
    for found in evidence:
        if found.tool != "price_changes":
            continue
        if found.number("version_changed"):
            what = f"cost is computed with price book version {found.facts.get('version_now')}"
            yield Change(kind="price", at=found.window.start_at, what=what, source=found.id)
        elif found.number("models_with_a_step"):
            what = "the unit price of a model made a step"
            yield Change(kind="price", at=found.window.start_at, what=what, source=found.id)


def _of_origins(evidence: Sequence[Evidence]) -> Iterator[Change]:
    for found in evidence:
        if found.tool != "key_activity":
            continue
        if found.number("new_scope"):
            told = "is used for the first time"
            yield Change(kind="key", at=found.window.start_at, what=f"{found.where} {told}", source=found.id)
        elif found.number("new_origins"):
            what = f"{found.where} is used from {found.facts.get('new_origin_names')} for the first time"
            yield Change(kind="key", at=found.window.start_at, what=what, source=found.id)


def _change(kind: str, what: str, source: str, evidence: Sequence[Evidence]) -> Change:
    at = next(e.window.start_at for e in evidence if e.id == source)
    return Change.model_validate({"kind": kind, "at": at, "what": what, "source": source})
