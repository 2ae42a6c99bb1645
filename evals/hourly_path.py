"""`python -m evals.hourly_path --series 10000`: CPU and memory of the nightly refit and the hourly path.

Each measurement runs in a process of its own, on one core, over a ledger of so many keys and 67 days.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import cast

from detectors.settings import DetectorSettings
from evals.key_ledger import END_AT, write_key_ledger
from evals.results import RESULTS, Figure, Section, render_sections, write_part
from evals.runs import Run, run
from ledger.store import Ledger, open_ledger
from tokensleuth.live import detect_live
from tokensleuth.refit import refit

SETTINGS = DetectorSettings(max_series=1_000_000)
NIGHTS = 8
"""From the first refit, which warms up, to one that renews shapes and the forest."""
CALLS = 4
NOW = END_AT - timedelta(hours=2)
STAGES = ("fetch", "scores", "spikes", "merge")


def measure_refit(ledger: Ledger) -> dict[str, object]:
    """CPU seconds of each night, and what the last one learnt."""
    cpu = []
    for days in range(NIGHTS, 0, -1):
        begun = time.process_time()
        done = refit(ledger, SETTINGS, until=END_AT - timedelta(days=days))
        cpu.append(time.process_time() - begun)
    return {"cpu_seconds": cpu, "rows": done.model.facts["rows"], "series": done.model.facts["series"]}


class _Watch:
    """CPU seconds between one stage and the next."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self._last = time.process_time()

    def done(self, stage: str) -> None:
        now = time.process_time()
        self.stages[stage], self._last = now - self._last, now


def measure_live(ledger: Ledger) -> dict[str, object]:
    """CPU seconds of each stage of each call, the first one being cold."""
    calls = []
    for _ in range(CALLS):
        watch = _Watch()
        found = detect_live(ledger, SETTINGS, now=NOW, done=watch.done)
        watch.done("merge")
        calls.append(watch.stages)
    return {"calls": calls, "spikes": len(found.spikes), "incidents": len(found.incidents)}


def hourly_path_section(keys: int, work: Path) -> Section:
    """The figures of a ledger of so many keys, made where it is missing."""
    ledger = work / f"keys-{keys}.duckdb"
    if not ledger.exists():
        print(f"  writing a ledger of {keys:,} keys", file=sys.stderr, flush=True)
        _expect(
            run((sys.executable, "-m", "evals.hourly_path", "--make", str(ledger), "--series", str(keys)))
        )
    nightly, live = (_measured(ledger, what) for what in ("refit", "live"))
    learnt, called = _expect(nightly), _expect(live)
    rows = cast(int, learnt["rows"])
    first, *plain, renewing = [1000 * cpu / rows for cpu in cast(list[float], learnt["cpu_seconds"])[:7]]
    calls = cast(list[dict[str, float]], called["calls"])
    stages = {stage: median(call[stage] for call in calls[1:]) for stage in STAGES}
    before_merge = sum(stages.values()) - stages["merge"]
    figures = (
        Figure("series, of which distinct", cast(int, learnt["series"]), f"({rows:,})"),
        Figure("first refit, two midnights, CPU per series", first, "ms", "at most 5 ms", first <= 5),
        Figure("nightly refit, CPU per series", median(plain), "ms", "at most 5 ms", median(plain) <= 5),
        Figure("refit that renews shapes, CPU per series", renewing, "ms", "at most 5 ms", renewing <= 5),
        Figure("refit, peak memory", nightly.peak_mb, "MB", "under 1,000 MB", nightly.peak_mb < 1000),
        Figure("hourly path without merge, CPU", before_merge, "s", "under 1 s", before_merge < 1),
        *(Figure(f"of which {stage}", stages[stage], "s") for stage in STAGES[:-1]),
        Figure("merging to incidents, CPU", stages["merge"], "s"),
        Figure("the first, cold call, CPU", sum(calls[0].values()), "s"),
        Figure("hourly path, peak memory", live.peak_mb, "MB", "under 1,000 MB", live.peak_mb < 1000),
        Figure("spikes, in incidents", cast(int, called["spikes"]), f"({called['incidents']})"),
    )
    return Section(
        f"Nightly refit and hourly path, {keys:,} keys",
        f"python -m evals.hourly_path --series {keys}",
        figures,
        note="One core. Per distinct series: a key of one team is two series and one row. The hourly path "
        "judges 72 to 96 hours by four kept models; medians of 3 calls after a cold one.",
    )


def _measured(ledger: Path, what: str) -> Run:
    print(f"  {what}", file=sys.stderr, flush=True)
    return run((sys.executable, "-m", "evals.hourly_path", "--measure", what, "--ledger", str(ledger)))


def _expect(measured: Run) -> dict[str, object]:
    if measured.exit_code:
        raise RuntimeError(measured.stderr)
    return cast(dict[str, object], measured.document())


def _measure(what: str, path: Path) -> dict[str, object]:
    with open_ledger(path, create=False) as ledger:
        ledger.kept.connection.execute("set threads = 1")
        if what == "live":
            return measure_live(ledger)
        with ledger.kept.transaction():
            ledger.kept.models.keep_only([])
        return measure_refit(ledger)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.hourly_path", description=__doc__)
    parser.add_argument("--series", type=int, nargs="+", default=[10_000], help="numbers of keys")
    parser.add_argument("--work", type=Path, help="keep the ledgers in this folder")
    parser.add_argument("--no-write", action="store_true", help="print only; leave RESULTS.md as it is")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", choices=["refit", "live"], help=argparse.SUPPRESS)
    parser.add_argument("--ledger", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.make:
        write_key_ledger(options.make, keys=options.series[0])
        print("{}")
    elif options.measure:
        print(json.dumps(_measure(options.measure, options.ledger)))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            work = options.work or Path(scratch)
            measured = render_sections([hourly_path_section(keys, work) for keys in options.series])
        print(measured)
        if not options.no_write:
            write_part(RESULTS, "hourly-path", "python -m evals.hourly_path", measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
