"""`python -m evals.bench`: speed of ingest, investigate and start-up, in RESULTS.md and out/bench.json."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from evals.requests import LAST_DAY, write_requests
from evals.results import RESULTS, Figure, Section, machine_facts, render_sections, write_part
from evals.runs import PRODUCT, Run, Stores, run, run_product
from evals.servegen import LAST_WEEK, PRICED_AS, default_folder, find_source, write_servegen_usage
from ledger.window import instant_text

HERE = Path(__file__).parent
DAY = LAST_DAY.date().isoformat()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="request rows of the ingest benchmark")
    parser.add_argument("--data", type=Path, default=default_folder(), help="folder of the real traffic")
    parser.add_argument("--chart", type=Path, help="write the charts of the real traffic's incidents here")
    parser.add_argument("--work", type=Path, help="keep files and ledgers in this folder")
    parser.add_argument("--no-write", action="store_true", help="print only; leave RESULTS.md as it is")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        sections = run_sections(options.rows, options.data, options.chart, work)
    if not options.no_write:
        write_results(sections, f"python -m evals.bench --rows {options.rows}")
    return 1 if any(section.note.startswith("Failed") for section in sections) else 0


def run_sections(rows: int, data: Path, chart: Path | None, work: Path) -> list[Section]:
    """Every benchmark in turn; one that fails says so in its section and the others go on."""
    requests = work / f"requests-{rows}.parquet"
    stores = Stores.fresh(work)
    benchmarks: tuple[tuple[str, Callable[[], Section]], ...] = (
        ("Start-up", start_up),
        ("Ingest", lambda: ingest(requests, rows, stores, work)),
        ("Investigate one day", lambda: investigate(stores)),
        ("Explain one day", lambda: explain(stores)),
        ("Real traffic", lambda: real_traffic(data, chart, work)),
    )
    sections = []
    for title, benchmark in benchmarks:
        print(f"{title} ...", file=sys.stderr, flush=True)
        try:
            section = benchmark()
        except RuntimeError as error:
            section = Section(title, "", note=f"Failed: {error}")
        print_section(section)
        sections.append(section)
    return sections


def start_up() -> Section:
    runs = [run((*PRODUCT, "--help")) for _ in range(5)]
    cpu = median(one.cpu_seconds for one in runs)
    figure = Figure("CPU of --help, median of 5", cpu, "s", "under 0.4 s", cpu < 0.4)
    return Section("Start-up", "tokensleuth --help", (figure,))


def ingest(requests: Path, rows: int, stores: Stores, work: Path) -> Section:
    """The product's load of the file against a bare copy of it, each in a process of its own."""
    if not requests.exists():
        print(f"  writing {rows:,} request rows", file=sys.stderr, flush=True)
        write_requests(requests, rows=rows)
    (work / "bare.duckdb").unlink(missing_ok=True)
    bare = run((sys.executable, "-m", "evals.bare_load", str(requests), str(work / "bare.duckdb")))
    print(f"  bare copy {bare.cpu_seconds:.1f} CPU-s", file=sys.stderr, flush=True)
    ours = run_product("ingest", str(requests), stores=stores)
    result = expect_object(ours)
    if bare.exit_code or ours.exit_code or result.get("new") != rows:
        raise RuntimeError(f"loaded {result} of {rows} rows; bare copy said {bare.stdout or bare.stderr}")
    ratio = bare.cpu_seconds / ours.cpu_seconds
    return Section(
        f"Ingest of {rows:,} request rows",
        f"tokensleuth ingest {requests.name} --json",
        (
            Figure("rows per CPU-second", rows / ours.cpu_seconds, ""),
            Figure("rows per CPU-second, bare insert", rows / bare.cpu_seconds, ""),
            Figure("ratio to the bare insert", ratio, "", "at least 0.4", ratio >= 0.4),
            Figure("wall time", ours.seconds, "s"),
            Figure("peak memory", ours.peak_mb, "MB", "under 3,000 MB", ours.peak_mb < 3000),
            Figure("peak memory, bare insert", bare.peak_mb, "MB"),
            Figure("ledger file", stores.ledger.stat().st_size / 1e6, "MB"),
        ),
        note="The bare insert is `insert into ... select * from read_parquet(...)` of the same file in a "
        "process of its own, without identity, prices or roll-up.",
    )


def investigate(stores: Stores) -> Section:
    """One day of the ledger that `ingest` left behind."""
    whole = run_product("investigate", f"{DAY}..{DAY}", stores=stores)
    incidents = incidents_of(whole)
    warm = run((sys.executable, "-m", "evals.warm_call", DAY, "--json", *stores.options))
    after_imports = expect_object(warm)
    seconds = number(after_imports, "seconds")
    return Section(
        "Investigate one day of that ledger",
        f"tokensleuth investigate {DAY}..{DAY} --json",
        (
            Figure("wall time after imports", seconds, "s", "under 5 s", seconds < 5),
            Figure("CPU after imports", number(after_imports, "cpu_seconds"), "s"),
            Figure("wall time of the whole command", whole.seconds, "s"),
            Figure("CPU of the whole command", whole.cpu_seconds, "s"),
            Figure("peak memory", whole.peak_mb, "MB"),
            Figure("incidents", len(incidents), ""),
        ),
        note="After imports: the second call in one process (`evals/warm_call.py`), the first one being "
        "about the day before.",
    )


def explain(stores: Stores) -> Section:
    """The same day without detection: the search for root causes over the whole ledger."""
    warm = run((sys.executable, "-m", "evals.warm_call", DAY, "--explain", "--json", *stores.options))
    after_imports = expect_object(warm)
    seconds = number(after_imports, "seconds")
    return Section(
        "Explain one day of that ledger",
        f"tokensleuth investigate {DAY}..{DAY} --explain --json",
        (
            Figure("wall time after imports", seconds, "s", "under 3 s", seconds < 3),
            Figure("CPU after imports", number(after_imports, "cpu_seconds"), "s"),
            Figure("peak memory", warm.peak_mb, "MB"),
        ),
    )


def real_traffic(data: Path, chart: Path | None, work: Path) -> Section:
    """Two weeks of real clients: load, detect and investigate the second one."""
    source = find_source(data)
    if source is None:
        return Section("Real traffic", "", note=f"Skipped: there is no real traffic in {data}.")
    folder = work / "real"
    stores, usage = Stores.fresh(folder), folder / "usage.parquet"
    rows = write_servegen_usage(source, usage)
    asked = f"{instant_text(LAST_WEEK.start_at)}..{instant_text(LAST_WEEK.end_at)}"
    loaded = run_product("ingest", str(usage), stores=stores)
    detected = run_product("detect", asked, stores=stores)
    charts = ["--chart", str(chart)] if chart else []
    explained = run_product("investigate", asked, *charts, stores=stores)
    return Section(
        "Real traffic: 314 clients, two weeks, the second one asked about",
        f"tokensleuth investigate {asked} --json",
        (
            Figure("usage rows", rows, "", "all new", expect_object(loaded).get("new") == rows),
            Figure("ingest, wall time", loaded.seconds, "s"),
            Figure("series scored", number(expect_object(detected), "series_scored"), ""),
            Figure("spikes", len(list_of(detected, "spikes")), ""),
            Figure("incidents detected", len(list_of(detected, "incidents")), ""),
            Figure("detect, wall time", detected.seconds, "s"),
            Figure("incidents investigated", len(incidents_of(explained)), ""),
            Figure("investigate, wall time", explained.seconds, "s"),
            Figure("investigate, CPU", explained.cpu_seconds, "s"),
        ),
        note="Priced as: " + ", ".join(f"{size} -> {model}" for size, model in PRICED_AS.items()) + ".",
    )


def expect_object(finished: Run) -> Mapping[str, object]:
    document = finished.document()
    if not isinstance(document, dict):
        raise RuntimeError(f"expected a JSON object, got {type(document).__name__}")
    return document


def list_of(finished: Run, name: str) -> Sequence[object]:
    value = expect_object(finished).get(name)
    if not isinstance(value, list):
        raise RuntimeError(f"no list `{name}` in the answer: {finished.stdout[:300]}")
    return value


def incidents_of(finished: Run) -> Sequence[object]:
    return list_of(finished, "incidents")


def number(document: Mapping[str, object], name: str) -> float:
    value = document.get(name)
    if not isinstance(value, int | float):
        raise RuntimeError(f"no number `{name}` in the answer: {document}")
    return float(value)


def print_section(section: Section) -> None:
    for figure in section.figures:
        target = f"  (target {figure.target})" if figure.target else ""
        print(f"{section.title}: {figure.name} = {figure.value:,.3f} {figure.unit}{target}")
    if section.note:
        print(f"{section.title}: {section.note}")


def write_results(sections: Sequence[Section], command: str) -> None:
    write_part(RESULTS, "bench", command, render_sections(sections))
    (HERE / "out").mkdir(exist_ok=True)
    document = {
        "command": command,
        "machine": machine_facts(),
        "sections": [asdict(section) for section in sections],
    }
    (HERE / "out" / "bench.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
