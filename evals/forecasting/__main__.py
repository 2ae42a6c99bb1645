"""`python -m evals.forecasting`: backtest on held-out series; writes evals/out/forecasting.json."""

import argparse
import json
from pathlib import Path

import numpy as np

from detectors.forecast.forecast import forecast
from evals.forecasting.alerts import summary, told_of_months
from evals.forecasting.backtest import Outcomes, backtest
from evals.forecasting.report import Figures, line_of, table
from evals.forecasting.sets import HourlySet, held_out_sets, tuned_sets
from evals.forecasting.usual import usual_scores
from evals.results import RESULTS, write_part
from evals.servegen import default_folder
from tokensleuth.clock import seconds_since, stopwatch

OUT = Path(__file__).parents[1] / "out" / "forecasting.json"
COMMAND = "python -m evals.forecasting"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default_folder(), help="folder of the real series")
    parser.add_argument(
        "--tuned", action="store_true", help="on the halves that were tuned on; writes nothing"
    )
    parser.add_argument("--results", action="store_true", help="also write the part of evals/RESULTS.md")
    parser.add_argument("--usual", action="store_true", help="only print what USUAL_SCORES are to be")
    given = parser.parse_args()
    if given.usual:
        print(usual_scores(tuned_sets(given.data)).round(2).tolist())
        return
    sets = list(tuned_sets(given.data) if given.tuned else held_out_sets(given.data))
    lines, real = _backtested(sets)
    alerts = summary([told for one in sets for told in told_of_months(one)])
    document = {"lines": lines, "real": real, "alerts": alerts, "seconds_of_1000_scopes": _seconds()}
    text = _text(document, lines)
    print(text)
    if not given.tuned:
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if given.results and not given.tuned:
        write_part(RESULTS, "forecasting", COMMAND, f"## Forecast to the month's end\n\n{text}")


def _backtested(sets: list[HourlySet]) -> tuple[list[Figures], Figures]:
    """A line for each kind and length, and one of all real series."""
    found: dict[tuple[str, int, bool], list[Outcomes]] = {}
    for one in sets:
        for length, outcomes in backtest(one, every_days=1 if one.real else 3).items():
            found.setdefault((one.name, length, one.real), []).extend(outcomes)
    lines = [line_of(*key, outcomes) for key, outcomes in found.items()]
    real = [outcome for (_, _, is_real), outcomes in found.items() if is_real for outcome in outcomes]
    return lines, line_of("all real series", -1, True, real) if real else {}


def _seconds() -> float:
    """A thousand scopes of sixty days to the end of a month."""
    hours = np.random.default_rng(1).gamma(0.5, 2.0, (1000, 60 * 24 + 13))
    started = stopwatch()
    forecast(hours, 3, 30)
    return seconds_since(started)


def _text(document: dict[str, object], lines: list[Figures]) -> str:
    told = ("real", "alerts", "seconds_of_1000_scopes")
    return "\n\n".join([table(lines), *(f"{name}: {json.dumps(document[name])}" for name in told)])


if __name__ == "__main__":
    main()
