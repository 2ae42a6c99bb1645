"""The keys that moved from one model to another, measured on their own hours against keys that stayed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from ledger.hour_sums import Floats, KeyHours, key_hours
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.window import HOUR, Window
from tools.comparison import widened
from tools.matched_hours import LEAD_HOURS, SPAN_HOURS, kinds_of, log_ratios
from tools.switch_candidates import find_candidates
from tools.switch_statistics import CohortTest, compare_cohorts
from tools.switches import Move, find_moves, rows_by_key

OWNERS: tuple[Dimension, ...] = ("team", "project", "key_id", "user")
"""Keys outside these are the ones to compare with: they show what changed for everybody."""
LEAST_LOGGED = 0.5
"""Share of switchers whose characters decide for all."""


@dataclass(frozen=True, slots=True)
class Switcher:
    """A key that moved, and what its requests were like after against before; logs of ratios."""

    move: Move
    at: datetime
    """The first hour after its move."""
    cost_pico: float
    input_per_request: float
    output_per_request: float
    characters_per_request: float
    requests: float


@dataclass(frozen=True, slots=True)
class Cohort:
    """The keys that made the commonest move, and the drift of those that stayed."""

    window: Window
    """All hours that were read."""
    switchers: tuple[Switcher, ...]
    """Most spend first."""
    steady: Mapping[str, Floats]
    """By measure: logs of ratios of the keys that stayed, shape (switchers, keys)."""

    def test(self, measure: Literal["input_per_request", "requests"]) -> CohortTest:
        """The test of what every switcher has, against those that stayed."""
        return compare_cohorts(self.column(measure), self.steady[measure])

    def test_known(self, measure: str) -> CohortTest | None:
        """The same for the switchers that have the measure; None where none has."""
        ratios = self.column(measure)
        known = np.isfinite(ratios)
        return compare_cohorts(ratios[known], self.steady[measure][known]) if known.any() else None

    def column(self, measure: str) -> Floats:
        return np.array([getattr(s, measure) for s in self.switchers], dtype=np.float64)

    def per_character(self) -> CohortTest | None:
        """Prompt tokens per character, of the keys that log characters; None where under half of them do.

        What others did meanwhile is no part of it: a text is a text.
        """
        ratios = self.column("input_per_request") - self.column("characters_per_request")
        known = ratios[np.isfinite(ratios)]
        if len(known) < LEAST_LOGGED * len(ratios):
            return None
        return compare_cohorts(known, np.empty((len(known), 0)))

    def tokens(self) -> CohortTest:
        """Tokens for the same work: per character where they are logged, else per request."""
        return self.per_character() or self.test("input_per_request")

    @property
    def old(self) -> str:
        return self.switchers[0].move.old

    @property
    def new(self) -> str:
        return self.switchers[0].move.new


RATIOS: Mapping[str, tuple[str, str]] = {
    "input_per_request": ("prompt", "requests"),
    "output_per_request": ("output", "requests"),
    "characters_per_request": ("characters", "requests"),
    "requests": ("requests", "hours"),
}


def find_cohort(
    reader: Reader, window: Window, *, where: Scope = EVERYTHING, new_models: frozenset[str] | None = None
) -> Cohort | None:
    """The keys that made the commonest move in or shortly before the window; None where none moved.

    `new_models` narrows to moves to one of these.
    """
    read = Window(window.start_at - timedelta(hours=SPAN_HOURS + LEAD_HOURS), window.end_at)
    since = read.start_at + timedelta(hours=LEAD_HOURS)
    place, inside = _without_owners(where), _keys_inside(reader, read, where)
    candidates = find_candidates(
        reader, Window(read.start_at, since), Window(since, read.end_at), where=place, inside=inside
    )
    if not candidates.movers:
        return None
    hours = key_hours(reader, read, where=place, scope_ids=candidates.scope_ids)
    moves = find_moves(hours.keys, hours.models, hours.measure("requests"), first_hour=LEAD_HOURS)
    possible = set(candidates.movers)
    wanted = [m for m in moves if m.key in possible and (new_models is None or m.new in new_models)]
    if not wanted:
        return None
    pairs = Counter((m.old, m.new) for m in wanted)
    pair = max(sorted(pairs), key=pairs.__getitem__)
    stayed = [key for key in candidates.steady if key not in {m.key for m in moves}]
    cohort = _cohort(hours, [m for m in wanted if (m.old, m.new) == pair], stayed)
    return cohort if cohort.switchers else None


def _without_owners(where: Scope) -> Scope:
    return Scope(tuple((d, v) for d, v in widened(where).items if d not in OWNERS))


def _keys_inside(reader: Reader, window: Window, where: Scope) -> set[str] | None:
    """Keys with usage in the scope; None where that is all keys."""
    if where == EVERYTHING:
        return None
    return {s.as_dict()["key_id"] for s in reader.totals([window], by=("key_id",), where=where)}


def _cohort(hours: KeyHours, moves: Sequence[Move], stayed: Sequence[str]) -> Cohort:
    """Measure every move on its own hours, and the keys that stayed on the same."""
    rows = dict(rows_by_key(hours.keys))
    position = {key: i for i, key in enumerate(rows)}
    sums = {name: _by_key(hours, rows, name) for name in ("requests", "prompt", "output", "characters")}
    sums["hours"] = np.ones_like(sums["requests"])
    spent = _by_key(hours, rows, "cost").sum(axis=1)
    steady = [position[key] for key in stayed if key in position]
    kinds = kinds_of(hours.window.start_at, hours.window.hours)
    found: list[Switcher] = []
    drifts: list[dict[str, Floats]] = []
    for move in sorted(moves, key=lambda m: (-spent[position[m.key]], m.key)):
        chosen = [position[move.key], *steady]
        ratios = {
            name: log_ratios(sums[top][chosen], sums[bottom][chosen], move.hour, kinds)
            for name, (top, bottom) in RATIOS.items()
        }
        if np.isfinite(ratios["input_per_request"][0] + ratios["requests"][0]):
            at = hours.window.start_at + move.hour * HOUR
            own = {name: float(r[0]) for name, r in ratios.items()}
            found.append(Switcher(move, at, float(spent[chosen[0]]), **own))
            drifts.append({name: r[1:] for name, r in ratios.items()})
    table = {name: np.array([d[name] for d in drifts]) for name in RATIOS}
    return Cohort(hours.window, tuple(found), table)


def _by_key(hours: KeyHours, rows: Mapping[str, list[int]], measure: str) -> Floats:
    """Shape (keys, hours)."""
    values = hours.measure(measure)
    return np.array([values[own].sum(axis=0) for own in rows.values()])
