"""Reads the labelled development files into the benchmark's shape; the caller names their folder."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from detectors.statistics import BoolArray, FloatArray, IntArray
from evals.detection.spend_set import HOUR_IMPACT, LONG_IMPACT, Event, SpendSet
from evals.detection.trial import Trial

SPEND_FILE = "spend_dev.parquet"
EVENTS_FILE = "spend_dev_events.json"
MONITORING_FILE = "monitoring_dev.parquet"
HISTORY_HOURS = 60 * 24
"""Of the spend set; the 28 days after it are scored."""
CLIENTS_FILE = "servegen_hourly.parquet"
MONITORING_USD = 10.0
ANOMALY = "anomaly"
"""The only kind of the monitoring labels, which tell when but not what."""


@dataclass(frozen=True, slots=True)
class _Labelled:
    name: str
    start_at: datetime
    values: FloatArray
    labels: BoolArray


def development_set(folder: Path) -> SpendSet:
    """The 68 series of `spend_dev`: 1440 hours of history, 672 hours to score."""
    frame = _read(folder / SPEND_FILE, "select * from read_parquet($file) order by series, started_at")
    cost = frame.pivot(index="series", columns="started_at", values="cost_usd")
    tokens = frame.pivot(index="series", columns="started_at", values="tokens")
    first_hour = cost.notna().to_numpy().argmax(axis=1)
    cost_usd = cost.fillna(0.0).to_numpy(dtype=np.float64)
    start_at = pd.Timestamp(cost.columns[0]).to_pydatetime().replace(tzinfo=UTC)
    mean_usd = history_mean_usd(cost_usd, first_hour, HISTORY_HOURS)
    return SpendSet(
        "development",
        start_at,
        tuple(cost.index),
        frame.groupby("series")["family"].first().to_numpy(dtype=np.str_),
        cost_usd,
        tokens.fillna(0.0).to_numpy(dtype=np.float64),
        first_hour,
        HISTORY_HOURS,
        tuple(_events(folder / EVENTS_FILE, tuple(cost.index), start_at, mean_usd)),
    )


def monitoring_trial(folder: Path) -> Trial:
    """The 30 series of `monitoring_dev`, labelled by experts, as sets of equal start and length.

    History is the first quarter of a series in whole days, at least 7 of them and at most 60. A null takes
    the value before it; series kept by the minute are hourly in the file already. They are in units of their
    own: each is brought to $10 an hour over its history. Anomalies that begin in the history count neither as
    hit nor as miss, all others count; they have no excess in dollars.
    """
    frame = _read(folder / MONITORING_FILE, "select * from read_parquet($file) order by series, ts")
    series = sorted(
        (
            _Labelled(
                str(name),
                part["ts"].iloc[0].to_pydatetime().replace(tzinfo=UTC),
                part["value"].ffill().fillna(0.0).to_numpy(dtype=np.float64),
                part["label"].to_numpy() > 0,
            )
            for name, part in frame.groupby("series")
        ),
        key=lambda one: (one.start_at, len(one.values), one.name),
    )
    groups = groupby(series, key=lambda one: (one.start_at, len(one.values)))
    return Trial("monitoring", tuple(_group(tuple(members)) for _, members in groups))


def real_clients(folder: Path) -> FloatArray:
    """(clients, 336): tokens an hour of the real clients of ServeGen, requests where tokens are not known."""
    frame = _read(
        folder / CLIENTS_FILE,
        "select model || client as client, hour, coalesce(in_tok + out_tok, requests) as traffic"
        " from read_parquet($file)",
    )
    traffic = frame.pivot(index="client", columns="hour", values="traffic")
    return np.asarray(traffic.fillna(0.0).to_numpy(dtype=np.float64))


def history_mean_usd(cost_usd: FloatArray, first_hour: IntArray, history_hours: int) -> FloatArray:
    """(series,): mean hourly spend over the history hours in which a series exists."""
    total = cost_usd[:, :history_hours].sum(axis=1)
    return np.asarray(total / np.maximum(history_hours - first_hour, 1))


def is_counted(kind: str, excess_usd: float, mean_usd: float) -> bool:
    """Whether an event is large enough to be hit or missed: its excess in hours of the series' mean spend."""
    return abs(excess_usd) >= HOUR_IMPACT.get(kind, LONG_IMPACT) * mean_usd


def _read(file: Path, query: str) -> pd.DataFrame:
    with duckdb.connect() as connection:
        return connection.execute(query, {"file": str(file)}).df()


def _events(file: Path, names: Sequence[str], start_at: datetime, mean_usd: FloatArray) -> Iterator[Event]:
    for told in json.loads(file.read_text(encoding="utf-8")):
        row, excess_usd = names.index(told["series"]), float(told["excess_usd"])
        yield Event(
            row,
            told["kind"],
            _hours_between(start_at, told["start_at"]),
            _hours_between(start_at, told["end_at"]),
            excess_usd,
            is_counted(told["kind"], excess_usd, float(mean_usd[row])),
        )


def _hours_between(start_at: datetime, instant: str) -> int:
    return round((datetime.fromisoformat(instant) - start_at).total_seconds() / 3600)


def _group(members: Sequence[_Labelled]) -> SpendSet:
    """Series of one start and one length."""
    hours = len(members[0].values)
    history_hours = 24 * min(max(hours // (4 * 24), 7), 60)
    labels = np.stack([one.labels for one in members])
    values = np.stack([one.values for one in members])
    mean = values[:, :history_hours].mean(axis=1, keepdims=True)
    return SpendSet(
        "monitoring",
        members[0].start_at,
        tuple(one.name for one in members),
        np.array([one.name.partition("-")[0] for one in members]),
        MONITORING_USD * np.divide(values, mean, out=values.copy(), where=mean > 0),
        None,
        np.zeros(len(members), dtype=np.int64),
        history_hours,
        tuple(_anomalies(labels, history_hours)),
    )


def _anomalies(labels: BoolArray, history_hours: int) -> Iterator[Event]:
    """Runs of labelled hours that reach into the hours scored."""
    steps = np.diff(labels.astype(np.int8), axis=1, prepend=0, append=0)
    starts, ends = np.argwhere(steps == 1), np.argwhere(steps == -1)
    for (row, start), (_, end) in zip(starts, ends, strict=True):
        if end > history_hours:
            yield Event(int(row), ANOMALY, int(start), int(end), 0.0, bool(start >= history_hours))
