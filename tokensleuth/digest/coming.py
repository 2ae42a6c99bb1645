"""Dated events about models in use: what changes soon, and what that would make of this week's spend."""

from collections.abc import Mapping
from datetime import timedelta

from ledger.events import Event, known_events
from ledger.scope import Scope
from tokensleuth.digest.facts import Coming, Used
from tokensleuth.digest.week import KnownWeek

AHEAD = timedelta(days=60)
_KINDS = frozenset({"alias", "context_tier", "schedule", "scheduled", "new_model_price", "unit", "billing"})
TOLD = _KINDS | {"price", "tokenizer", "cache"}
"""What may change a bill; what was called off does not."""


def coming_events(week: KnownWeek, by_model: Mapping[Scope, Used]) -> tuple[Coming, ...]:
    """From the first day of the week to 60 days after its end, those about models that were used in it."""
    first, last = week.week.window.start_at, week.week.window.end_at + AHEAD
    events = [e for e in known_events() if e.kind in TOLD and first <= e.at < last]
    found = [_coming(event, by_model) for event in events]
    return tuple(one for one in found if one.models)


def _coming(event: Event, by_model: Mapping[Scope, Used]) -> Coming:
    used = {str(scope.as_dict()["model"]): used for scope, used in by_model.items()}
    models = sorted((m for m in used if event.concerns(m)), key=lambda m: (-used[m].cost_pico, m))
    return Coming(
        id=event.id,
        day=event.date,
        summary=event.summary,
        source=event.source,
        confidence=event.confidence,
        models=tuple(models),
        now_pico=sum(used[model].cost_pico for model in models),
        factor=event.effect.get("unit_price"),
    )
