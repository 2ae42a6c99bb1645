"""`python -m evals.detection`: our detector and its peers on labelled series; RESULTS.md, JSON, a chart."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from evals.detection.comparison import Comparison, compare
from evals.detection.report import json_report, markdown_report
from evals.detection.trials import SEEDS_OF_DEVELOPMENT, load_trials
from evals.results import RESULTS, write_part
from evals.servegen import DATA_VARIABLE, default_folder

OUT = RESULTS.parent / "out"
SEEDS = (1, 2, 3, 4)
SERIES = 100
"""Of each seed."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if known := sorted(SEEDS_OF_DEVELOPMENT & set(options.seeds)):
        print(f"seeds {known} were looked at while the detector was made; take others", file=sys.stderr)
        return 2
    trials = load_trials(options.data, options.seeds, options.series)
    if len(trials.reported) < 3:
        print(f"no development data in {options.data}: only the seeds are run", file=sys.stderr)
    found = compare(trials, _progress, with_peers=options.peers, with_ablation=options.ablation)
    print(markdown_report(found))
    if options.write:
        write_results(found, "python -m evals.detection " + " ".join(arguments or sys.argv[1:]))
    return 0


def write_results(found: Comparison, command: str) -> None:
    """The part of RESULTS.md, and evals/out/detection.json."""
    write_part(RESULTS, "bench-detect", command.strip(), markdown_report(found))
    OUT.mkdir(exist_ok=True)
    text = json.dumps(json_report(found), indent=1)
    (OUT / "detection.json").write_text(text + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals.detection", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=default_folder(),
        help=f"folder of the development data (default: ${DATA_VARIABLE}, else beside the repository)",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="of the generated sets")
    parser.add_argument("--series", type=int, default=SERIES, help="series of each generated set")
    boolean = argparse.BooleanOptionalAction
    parser.add_argument("--peers", action=boolean, default=True, help="run the peers too")
    parser.add_argument("--ablation", action=boolean, default=True, help="run ours without each of its parts")
    parser.add_argument(
        "--write", action=boolean, default=True, help="write RESULTS.md and out/detection.json"
    )
    return parser


def _progress(name: str) -> None:
    print(f"  {name} done", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
