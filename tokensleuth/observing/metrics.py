"""Metrics for Prometheus: read at scrape time, in the text format or OpenMetrics, whichever is asked for."""

import hmac
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from tokensleuth.casebook import Casebook
from tokensleuth.observing.figures import Figures, read_figures
from tokensleuth.observing.run_tally import BOUNDS_S
from tokensleuth.observing.settings import MetricsSettings

Rows = Sequence[tuple[Sequence[str], float]]
"""Label values and the value."""


@dataclass(frozen=True, slots=True)
class Scraped:
    """One answer to a scrape."""

    body: bytes
    content_type: str


class Metrics:
    """A registry of its own: whatever else the process counts is not told."""

    def __init__(
        self,
        casebook: Casebook,
        clock: Callable[[], datetime],
        settings: MetricsSettings | None = None,
        *,
        healthy: Callable[[], bool] = lambda: True,
        owner: str | None = None,
    ) -> None:
        """`owner` is the name under which this process takes the lead."""
        self._token = (settings or MetricsSettings()).token
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_ServiceCollector(casebook, clock, healthy, owner))
        ProcessCollector(registry=self._registry)

    def admits(self, authorization: str) -> bool:
        """Whether a header `Authorization` lets its sender in: any, where no token is set."""
        if self._token is None:
            return True
        expected = f"Bearer {self._token.get_secret_value()}"
        return hmac.compare_digest(authorization.encode(), expected.encode())

    def scrape(self, accept: str = "") -> Scraped:
        """Everything as it is now; raises UnreachableError where the casebook cannot be read."""
        encode, content_type = choose_encoder(accept)
        return Scraped(encode(self._registry), content_type)


@dataclass(frozen=True, slots=True)
class _ServiceCollector(Collector):
    """Asks the casebook anew for every scrape."""

    casebook: Casebook
    clock: Callable[[], datetime]
    healthy: Callable[[], bool]
    owner: str | None

    def collect(self) -> Iterator[Metric]:
        figures = read_figures(self.casebook, self.owner, self.clock())
        yield _build()
        yield _gauge("healthy", "1 where /healthz says ok", [((), float(self.healthy()))])
        yield from _of_runs(figures)
        yield from _of_sources(figures)
        yield from _of_work(figures)


def _of_runs(figures: Figures) -> Iterator[Metric]:
    ended = [
        ((duty, state), float(getattr(tally, state)))
        for duty, tally in sorted(figures.ended.items())
        for state in ("done", "failed")
    ]
    yield _counter("runs", "Scheduled runs that ended, by duty and how", ended, "duty", "state")
    unended = [(key, float(count)) for key, count in sorted(figures.open_runs.items())]
    yield _gauge("runs_open", "Scheduled runs that are due or running", unended, "duty", "state")
    seconds = HistogramMetricFamily("tokensleuth_run_seconds", "How long a run took", labels=["duty"])
    for duty, tally in sorted(figures.ended.items()):
        within = [(str(float(b)), float(n)) for b, n in zip(BOUNDS_S, tally.within, strict=True)]
        seconds.add_metric([duty], [*within, ("+Inf", float(tally.timed))], tally.seconds)
    yield seconds


def _of_sources(figures: Figures) -> Iterator[Metric]:
    behind = [] if figures.hours_behind is None else [((), figures.hours_behind)]
    yield _gauge("hours_behind", "Hours from the last hour that was judged to the last whole hour", behind)
    marks = [((m.source, m.stream), m.complete_until.timestamp()) for m in figures.streams]
    yield _gauge(
        "source_complete_until_seconds",
        "UNIX time up to which a stream was pulled",
        marks,
        "source",
        "stream",
    )
    failures = [((source,), float(count)) for source, count in figures.failures.items()]
    told = "How often a source began to fail for longer than schedule.patience_minutes"
    yield _counter("source_failures", told, failures, "source")


def _of_work(figures: Figures) -> Iterator[Metric]:
    open_incidents = [((severity,), float(n)) for severity, n in figures.open_incidents.items()]
    told = "Incidents of the last 24 h, and older ones with something to decide or to do"
    yield _gauge("incidents_open", told, open_incidents, "severity")
    open_notices = [(key, float(n)) for key, n in sorted(figures.open_notices.items())]
    yield _gauge("notices_open", "Budgets, sources and the service itself", open_notices, "kind", "severity")
    for name, told, value in (
        ("proposals_waiting", "Proposals that wait for a decision", figures.proposals_waiting),
        ("letters_waiting", "Letters that are not out yet", figures.letters.number),
        (
            "letters_oldest_age_seconds",
            "Age of the oldest of them; 0 where none waits",
            figures.letters.oldest_s,
        ),
        ("inbox_waiting", "Clicks, commands and jobs that are not handled yet", figures.items.number),
        ("inbox_oldest_age_seconds", "Age of the oldest of them; 0 where none waits", figures.items.oldest_s),
    ):
        yield _gauge(name, told, [((), float(value))])
    done = [(key, float(n)) for key, n in sorted(figures.executions.items())]
    yield _gauge("executions", "Executions in the casebook", done, "kind", "state")
    entries = [((), float(figures.audit_entries))]
    yield _counter("audit_entries", "Entries of the audit trail", entries)
    leads = [] if figures.leads is None else [((), float(figures.leads))]
    yield _gauge("leader", "1 where this process owns the ledger, 0 where another does", leads)


def _build() -> Metric:
    about = {"version": version("tokensleuth"), "python": platform.python_version()}
    return InfoMetricFamily("tokensleuth_build", "What runs here", value=about)


def _gauge(name: str, told: str, rows: Rows, *labels: str) -> Metric:
    family = GaugeMetricFamily(f"tokensleuth_{name}", told, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def _counter(name: str, told: str, rows: Rows, *labels: str) -> Metric:
    family = CounterMetricFamily(f"tokensleuth_{name}", told, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family
