"""Which questions an investigation asks, and in which order."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from agent.evidence import Evidence, StoredRow, call_tool
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.window import Window
from tools import breakdown, changes, compare, key_activity, mix, past_incidents, price_changes, switchers
from tools.calendar import CalendarEntry
from tools.effects import effects_of
from tools.onset import onset
from tools.past_incidents import History
from tools.slices import slices_of
from tools.study import study_change

MAX_SUSPECTS = 4
MODEL_MOVES = {"model_mix", "tokenizer"}
"""Where one of these leads, keys that moved to another model are asked for."""
LEAST_PART = 0.02
"""Suspects of less than this part of the change are not looked at."""
LEAST_CARRIED = 0.1
"""Suspects that carry less of the change together do not tell what it is: then the whole is judged too."""
OVERVIEW: tuple[Dimension, ...] = ("team", "model", "key_id", "region", "client")


class Subject(BaseModel):
    """What is to be investigated."""

    model_config = ConfigDict(frozen=True)

    incident_id: str
    window: Window
    scope: Scope = EVERYTHING
    expected_pico: int | None = None
    """The seasonal expectation in 1e-12 USD; None takes the mean of the same hours before."""
    explain: bool = False
    """Whether the range itself is the question and no detector found it."""


def look_around(
    reader: Reader, subject: Subject, calendar: Sequence[CalendarEntry] = ()
) -> Iterator[Evidence]:
    """The whole change: its effects, who carries it, and what the scope looks like from outside."""
    window, where = subject.window, subject.scope
    expected = None if subject.explain else subject.expected_pico
    study = cache(lambda: study_change(reader, window, where))
    yield call_tool(
        "effects", lambda: effects_of(study(), expected_pico=expected), window=window, where=where
    )
    found = call_tool("slices", lambda: slices_of(study()), window=window, where=where)
    yield found
    yield _changes(reader, window, where, calendar)
    if MODEL_MOVES & {row.get("lead") for row in found.rows}:
        yield call_tool(
            "switchers", lambda: switchers(reader, window, where=where), window=window, where=where
        )
    for dimension in OVERVIEW:
        if dimension not in where.dimensions:
            yield _broken_down(reader, window, where, dimension)


def look_closer(
    reader: Reader,
    window: Window,
    where: Scope,
    calendar: Sequence[CalendarEntry] = (),
    *,
    lead: str | None = None,
) -> Iterator[Evidence]:
    """One scope that carries the change: everything that tells the causes apart.

    `lead` is the effect that leads in it; None where no slice says so.
    """
    if calendar:
        yield _changes(reader, window, where, calendar)
    yield call_tool("compare", lambda: compare(reader, window, where=where), window=window, where=where)
    yield _broken_down(reader, window, where, "key_id")
    yield call_tool(
        "key_activity", lambda: key_activity(reader, window, where=where), window=window, where=where
    )
    yield call_tool(
        "price_changes", lambda: price_changes(reader, window, where=where), window=window, where=where
    )
    yield call_tool(
        "mix", lambda: mix(reader, window, dimension="model", where=where), window=window, where=where
    )
    yield call_tool(
        "mix", lambda: mix(reader, window, dimension="service_tier", where=where), window=window, where=where
    )
    if lead is not None:
        yield call_tool(
            "onset", lambda: onset(reader, window, where=where, lead=lead), window=window, where=where
        )


def suspected_scopes(evidence: Sequence[Evidence], subject: Subject) -> tuple[Scope, ...]:
    """The scopes worth a closer look, largest change first.

    The whole scope too when none stands out, or when what does is next to nothing of the change.
    """
    found = [e for e in evidence if e.tool == "slices"]
    least = max((LEAST_PART * abs(e.number("change_usd") or 0.0) for e in found), default=0.0)
    rows = [r for r in slice_rows(evidence) if abs(r.usd) >= least]
    scopes = list(dict.fromkeys(row_scope(r.row["scope"]) for r in rows))[:MAX_SUSPECTS]
    carried = sum(abs(r.usd) for r in rows)
    if carried < LEAST_CARRIED * change_size(evidence) and subject.scope not in scopes:
        scopes.append(subject.scope)
    return tuple(scopes) or (subject.scope,)


def change_size(evidence: Sequence[Evidence]) -> float:
    """The size of the change in USD, the trend of past weeks included."""
    return max((abs(e.number("delta_usd") or 0.0) for e in evidence if e.tool == "effects"), default=0.0)


class SliceRow(NamedTuple):
    """A row of `slices`, and where it stands."""

    evidence: Evidence
    position: int
    row: StoredRow

    @property
    def usd(self) -> float:
        return float(str(self.row["usd"]))


def slice_rows(evidence: Sequence[Evidence]) -> Iterator[SliceRow]:
    """The slices that carry a change, without the row that sums up the rest."""
    for found in evidence:
        for i, row in enumerate(found.rows if found.tool == "slices" else ()):
            if "lead" in row:
                yield SliceRow(found, i, row)


def slice_of(evidence: Sequence[Evidence], scope: Scope) -> SliceRow | None:
    """What `slices` says of a scope; not where it only names a trifle of the scope that was asked about."""
    for found in slice_rows(evidence):
        if row_scope(found.row["scope"]) == scope:
            trifle = abs(found.usd) < LEAST_CARRIED * change_size(evidence)
            return None if trifle and found.evidence.where == scope else found
    return None


def row_scope(value: object) -> Scope:
    """The scope a row names."""
    return Scope.of({d: v for d, v in value.items()}) if isinstance(value, dict) else EVERYTHING  # noqa: C416


def _leads(evidence: Sequence[Evidence]) -> dict[Scope, str]:
    """The effect that leads in each scope of the slices."""
    return {row_scope(r.row["scope"]): str(r.row["lead"]) for r in slice_rows(evidence)}


def gather(
    reader: Reader,
    subject: Subject,
    calendar: Sequence[CalendarEntry] = (),
    history: History | None = None,
) -> tuple[Evidence, ...]:
    """Ask everything; each question once."""
    found: dict[str, Evidence] = {e.id: e for e in look_around(reader, subject, calendar)}
    leads = _leads(tuple(found.values()))
    for scope in suspected_scopes(tuple(found.values()), subject):
        for evidence in look_closer(reader, subject.window, scope, calendar, lead=leads.get(scope)):
            found.setdefault(evidence.id, evidence)
        if history is not None:
            evidence = _remembered(history, subject.window, scope)
            found.setdefault(evidence.id, evidence)
    return tuple(found.values())


def _remembered(history: History, window: Window, where: Scope) -> Evidence:
    return call_tool(
        "past_incidents",
        lambda: past_incidents(history, window, where=where),
        window=window,
        where=where,
    )


def _changes(reader: Reader, window: Window, where: Scope, calendar: Sequence[CalendarEntry]) -> Evidence:
    return call_tool(
        "changes",
        lambda: changes(reader, window, where=where, calendar=calendar),
        window=window,
        where=where,
    )


def _broken_down(reader: Reader, window: Window, where: Scope, dimension: Dimension) -> Evidence:
    return call_tool(
        "breakdown",
        lambda: breakdown(reader, window, by=[dimension], where=where),
        window=window,
        where=where,
    )
