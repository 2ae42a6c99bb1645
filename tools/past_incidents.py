"""The tool that recalls similar incidents of the past and what people decided about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from ledger.scope import EVERYTHING, UNALLOCATED, Dimension, Scope
from ledger.window import Window, instant_text
from tools.answer import Row, Scalar, ToolAnswer, answer, asked
from tools.comparison import Comparison

MOST_ROWS = 20
MOST_NOTE = 300
"""Characters of a note that are told."""

SAME_SCOPE, SAME_KEY, SAME_PLACE, ONE_MORE_PLACE, INSIDE = 1.0, 0.7, 0.4, 0.1, 0.2
"""How alike two scopes are: the same; one key; one team, project or model and each further one; one within
the other."""
CAUSE_WEIGHT = 0.4
"""What the cause counts against the scope, where one is asked for."""
PLACES: tuple[Dimension, ...] = ("team", "project", "model")

APPROVED = frozenset({"approved", "executing", "done", "failed", "unknown", "blocked", "accepted"})
"""States that follow a person's yes, whatever came of it."""
DECIDED = APPROVED | {"rejected"}
EXPECTED = frozenset({"mark_expected", "accept_baseline"})


class Decided(NamedTuple):
    """What was proposed or done about an incident, and how it stands."""

    action: str
    """Of a proposal; `accept_baseline` where somebody called the level normal."""
    state: str
    """Of the proposal; `accepted` of a baseline."""


@dataclass(frozen=True, slots=True)
class PastIncident:
    """One incident as it was last investigated."""

    id: str
    window: Window
    scope: Scope
    cause: str
    verdict: str
    delta_usd: Decimal
    decisions: tuple[Decided, ...]
    note: str | None
    """The reason a person gave."""
    saved_at: datetime

    @property
    def is_decided(self) -> bool:
        return any(decision.state in DECIDED for decision in self.decisions)

    @property
    def is_expected(self) -> bool:
        """Whether a person said that it was to be expected."""
        return any(d.action in EXPECTED and d.state in APPROVED for d in self.decisions)


class History(Protocol):
    """What is remembered of earlier investigations; read-only."""

    def incidents_before(self, at: datetime) -> Sequence[PastIncident]:
        """Incidents that ended at or before `at`, latest first; whole ranges that were explained left out."""


def past_incidents(
    history: History,
    window: Window,
    *,
    where: Scope = EVERYTHING,
    cause: str | None = None,
    limit: int = 5,
) -> ToolAnswer:
    """Recall similar incidents that ended before the window, and what people decided about them.

    Use it before proposing an action, or to see whether people called this expected before. Rows, most alike
    first, then latest: `incident`, `scope`, `start_at`, `end_at`, `cause`, `verdict`, `delta_usd`,
    `decisions` (action and state), `expected` (1: people said so), `note` (a person's reason), `similarity` 0
    to 1: same scope, else shared key, team, project or model; and same `cause` where given. Facts:
    `past_incidents` on record, `similar_incidents` of these, listed or not; among the similar `same_scope`,
    `same_cause`, `decided`, `expected_by_people`. `no_data`: none is similar. A past cause is no evidence for
    the present one.
    """
    known = _ended_before(window.start_at, history)
    ranked = sorted(known, key=lambda past: _order(past, where, cause))
    similar = [past for past in ranked if similarity(past, where, cause)]
    return answer(
        "past_incidents",
        asked(window, where, cause=cause, limit=limit),
        Comparison(window, ()),
        where,
        rows=[_row(past, where, cause) for past in similar[: min(max(limit, 1), MOST_ROWS)]],
        facts={"past_incidents": len(known), **_facts(similar, where, cause)},
        found=bool(similar),
    )


def _ended_before(at: datetime, history: History) -> list[PastIncident]:
    """Whatever the history gives: a second run must not find what the first one saved."""
    return [past for past in history.incidents_before(at) if past.window.end_at <= at]


def similarity(past: PastIncident, where: Scope, cause: str | None) -> float:
    """From 0, nothing in common, to 1, the same scope (and the same cause, where one is asked for)."""
    alike = _alike(past.scope, where)
    if cause is None:
        return alike
    return round((1 - CAUSE_WEIGHT) * alike + CAUSE_WEIGHT * (past.cause == cause), 2)


def _alike(one: Scope, other: Scope) -> float:
    if one == other:
        return SAME_SCOPE
    theirs = other.as_dict()
    shared = {d for d, value in one.items if theirs.get(d) == value != UNALLOCATED}
    if "key_id" in shared:
        return SAME_KEY
    places = len(shared.intersection(PLACES))
    if places:
        return SAME_PLACE + ONE_MORE_PLACE * (places - 1)
    return INSIDE if one.contains(other) or other.contains(one) else 0.0


def _order(past: PastIncident, where: Scope, cause: str | None) -> tuple[float, float, str]:
    return -similarity(past, where, cause), -past.window.end_at.timestamp(), past.id


def _row(past: PastIncident, where: Scope, cause: str | None) -> Row:
    return {
        "incident": past.id,
        "scope": dict(past.scope.items),
        "start_at": instant_text(past.window.start_at),
        "end_at": instant_text(past.window.end_at),
        "cause": past.cause,
        "verdict": past.verdict,
        "delta_usd": past.delta_usd,
        "decisions": "; ".join(f"{action} {state}" for action, state in past.decisions) or "none",
        "expected": int(past.is_expected),
        "note": past.note and past.note[:MOST_NOTE],
        "similarity": similarity(past, where, cause),
    }


def _facts(similar: Sequence[PastIncident], where: Scope, cause: str | None) -> dict[str, Scalar]:
    return {
        "similar_incidents": len(similar),
        "same_scope": sum(past.scope == where for past in similar),
        "same_cause": None if cause is None else sum(past.cause == cause for past in similar),
        "decided": sum(past.is_decided for past in similar),
        "expected_by_people": sum(past.is_expected for past in similar),
    }
