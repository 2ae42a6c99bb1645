"""The cohort test for a tokenizer change: did the keys that moved to another model get more tokens for the
same work? Arrays in, a verdict out.

A change shows as one common factor in all keys that switched, beyond what keys that stayed did meanwhile.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_KEYS = 3
"""Fewer switchers are consistent with a tokenizer change, never proof of one (reference)."""
LEAST_RISE = float(np.log(1.05))
LEAST_SHARE = 0.8
"""Share of switchers that must have risen by more than LEAST_RISE."""
LARGEST_SPREAD = 0.20
"""Median absolute deviation over which the keys do not tell of one factor."""
MEDIAN_ERROR = 1.2533
"""Standard error of a median against that of a mean, for normal errors."""
CONFIDENT = 1.96
LEAST_STEADY = 3
"""Fewer keys that stayed say nothing about the drift."""
FLAT_PRICE = 0.03
FLAT_REQUESTS = (0.8, 1.25)
"""Beyond these another price, or more work, may be what changed the requests."""


@dataclass(frozen=True, slots=True)
class CohortTest:
    """What the switchers say; logarithms of ratios are turned back into ratios."""

    keys: int
    ratio: float
    """Median over the switchers, less the drift of the keys that stayed."""
    low: float
    """Lower bound of the ratio, at 95 %."""
    spread: float
    """Median absolute deviation of the log ratios."""
    share_over: float
    """Share of switchers over 1.05."""

    @property
    def rises(self) -> bool:
        """The bound and most of the keys lie over 1.05, with one common factor."""
        return (
            bool(np.log(self.low) > LEAST_RISE)
            and self.share_over >= LEAST_SHARE
            and self.spread < LARGEST_SPREAD
            and self.keys >= LEAST_KEYS
        )


def compare_cohorts(switched: Floats, steady: Floats) -> CohortTest:
    """Test log ratios (after over before) of the keys that switched against those of the keys that stayed.

    `steady` holds, for each switcher, the log ratios of the keys that stayed over the same hours: shape
    (switchers, keys that stayed), NaN where such a key had no traffic; 0 columns where there is none.
    """
    moved = switched - drift_of(steady)
    median = float(np.median(moved))
    spread = float(np.median(np.abs(moved - median)))
    error = CONFIDENT * MEDIAN_ERROR * max(spread, noise_of(steady)) / np.sqrt(len(moved))
    return CohortTest(
        keys=len(moved),
        ratio=float(np.exp(median)),
        low=float(np.exp(median - error)),
        spread=spread,
        share_over=float((moved > LEAST_RISE).mean()),
    )


def drift_of(steady: Floats) -> Floats:
    """By how much the keys that stayed changed over each switcher's hours; 0 where too few of them did."""
    drift = np.zeros(len(steady))
    known = _told(steady)
    if known.any():
        drift[known] = np.nanmedian(steady[known], axis=1)
    return drift


def noise_of(steady: Floats) -> float:
    """Median absolute deviation of the keys that stayed: three switchers may lie close together by chance."""
    residuals = (steady - drift_of(steady)[:, None])[_told(steady)]
    known = residuals[np.isfinite(residuals)]
    return float(np.median(np.abs(known))) if len(known) else 0.0


def _told(steady: Floats) -> NDArray[np.bool_]:
    """Which switchers have enough keys to be compared with."""
    return np.asarray(np.isfinite(steady).sum(axis=1) >= LEAST_STEADY)


def tokenizer_verdict(
    tokens: CohortTest, *, per_character: CohortTest | None, price_ratio: float | None, requests_ratio: float
) -> float:
    """1 confirmed, 0.5 consistent with, 0 refuted.

    `per_character` tests tokens per character, where characters are logged: then it decides alone, and one
    key will do. Without it the price must be known, and price and requests flat.
    """
    if per_character is not None:
        return float(np.log(per_character.ratio) > LEAST_RISE and per_character.share_over >= LEAST_SHARE)
    if np.log(tokens.ratio) <= LEAST_RISE:
        return 0.0
    flat = price_ratio is not None and abs(price_ratio - 1) <= FLAT_PRICE
    same_work = FLAT_REQUESTS[0] <= requests_ratio <= FLAT_REQUESTS[1]
    return 1.0 if tokens.rises and flat and same_work else 0.5
