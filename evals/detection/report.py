"""The comparison as text: the part of RESULTS.md."""

from collections.abc import Iterator, Mapping

from evals.detection.comparison import Comparison
from evals.detection.peers.registry import LEFT_OUT
from evals.detection.servegen_week import SIZES_USD, RealWeek
from evals.detection.summary import INCIDENTS, SCORES, SPIKES, Line
from evals.detection.tables import (
    ablation_table,
    families_table,
    kinds_table,
    main_table,
    targets_table,
)
from evals.detection.targets import MONITORING_TARGETS, SPEND_TARGETS
from evals.detection.trial import Trial
from evals.detection.trials import DEVELOPMENT, FRESH, MONITORING

READING = f"""\
An alarm is true when it overlaps a labelled event or begins in the 6 hours after one (24 for the rules marked
\\*, which can speak only when a day is over). Scores over a threshold merge into one alarm when less than 24
hours apart. A threshold stands where alarms cover at most a quarter of the time.

- P, R: precision of the alarms, recall of the events; F1 with its 95 % interval over series drawn anew.
- FA: false alarms per series-week. R@b: recall with at most b of them.
- delay: hours from an event's first hour to its first alarm hour, median; 0 is the event's first hour.
- AP: average precision of the hours of all series in one ranking. VUS-PR: mean over series.
- $ missed: share of the events' excess dollars. Alarm share: part of the time under alarm.
- ms: CPU per series for the whole set, children and relearning included.

Ours stands in three ways: *{INCIDENTS}* by the product, at the thresholds that ship, where an incident of
several keys at once counts as false; *{SPIKES}*, before they are merged; and its *{SCORES}*, under the
protocol of the peers.
"""


ABLATION = """\
F1, FA and delay are of the incidents at the thresholds that ship, which were chosen for the whole detector.
Own F1 is of the scores, over a threshold chosen for each row as for any method. Lost: the whole less the row,
with its paired 95 % interval over series; bold where that leaves 0 out. Above 0 the part earns its place.
"""


def markdown_report(found: Comparison, week: RealWeek | None) -> str:
    """The part of RESULTS.md."""
    return "\n\n".join(_sections(found, week)) + "\n"


def _sections(found: Comparison, week: RealWeek | None) -> Iterator[str]:
    yield "## Detection beside its peers"
    yield READING.strip()
    yield "### Targets\n\n" + targets_table(SPEND_TARGETS, _spend_columns(found, with_scores=True))
    if found.trials.monitoring:
        columns = {"2-fold threshold": found.ours(MONITORING, SCORES)}
        yield "Real monitored series:\n\n" + targets_table(MONITORING_TARGETS, columns)
    for trial in found.trials.reported:
        several = f"Incidents told of several keys: {found.ours(trial.name).of_several}."
        table = main_table(found.of(trial.name))
        yield f"### {trial_title(trial)}\n\n{_about(trial)} {several}\n\n{table}"
    yield "### Ours by kind of event\n\n" + kinds_table(_spend_columns(found))
    yield "### Ours by family of series\n\n" + families_table(_spend_columns(found))
    for name, rows in found.ablation.items():
        yield f"### Ours without one of its parts, {name}\n\n{ABLATION.strip()}\n\n{ablation_table(rows)}"
    if week:
        yield _week_text(week)
    left_out = (*LEFT_OUT, *found.left_out)
    yield "Peers left out: " + "; ".join(f"{one.name} ({one.reason})" for one in left_out) + "."


def _spend_columns(found: Comparison, *, with_scores: bool = False) -> Mapping[str, Line]:
    columns: dict[str, Line] = {}
    for trial in found.trials.spend:
        if with_scores and trial.name == DEVELOPMENT:
            columns["development, 5-fold threshold"] = found.ours(trial.name, SCORES)
        columns[f"{trial.name}, as shipped" if with_scores else trial.name] = found.ours(trial.name)
    return columns


def trial_title(trial: Trial) -> str:
    weeks = round(trial.judged.series_weeks)
    events = sum(event.counts for event in trial.judged.events)
    return f"{trial.name.capitalize()}: {trial.series} series, {weeks:,} series-weeks, {events} events"


def _about(trial: Trial) -> str:
    if trial.name == FRESH:
        names = ", ".join(part.name for part in trial.parts)
        return f"{names}. Thresholds of scores were chosen on other series; nothing was on these."
    folds = "5-fold" if trial.name == DEVELOPMENT else "2-fold"
    return f"Thresholds of scores are {folds} cross-validated over series."


def _week_text(week: RealWeek) -> str:
    over = ", ".join(f"{week.count_over(usd)} over ${usd:,}" for usd in SIZES_USD[1:])
    return (
        "### Real traffic without labels\n\n"
        f"The second week of ServeGen has {week.count_over(0)} incidents in {week.series} series: {over}. "
        f"The {len(week.pictures)} largest are drawn in `evals/out` for people to look at."
    )
