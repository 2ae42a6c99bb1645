"""Lasting steps of a series of levels. An array in, positions and heights out."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_STEP = float(np.log(1.01))
LEAST_HOURS = 3
"""A unit price that is right is constant to the cent: over 1 %, held for 3 hours, is a step (reference)."""
NOISE = 4.0
"""A step must be so many typical deviations of the hours beside it: without known rates the price of a
changing mix wanders."""
MOST_STEPS = 6
MOST_SPLITS = 32
LEAST_GAIN = LEAST_HOURS * (LEAST_STEP / 2) ** 2
"""Less squared deviation than this cannot be a step."""


def find_steps(levels: Floats) -> list[tuple[int, float]]:
    """Positions and heights of the lasting steps of a series without gaps, in order of position.

    None where there are more than MOST_STEPS: that is a price that depends on the hour or on the request.
    """
    edges = [0, *sorted(_splits(levels, 0, MOST_SPLITS)), len(levels)]
    while len(edges) > 2:
        steps = [_step(levels, *edges[i - 1 : i + 2]) for i in range(1, len(edges) - 1)]
        weakest = min(range(len(steps)), key=lambda i: steps[i][1])
        if steps[weakest][1] > 1:
            break
        del edges[weakest + 1]
    if len(edges) - 2 > MOST_STEPS:
        return []
    return [(edges[i], _step(levels, *edges[i - 1 : i + 2])[0]) for i in range(1, len(edges) - 1)]


def _step(levels: Floats, start: int, place: int, end: int) -> tuple[float, float]:
    """Height of the step at `place`, and that over what it must exceed."""
    sides = levels[start:place], levels[place:end]
    middles = [float(np.median(side)) for side in sides]
    residuals = [np.abs(side - middle) for side, middle in zip(sides, middles, strict=True)]
    noise = 1.4826 * float(np.median(np.concatenate(residuals)))
    height = middles[1] - middles[0]
    held = min(int((side < abs(height) / 2).sum()) for side in residuals)
    return height, abs(height) / max(LEAST_STEP, NOISE * noise) if held >= LEAST_HOURS else 0.0


def _splits(levels: Floats, offset: int, most: int) -> list[int]:
    """Where the series is best cut in two, again and again; at most so many places."""
    n = len(levels)
    if n < 2 * LEAST_HOURS or most <= 0:
        return []
    places = np.arange(LEAST_HOURS, n - LEAST_HOURS + 1)
    sums = np.cumsum(levels - levels.mean())[places - 1]
    gains = sums**2 * n / (places * (n - places))
    place = int(places[gains.argmax()])
    if gains.max() <= LEAST_GAIN:
        return []
    left = _splits(levels[:place], offset, (most - 1) // 2)
    right = _splits(levels[place:], offset + place, most - 1 - len(left))
    return [*left, offset + place, *right]
