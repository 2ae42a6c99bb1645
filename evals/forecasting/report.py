"""The figures of the backtest as JSON and as a Markdown table."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from detectors.statistics import FloatArray
from evals.forecasting.backtest import MONTH_END, Outcomes
from evals.forecasting.rivals import RIVALS

Figures = dict[str, float | str | int]
"""One line: a kind of series and a length."""


def line_of(name: str, length: int, real: bool, outcomes: Sequence[Outcomes]) -> Figures:
    """Coverage over all forecasts; errors over those with a week of history, as the naive one needs."""
    inside, below, width, error, naive_knows = (
        _joined(outcomes, lambda o, field=field: getattr(o, field))  # type: ignore[misc]
        for field in ("inside", "below", "width", "error", "week_known")
    )
    ratios: Figures = {}
    for rival in RIVALS:
        theirs = _joined(outcomes, lambda o, rival=rival: o.rivals[rival])  # type: ignore[misc]
        known = naive_knows.astype(bool)
        ratios[f"error_by_{rival}"] = _ratio(error[known], theirs[known])
    return {
        "set": name,
        "days": length,
        "real": int(real),
        "forecasts": len(inside),
        "coverage": float(inside.mean()),
        "below": float(below.mean()),
        "median_width": float(np.median(width)),
        "error": float(error.mean()),
        **ratios,
    }


def _joined(outcomes: Sequence[Outcomes], field: Callable[[Outcomes], object]) -> FloatArray:
    return np.concatenate([np.asarray(field(one), dtype=np.float64) for one in outcomes])


def _ratio(ours: FloatArray, theirs: FloatArray) -> float:
    return float(ours.mean() / theirs.mean()) if len(ours) and theirs.mean() > 0 else 1.0


def table(lines: Iterable[Figures]) -> str:
    """One line a kind of series and length; `to month end` in the place of days."""
    head = "| series | days | forecasts | coverage of 80 % | below | median width | error by seasonal-naive |"
    rows = [head + " by drift | by mean of 28 days |", "|---|" + "---:|" * 8]
    return "\n".join([*rows, *(_row(line) for line in lines)])


def _row(line: Mapping[str, float | str | int]) -> str:
    days = "to month end" if line["days"] == MONTH_END else str(line["days"])
    name = f"{line['set']} (real)" if line["real"] else str(line["set"])
    figures = [f"{float(line[key]):.2f}" for key in ("coverage", "below", "median_width")]
    ratios = [f"{float(line[f'error_by_{rival}']):.2f}" for rival in RIVALS]
    cells = [name, days, f"{line['forecasts']:,}", *figures, *ratios]
    return f"| {' | '.join(cells)} |"
