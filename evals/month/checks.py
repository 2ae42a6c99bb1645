"""What must be true after the month: each hour judged, each token counted, each alert written, once."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
from sqlalchemy import select

from evals.month.life import CASEBOOK, JOURNAL, LEDGER
from evals.month.plan import HISTORY_DAYS, HOUR, START, Month
from evals.results import Figure, Section
from ledger.store import read_ledger
from ledger.window import Window
from tokensleuth.casebook import Casebook, JsonObject
from tokensleuth.casebook.schema_acts import outbox
from tokensleuth.casebook.schema_runs import runs

_SETTLES = 3 * HOUR
"""The hours before the end that nobody could know yet."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of one month."""

    hours: int
    missed: int
    doubled: int
    kills: int
    ends: int
    token_faults: int
    """Hours whose tokens are not what the provider counted."""
    alerts: int
    alerts_doubled: int
    surges: int
    surges_told: int
    tick_p50_s: float
    tick_p95_s: float
    tick_worst_s: float
    detect_p95_s: float
    rss_first_mb: float
    rss_last_mb: float

    @property
    def holds(self) -> bool:
        return not (self.missed or self.doubled or self.token_faults or self.alerts_doubled)

    def as_json(self) -> Mapping[str, object]:
        return asdict(self)

    def section(self) -> Section:
        """For evals/RESULTS.md."""

        def zero(name: str, count: int) -> Figure:
            return Figure(name, count, "", "0", count == 0)

        return Section(
            f"The service for {self.hours:,} hours on a fast clock",
            "python -m evals.month",
            (
                zero("hours never judged", self.missed),
                zero("hours judged twice", self.doubled),
                zero("hours whose tokens are not the provider's", self.token_faults),
                zero("alerts written twice", self.alerts_doubled),
                Figure("restarts, of which killed", self.kills + self.ends, f"({self.kills})"),
                Figure("alerts", self.alerts, ""),
                Figure("surges put in", self.surges, ""),
                Figure("of these alerted", self.surges_told, ""),
                Figure("an hour's work, median", self.tick_p50_s, "s"),
                Figure("an hour's work, p95", self.tick_p95_s, "s"),
                Figure("the longest, after days away", self.tick_worst_s, "s"),
                Figure("of which judging, p95", self.detect_p95_s, "s"),
                Figure("memory after a day of a life, median", self.rss_first_mb, "MB"),
                Figure("memory at the end of a life, median", self.rss_last_mb, "MB"),
            ),
        )


def checked(month: Month, folder: Path, *, killed: int, ended: int) -> Outcome:
    """Read what is left and hold it against the plan."""
    journal = [json.loads(line) for line in (folder / JOURNAL).read_text().splitlines()]
    ticks = [entry for entry in journal if "tick" in entry]
    with Casebook.open(f"sqlite:///{folder / CASEBOOK}") as casebook:
        missed, hours = _judged(casebook)
        letters = _alerts(casebook)
        incidents = casebook.incidents(now=month.end)
    seconds = np.array([float(tick["seconds"]) for tick in ticks])
    judging = [took for tick in ticks for duty, took in tick["duties"] if duty == "detect"]
    told = {incident_id for incident_id, _ in letters}
    first, last = _memory(ticks)
    return Outcome(
        hours=hours,
        missed=missed,
        doubled=_doubled(journal),
        kills=killed,
        ends=ended,
        token_faults=_token_faults(month, folder),
        alerts=len(letters),
        alerts_doubled=sum(count - 1 for count in Counter(letters).values()),
        surges=len(month.surges()),
        surges_told=_told_surges(month, [i for i in incidents if i["id"] in told]),
        tick_p50_s=float(np.quantile(seconds, 0.5)),
        tick_p95_s=float(np.quantile(seconds, 0.95)),
        tick_worst_s=float(seconds.max()),
        detect_p95_s=float(np.quantile(judging, 0.95)),
        rss_first_mb=first,
        rss_last_mb=last,
    )


def _judged(casebook: Casebook) -> tuple[int, int]:
    """Hours that are not done between the first and the last that is, and how many there are."""
    with casebook.reading() as connection:
        rows = connection.execute(select(runs.c.slot, runs.c.state).where(runs.c.duty == "detect")).all()
    done = {row.slot for row in rows if row.state == "done"}
    first, last = min(done), max(done)
    every = [first + number * HOUR for number in range(int((last - first) / HOUR) + 1)]
    return sum(hour not in done for hour in every), len(every)


def _doubled(journal: Sequence[Mapping[str, object]]) -> int:
    """Hours that were closed as judged more than once, as those who closed them noted."""
    closed = Counter(slot for entry in journal if entry.get("closed") == "detect" for slot in _slots(entry))
    return sum(count - 1 for count in closed.values())


def _slots(entry: Mapping[str, object]) -> list[str]:
    return list(cast(list[str], entry["slots"]))


def _alerts(casebook: Casebook) -> list[tuple[str, str]]:
    """Incident and channel of every alert that was written."""
    with casebook.reading() as connection:
        rows = connection.execute(
            select(outbox.c.incident_id, outbox.c.lane).where(outbox.c.kind == "alert")
        ).all()
    return [(row.incident_id, row.lane.split(":")[1]) for row in rows]


def _token_faults(month: Month, folder: Path) -> int:
    """Every hour of the ledger against what the provider counted when all was known."""
    window = Window(START - timedelta(days=HISTORY_DAYS), month.end - _SETTLES)
    with read_ledger(folder / LEDGER) as ledger:
        extent = ledger.reader.extent()
        found = ledger.reader.hourly(window, metric="tokens").values[0] if extent else np.zeros(window.hours)
    truth = np.array([int(month.requests(hour).sum()) * 1150 for hour in window.each_hour()])
    known_from = month.first - timedelta(days=HISTORY_DAYS)
    hours = np.array([hour >= known_from + HOUR for hour in window.each_hour()])
    return int(((found != truth) & hours).sum())


def _told_surges(month: Month, told: Sequence[JsonObject]) -> int:
    """Surges of which an alert names the key, in a window that touches them."""
    return sum(
        any(
            _is_about(incident, f"key_{s.key:05}", s.start_at, s.start_at + s.hours * HOUR)
            for incident in told
        )
        for s in month.surges()
    )


def _is_about(incident: JsonObject, key: str, start_at: datetime, end_at: datetime) -> bool:
    window = [datetime.fromisoformat(str(incident[name])) for name in ("start_at", "end_at")]
    scopes = [incident["scope"], *(c["scope"] for c in incident["culprits"])]  # type: ignore[attr-defined]
    named = any(key == scope.get("key_id") for scope in scopes)
    return named and window[0] < end_at and window[1] > start_at


def _memory(ticks: Sequence[Mapping[str, object]]) -> tuple[float, float]:
    """In lives of two days at least: after the first day, and at their end."""
    lives: dict[object, list[float]] = {}
    for tick in ticks:
        lives.setdefault(tick["pid"], []).append(float(str(tick["rss_mb"])))
    long = [life for life in lives.values() if len(life) >= 48]
    if not long:
        return 0.0, 0.0
    return float(np.median([life[23] for life in long])), float(np.median([life[-1] for life in long]))
