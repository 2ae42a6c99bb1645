"""A trial: series that are scored set by set, each with its own history, and judged together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from detectors.statistics import FloatArray
from evals.detection.alarms import NO_ROW, Alarm, Alarms
from evals.detection.method import Method
from evals.detection.spend_set import Event, SpendSet


@dataclass(frozen=True)
class Trial:
    """Some sets of one kind; they may start at different times and be of different lengths."""

    name: str
    parts: tuple[SpendSet, ...]

    @property
    def series(self) -> int:
        return sum(len(part.names) for part in self.parts)

    @cached_property
    def judged(self) -> SpendSet:
        """All series as one set of the hours scored, the last hours aligned: for judging, not for scoring.

        Its columns are no calendar; `first_hour` is where the scored hours of a series begin.
        """
        return SpendSet(
            self.name,
            self.parts[0].start_at,
            tuple(name for part in self.parts for name in part.names),
            np.concatenate([part.family for part in self.parts]),
            _stack_right([part.cost_usd[:, part.history_hours :] for part in self.parts], 0.0),
            None,
            np.concatenate([_first_scored(part) + self._padding(part) for part in self.parts]),
            0,
            tuple(event for above, part in self._placed() for event in self._events(above, part)),
        )

    def scores(self, method: Method) -> FloatArray:
        """Scores of every series, in the shape of `judged`; NaN before a series' first scored hour."""
        return self.stacked([method.scores(part) for part in self.parts])

    def stacked(self, scores: Sequence[FloatArray]) -> FloatArray:
        """Scores of the parts, in the shape of `judged`."""
        return _stack_right(scores, np.nan)

    def gathered(self, alarms: Sequence[Sequence[Alarm]]) -> Alarms:
        """Alarms of the parts, in the rows and columns of `judged`."""
        moved = []
        for (above, part), told in zip(self._placed(), alarms, strict=True):
            by = self._shift(part)
            moved += [
                replace(one, row=_moved_row(one.row, above), start=one.start + by, end=one.end + by)
                for one in Alarms.of(told).scored(part).listed()
            ]
        return Alarms.of(moved)

    def _placed(self) -> Iterator[tuple[int, SpendSet]]:
        """Each part with the number of series above it."""
        above = 0
        for part in self.parts:
            yield above, part
            above += len(part.names)

    def _padding(self, part: SpendSet) -> int:
        return max(other.hours_scored for other in self.parts) - part.hours_scored

    def _shift(self, part: SpendSet) -> int:
        """From a column of the part to one of `judged`."""
        return self._padding(part) - part.history_hours

    def _events(self, above: int, part: SpendSet) -> Iterator[Event]:
        """Events in the columns of `judged`, clipped to the hours scored."""
        by = self._shift(part)
        for event in part.events:
            start = max(event.start, part.history_hours) + by
            yield replace(event, row=above + event.row, start=start, end=event.end + by)


def _moved_row(row: int, above: int) -> int:
    return NO_ROW if row == NO_ROW else row + above


def _first_scored(part: SpendSet) -> FloatArray:
    return np.maximum(part.first_hour - part.history_hours, 0)


def _stack_right(parts: Sequence[FloatArray], fill: float) -> FloatArray:
    """Rows of all parts under each other, their last columns aligned."""
    width = max(part.shape[1] for part in parts)
    return np.concatenate(
        [np.pad(part, ((0, 0), (width - part.shape[1], 0)), constant_values=fill) for part in parts]
    )
