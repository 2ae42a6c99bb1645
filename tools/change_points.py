"""The hour at which a quantity left its usual level, by ratios of sums. Arrays in, a place out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_HOURS = 3
"""A level that lasts for fewer hours is a burst: the hour it was noticed is the hour it began."""
LEAST_STEP = float(np.log(1.01))
"""A unit price that is right is constant to the cent (see `level_steps`)."""
LEAST_BEFORE = 6
"""Fewer hours do not say how much single hours scatter."""
RAMP = 1 / 3
"""Hours with at least this part of the step, on the log scale, belong to it: a loop that runs round the clock
multiplies a busy hour by less than a quiet one."""
CLEAR = 3.0
"""Nearest-level placing errs in an hour that strays by half the step: 1.5 deviations, 1 hour in 15 on that
side. Below this the hour cannot be told."""
NORMAL = 1.4826
"""Standard deviations in a median absolute deviation."""
PRIOR = 1e-3
"""Nothing at all is taken for a thousandth, also where it is what is usual."""


@dataclass(frozen=True, slots=True)
class Step:
    """From `place` to before `end` the quantity was at another level; levels are actual over usual."""

    place: int
    end: int
    before: float
    after: float


def find_step(actual: Floats, usual: Floats, window_at: int) -> Step | None:
    """The one stretch whose level differs most from the rest and that reaches beyond `window_at`.

    `actual` and `usual` are amounts by hour. Of all stretches that with the largest Poisson likelihood is
    taken: least squares of the log ratio, each hour weighted by what is usual in it, but exact where an hour
    has nothing. None where the level before is not known, or not clearly another. Only ratios count: the
    scale of either array does not matter. Hours whose usual amount is NaN are passed over.
    """
    known = np.flatnonzero(((actual > 0) & np.isfinite(usual)) | (usual > 0))
    sums = _Sums.of(actual[known], usual[known])
    found = _best_stretch(sums, int(np.searchsorted(known, window_at)))
    if found is None or not sums.is_clear(*found):
        return None
    start, end = found
    while (earlier := _earlier(sums, start, end)) is not None:
        start = earlier
    place, last = int(known[start]), int(known[end - 1]) + 1
    return Step(place, last, sums.ratio(0, start), sums.ratio(start, end))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Running sums, from 0, of hours in which there was or usually is something."""

    actual: Floats
    usual: Floats

    @classmethod
    def of(cls, actual: Floats, usual: Floats) -> "_Sums":
        """Both brought to a total of 1: a thousandth of one is then one of the other."""
        scaled = (values / (float(values.sum()) or 1.0) for values in (actual, usual))
        return cls(*(np.append(0.0, np.cumsum(values)) for values in scaled))

    def __len__(self) -> int:
        return len(self.usual) - 1

    def ratio(self, start: int, end: int) -> float:
        """Actual over usual of the hours."""
        return float(
            np.exp(log_ratio(self.actual[end] - self.actual[start], self.usual[end] - self.usual[start]))
        )

    def logs(self, start: int, end: int) -> Floats:
        """Log ratio of each hour."""
        return log_ratio(np.diff(self.actual[start : end + 1]), np.diff(self.usual[start : end + 1]))

    def is_clear(self, start: int, end: int) -> bool:
        """Whether the level of a stretch differs from that before it by more than single hours scatter, and
        most of the stretch is nearer to it."""
        before, after = np.log(self.ratio(0, start)), np.log(self.ratio(start, end))
        weights = np.diff(self.usual) + np.finfo(np.float64).tiny
        usual, hours = self.logs(0, start), self.logs(start, end)
        middle = weighted_median(usual, weights[:start])
        scatter = NORMAL * weighted_median(np.abs(usual - middle), weights[:start])
        near = np.abs(hours - after) < np.abs(hours - before)
        held = float(weights[start:end][near].sum()) >= 0.5 * float(weights[start:end].sum())
        return (
            held and abs(after - before) >= max(LEAST_STEP, CLEAR * scatter) and self._is_no_luck(start, end)
        )

    def _is_no_luck(self, start: int, end: int) -> bool:
        """Whether the likelihood gains more than the best of so many stretches does by chance, about the log
        of their number, in units of what the hours before vary by: else few requests make any level."""
        sides = (0, start), (start, end), (0, end)
        before, after, both = (
            float(likelihood(self.actual[b] - self.actual[a], self.usual[b] - self.usual[a]))
            for a, b in sides
        )
        if not self.usual[start]:
            return False
        actual, due = (
            np.diff(self.actual[: start + 1]),
            self.ratio(0, start) * np.diff(self.usual[: start + 1]),
        )
        spread = float(np.mean((actual - due) ** 2 / np.maximum(due, PRIOR * due.mean())))
        return before + after - both >= spread * float(np.log(end**2 / 2))


def log_ratio(actual: Floats, usual: Floats) -> Floats:
    """Between the logs of PRIOR and 1 / PRIOR, whatever is 0."""
    floor = np.finfo(np.float64).tiny
    return np.asarray(np.log((actual + PRIOR * usual + floor) / (usual + PRIOR * actual + floor)))


def likelihood(actual: Floats, usual: Floats) -> Floats:
    """Of amounts that share one level, up to a constant."""
    return np.asarray(actual * log_ratio(actual, usual))


def weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def _best_stretch(sums: _Sums, window_at: int) -> tuple[int, int] | None:
    """Start and end of the stretch; as much has to be known before it as it must last."""
    starts = np.arange(LEAST_BEFORE, len(sums) - LEAST_HOURS + 1)
    ends = np.arange(window_at + 1, len(sums) + 1)
    if not (starts.size and ends.size):
        return None
    inside = [v[ends] - v[starts][:, None] for v in (sums.actual, sums.usual)]
    outside = [
        np.maximum(v[-1] - part, 0.0) for v, part in zip((sums.actual, sums.usual), inside, strict=True)
    ]
    lasting = ends - starts[:, None] >= LEAST_HOURS
    if not lasting.any():
        return None
    kept = [np.maximum(part, 0.0) for part in inside]
    gains = np.where(lasting, likelihood(*kept) + likelihood(*outside), -np.inf)
    start, end = np.unravel_index(gains.argmax(), gains.shape)
    return int(starts[start]), int(ends[end])


def _earlier(sums: _Sums, start: int, end: int) -> int | None:
    """Where the hours right before a stretch had gone a part of its way already, clearly."""
    places = np.arange(LEAST_BEFORE, start - LEAST_HOURS + 1)
    if not places.size:
        return None
    before = likelihood(sums.actual[places], sums.usual[places])
    after = likelihood(sums.actual[start] - sums.actual[places], sums.usual[start] - sums.usual[places])
    place = int(places[(before + after).argmax()])
    usual, part, whole = (np.log(sums.ratio(*hours)) for hours in ((0, place), (place, start), (start, end)))
    on_its_way = (part - usual) * (whole - usual) >= RAMP * (whole - usual) ** 2
    return place if on_its_way and sums.is_clear(place, start) else None
