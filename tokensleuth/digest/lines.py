"""Hours of the week against the mean of the same hours before; and whether all hours are there."""

from datetime import datetime, timedelta

import numpy as np

from ledger.remembered import RememberingReader
from ledger.scope import EVERYTHING, Scope
from ledger.window import HOUR, Window, baseline_windows
from tokensleuth.digest.facts import Completeness, HourLine, SourceEnd

LATE = timedelta(days=1)
FORGOTTEN = timedelta(weeks=4)
"""A provider that was silent for longer is not waited for."""


def hour_lines(
    reader: RememberingReader, known: Window | None, extent: Window, teams: tuple[str, ...]
) -> dict[str | None, HourLine]:
    """By team, and of all under None; expected is the mean of the same hours in up to 4 earlier weeks."""
    if known is None:
        return {}
    weeks = baseline_windows(known, extent)
    whole = Window(min((w.start_at for w in weeks), default=known.start_at), known.end_at)
    total = reader.hourly(whole)
    rows: dict[str | None, np.ndarray] = {None: total.values[0]}
    if teams:
        series = reader.hourly(whole, by=("team",))
        rows |= {s.as_dict()["team"]: series.values[i] for i, s in enumerate(series.scopes)}
    return {team: _line(row, whole, known, weeks) for team, row in rows.items() if team in (None, *teams)}


def _line(row: np.ndarray, whole: Window, known: Window, weeks: tuple[Window, ...]) -> HourLine:
    def cut(window: Window) -> np.ndarray:
        first = (window.start_at - whole.start_at) // HOUR
        return row[first : first + window.hours]

    before = np.stack([cut(w) for w in weeks]) if weeks else np.full((1, known.hours), np.nan)
    return HourLine(
        start_at=known.start_at,
        actual=tuple(cut(known).tolist()),
        expected=tuple(before.mean(axis=0).tolist()),
        low=tuple(before.min(axis=0).tolist()),
        high=tuple(before.max(axis=0).tolist()),
        weeks=len(weeks),
    )


def completeness(
    reader: RememberingReader, week: Window, known: Window | None, where: Scope = EVERYTHING
) -> Completeness:
    """Hours with any usage, and providers that fell silent a day to four weeks ago."""
    if known is None:
        return Completeness(week.hours, 0, ())
    requests = reader.hourly(known, where=where, metric="tokens").values[0]
    calls = reader.hourly(known, where=where, metric="requests").values[0]
    return Completeness(
        week.hours, int(((requests > 0) | (calls > 0)).sum()), _late_sources(reader, known.end_at, where)
    )


def _late_sources(reader: RememberingReader, at: datetime, where: Scope) -> tuple[SourceEnd, ...]:
    lives = sorted(reader.first_seen("provider", where=where).items())
    return tuple(
        SourceEnd(name, life.end_at) for name, life in lives if LATE <= at - life.end_at <= FORGOTTEN
    )
