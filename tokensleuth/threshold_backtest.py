"""What a raised threshold of one scope would keep quiet in a range, before it is enabled; reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from detectors.incidents import Incident
from detectors.settings import DetectorSettings
from tokensleuth.backtest import Backtest, Run
from tokensleuth.backtest_document import backtest_document
from tokensleuth.casebook.feedback import FeedbackVerdict
from tokensleuth.detection import RangeDetection
from tokensleuth.matching import Kept, Matching
from tokensleuth.terminal.text import Document, parts
from tokensleuth.thresholds import Height, Threshold, height_of, opened, suppressed

_WEIGHTIEST: tuple[FeedbackVerdict, ...] = ("real", "expected", "not-an-issue")


@dataclass(frozen=True, slots=True)
class Said:
    """An incident of the casebook that somebody said something of."""

    height: Height
    verdict: FeedbackVerdict

    def is_of(self, height: Height) -> bool:
        """Found again, its first hour, and with it its id, may have become another."""
        same_time = self.height.window.overlap(height.window) is not None
        return self.height.scope == height.scope and same_time


def backtest_threshold(found: RangeDetection, threshold: Threshold, settings: DetectorSettings) -> Backtest:
    """The incidents the threshold is about, and those of them that would still open."""
    spikes = found.detection.spikes
    about = tuple(i for i in found.detection.incidents if threshold.concerns(height_of(i, spikes)))
    quiet = suppressed(about, spikes, [threshold])
    still = opened(about, quiet)
    return Backtest(
        window=found.window,
        before=Run(settings, _only(found, about)),
        after=Run(settings, _only(found, still)),
        matching=Matching(tuple(Kept(i, i) for i in still), tuple(q.incident for q in quiet), ()),
        labelled=None,
    )


def threshold_document(
    backtest: Backtest, threshold: Threshold, said: Sequence[Said], *, seconds: float
) -> dict[str, object]:
    """As `simulate --json`; what is lost would be kept quiet, each with what people said of it."""
    document = backtest_document(backtest, seconds=seconds)
    spikes = backtest.before.found.detection.spikes
    verdicts = {i.id: _verdict(height_of(i, spikes), said) for i in backtest.matching.lost}
    lost: list[Mapping[str, object]] = [
        {**item, "said": verdicts[str(item["id"])]} for item in parts(document, "lost")
    ]
    runs = {"before": backtest.before, "after": backtest.after}
    return {
        **document,
        **{
            side: {**cast(Document, document[side]), "spikes": _count(run.incidents)}
            for side, run in runs.items()
        },
        "lost": lost,
        "lost_said_real": sum(item["said"] == "real" for item in lost),
        "threshold": {
            "scope": threshold.scope.as_dict(),
            "direction": threshold.direction,
            "min_usd": None if threshold.min_usd is None else str(threshold.min_usd),
            "min_score": threshold.min_score,
        },
    }


def _verdict(height: Height, said: Sequence[Said]) -> FeedbackVerdict | None:
    """`real` wins where several incidents of the casebook are the same one."""
    verdicts = {each.verdict for each in said if each.is_of(height)}
    return next((verdict for verdict in _WEIGHTIEST if verdict in verdicts), None)


def _only(found: RangeDetection, incidents: tuple[Incident, ...]) -> RangeDetection:
    return replace(found, detection=replace(found.detection, incidents=incidents))


def _count(incidents: Sequence[Incident]) -> int:
    return len({number for incident in incidents for number in incident.spikes})
