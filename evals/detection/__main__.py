"""`python -m evals.detection`: our detector and its peers on labelled series; RESULTS.md, JSON, a chart."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from evals.detection.chart import write_chart
from evals.detection.comparison import Comparison, compare, method_names
from evals.detection.contact_sheet import write_sheet
from evals.detection.document import json_report
from evals.detection.report import markdown_report, trial_title
from evals.detection.servegen_week import RealWeek, real_week
from evals.detection.trials import SEEDS_OF_DEVELOPMENT, load_trials
from evals.results import RESULTS, write_part
from evals.servegen import DATA_VARIABLE, default_folder, find_source

HERE = RESULTS.parent
CHART = HERE / "detection.png"
SHEET = "servegen_incidents.png"
SEEDS = (1, 2, 3, 4)
SERIES = 75
QUICK_SERIES = 40


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if known := sorted(SEEDS_OF_DEVELOPMENT & set(options.seeds)):
        print(f"seeds {known} were looked at while the detector was made; take others", file=sys.stderr)
        return 2
    seeds, series = (options.seeds[:1], QUICK_SERIES) if options.quick else (options.seeds, options.series)
    trials = load_trials(options.data, seeds, series)
    if len(trials.reported) < 3:
        print(f"no development data in {options.data}: only the seeds are run", file=sys.stderr)
    all_of_it = not options.quick
    names = method_names(with_peers=options.peers and all_of_it, with_ablation=options.ablation and all_of_it)
    found = compare(trials, names, _progress)
    source = find_source(options.data)
    week = real_week(source) if source and all_of_it else None
    print(markdown_report(found, week))
    if options.write and all_of_it:
        write_results(found, week, command_of(options))
    return 0


def write_results(found: Comparison, week: RealWeek | None, command: str) -> None:
    """The part of RESULTS.md with its chart, and in evals/out the figures and the sheet of incidents."""
    out = HERE / "out"
    out.mkdir(exist_ok=True)
    fresh = found.trials.fresh
    write_chart(found.of(fresh.name), trial_title(fresh), CHART)
    if week:
        write_sheet(week.pictures, out / SHEET)
    picture = f"![F1 of each method, and recall against false alarms]({CHART.name})"
    write_part(RESULTS, "bench-detect", command, f"{markdown_report(found, week)}\n{picture}")
    text = json.dumps(json_report(found, week), indent=1)
    (out / "detection.json").write_text(text + "\n", encoding="utf-8")


def command_of(options: argparse.Namespace) -> str:
    """What made the results; the folder of the data is this machine's own business."""
    left_out = [f"--no-{name}" for name in ("peers", "ablation") if not getattr(options, name)]
    seeds = " ".join(map(str, options.seeds))
    return " ".join(
        ("python -m evals.detection", f"--seeds {seeds}", f"--series {options.series}", *left_out)
    )


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals.detection", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=default_folder(),
        help=f"folder of the development data (default: ${DATA_VARIABLE}, else beside the repository)",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="of the generated sets")
    parser.add_argument("--series", type=int, default=SERIES, help="series of each generated set")
    parser.add_argument(
        "--quick", action="store_true", help="ours alone on one small seed beside the data; writes nothing"
    )
    boolean = argparse.BooleanOptionalAction
    parser.add_argument("--peers", action=boolean, default=True, help="run the peers too")
    parser.add_argument("--ablation", action=boolean, default=True, help="run ours without each of its parts")
    parser.add_argument(
        "--write", action=boolean, default=True, help="write the results, not only print them"
    )
    return parser


def _progress(name: str) -> None:
    print(f"  {name} done", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
