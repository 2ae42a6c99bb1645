"""Incidents of the week as they stand: cause, what people decided, what came of it, what it saved."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast

from ledger.scope import Dimension, Scope
from ledger.window import Window
from tokensleuth.casebook import Casebook, JsonObject
from tokensleuth.casebook.records import is_whole_range
from tokensleuth.casebook.views import IncidentView, ProposalView, read_view
from tokensleuth.digest.case_facts import IncidentFact, Incidents, MeasureFact, Waiting

_CENT = Decimal("0.01")

Belongs = Callable[[Sequence[Scope]], bool]
"""Whether any of the scopes is the audience's."""


def week_incidents(casebook: Casebook, window: Window, belongs: Belongs, now: datetime) -> Incidents:
    """Those that overlap the week, those explained as a whole range left out."""
    found = [
        i for i in casebook.incidents(now=now, within=window) if _is_detected(i) and belongs(scopes_of(i))
    ]
    found.sort(key=lambda i: (-abs(_usd(i)), str(i["id"])))
    material = [i for i in found if i.get("material") is not False]
    minor = [i for i in found if i.get("material") is False]
    with casebook.reading() as connection:
        views = [read_view(connection, str(i["id"]), now=now) for i in material]
    facts = [_incident(view) for view in views if view is not None]
    measured = [m for fact in facts for m in fact.measures if m.saved_usd is not None]
    return Incidents(
        shown=tuple(facts),
        minor=len(minor),
        minor_usd=sum(map(_usd, minor), Decimal()),
        measured=len(measured),
        saved_usd=sum((m.saved_usd for m in measured if m.saved_usd is not None), Decimal()),
    )


def waiting_proposals(casebook: Casebook, belongs: Belongs, now: datetime) -> tuple[Waiting, ...]:
    """Everything that waits for a decision, whatever week it is of; the largest saving first."""
    pending = [p for p in casebook.proposals("pending", now=now) if belongs([target_scope(p)])]
    found = [_waiting(proposal) for proposal in pending]
    return tuple(sorted(found, key=lambda w: (-(w.saving_usd_per_day or Decimal()), w.expires_at, w.id)))


def scopes_of(incident: Mapping[str, object]) -> Sequence[Scope]:
    """Its own, and those of its culprits within it."""
    own = _scope(incident["scope"])
    culprits = cast(Sequence[Mapping[str, object]], incident["culprits"])
    return [own, *(own.narrowed_to(_scope(culprit["scope"])) for culprit in culprits)]


def target_scope(proposal: Mapping[str, object]) -> Scope:
    """What the proposal would act on."""
    target = cast(Mapping[str, str], proposal["target"])
    return Scope.of({cast(Dimension, d): v for d, v in target.items() if d != "gateway"})


def _scope(stored: object) -> Scope:
    return Scope.of(cast(Mapping[Dimension, str], stored))


def _is_detected(incident: JsonObject) -> bool:
    return not is_whole_range(incident)


def _usd(incident: JsonObject) -> Decimal:
    return Decimal(str(incident["delta_usd"]))


def _incident(view: IncidentView) -> IncidentFact:
    incident = view.incident
    start_at, end_at = (datetime.fromisoformat(str(incident[n])) for n in ("start_at", "end_at"))
    return IncidentFact(
        id=view.id,
        window=Window(start_at, end_at),
        scope=_scope(incident["scope"]),
        cause=str(incident["cause"]),
        verdict=str(incident["verdict"]),
        delta_usd=_usd(incident),
        feedback=view.feedback[0].verdict if view.feedback else None,
        measures=tuple(_measure(proposal) for proposal in view.proposals),
    )


def _measure(view: ProposalView) -> MeasureFact:
    execution, watch = view.execution, view.watch
    rehearsed = execution is not None and execution.dry_run
    seen = watch.result if watch and watch.result and not rehearsed else {}
    hours = int(str(seen.get("hours") or 0))
    return MeasureFact(
        id=view.id,
        action=str(view.document["action"]),
        state=view.state,
        decided_by=tuple(said.decided_by for said in view.words),
        reason=next((said.reason for said in reversed(view.words) if said.reason), None),
        rehearsed=rehearsed,
        verified=execution is not None and execution.state == "done" and not rehearsed,
        undone=view.undo is not None and view.undo.state == "done",
        watch=watch.state if watch else None,
        watched_hours=hours,
        saved_usd=_saved(seen, hours),
        hurts=seen.get("hurts") is True,
    )


def _saved(seen: Mapping[str, object], hours: int) -> Decimal | None:
    """What was not spent in the watched hours: the daily saving that was measured, for as long as it was."""
    if not hours or seen.get("saved_usd_per_day") is None:
        return None
    return (Decimal(str(seen["saved_usd_per_day"])) * hours / 24).quantize(_CENT)


def _waiting(proposal: JsonObject) -> Waiting:
    saving = proposal["expected_saving_usd_per_day"]
    return Waiting(
        id=str(proposal["id"]),
        incident_id=str(proposal["incident_id"]),
        action=str(proposal["action"]),
        target={str(k): str(v) for k, v in cast(Mapping[str, object], proposal["target"]).items()},
        saving_usd_per_day=None if saving is None else Decimal(str(saving)),
        expires_at=datetime.fromisoformat(str(proposal["expires_at"])),
    )
