"""From deviations to one score per hour: rises, drops, the price paid, and the forest's surprise.

Each term is in sigmas, or weighed to be worth as many. The largest of them is the score, raised by how rarely
the forest saw such an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.envelope import ENVELOPE_WINDOWS, MARGINS
from detectors.forest import Forest, forest_features, surprise
from detectors.price import PriceProfile, price_excess, price_z
from detectors.scale import DROP_WINDOWS, WINDOWS, Calibration, missing_share
from detectors.seasonal import DAY_HOURS
from detectors.statistics import FloatArray, rolling_sums

GATE_HOURS = 6
DROP, FOREST, PRICE = "drop_6h", "forest", "price"
"""Names of terms, beside those of the windows."""
_MOST_Z = 100.0
"""More sigmas than that say nothing more; a key that stood still has next to no scale."""
_RISE_WEIGHTS = (0.9, 1.0, 1.0, 1.2)
"""Of the windows of 1, 3, 6 and 24 h."""
_DAY_BY_SIX_HOURS = 3.0
"""The 24 h window is full of a burst for a day; it counts so many times what the last 6 hours do at most."""
_DROP_WEIGHT = 12.0
_ORDINARY_DROP = 0.55
"""A drop by less, beyond what the series ordinarily loses, is a holiday."""
_HOPELESS_DROP = 0.9
"""A series that loses so much of its spend in ordinary times has no drops."""
_PRICE_WEIGHT = 1.2
_MOST_PRICE = 40.0
PRICE_LASTS = 3.0
"""A price that has changed stays changed: the gate counts what it will have cost after so much more time."""
_SHOWN = 0.5
"""What a lower price saved shows in the dollars of the day to this share at least."""
_FOREST_WEIGHT = 2.0
_CALM = 1.0
"""Under this base score an hour is ordinary and the forest is not asked."""
_FULL_BASE = 3.0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the hours to be scored; shape (series, hours) but for the calibration."""

    expected: FloatArray
    calibration: Calibration
    envelope: FloatArray
    """(series, windows, hours): the most that the same hours of past weeks saw."""
    forest: Forest | None = None
    tokens: FloatArray | None = None
    price: PriceProfile | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """Every field but `terms` has shape (series, hours); NaN where a series is not scored."""

    values: FloatArray
    """Higher is more anomalous; comparable across series."""
    expected: FloatArray
    scale: FloatArray
    """One sigma of a single hour's deviation."""
    direction: FloatArray
    """+1 where the score speaks of too much, -1 of too little."""
    excess: FloatArray
    """What strayed in the last 6 hours, for the gate; where the price is what strays, in the last 24."""
    day_excess: FloatArray
    """What strayed in the last 24 hours, for the gate of slow changes."""
    lasting: FloatArray
    """How many times over what strayed counts at the gate: 3 where the price strays, else 1."""
    terms: Mapping[str, FloatArray]

    @property
    def hours(self) -> int:
        return int(np.size(self.values, axis=1))


def window_term(window: int) -> str:
    """The name of the term of a window of so many hours."""
    return f"z_{window}h"


def weighed_terms(terms: Mapping[str, float]) -> Mapping[str, float]:
    """What each term of one hour brings to the score; the forest only raises it."""
    rises = {
        window_term(w): weight * terms[window_term(w)]
        for w, weight in zip(WINDOWS, _RISE_WEIGHTS, strict=True)
    }
    return {**rises, DROP: float(_fall(np.asarray(terms[DROP]))), PRICE: _PRICE_WEIGHT * abs(terms[PRICE])}


def _fall(drop: FloatArray) -> FloatArray:
    return np.asarray(_DROP_WEIGHT * np.maximum(drop - _ORDINARY_DROP, 0.0) / (1 - _ORDINARY_DROP))


def window_z(actual: FloatArray, expected: FloatArray, calibration: Calibration) -> FloatArray:
    """(series, hours, windows): summed deviations in sigmas, 0 without a scale; starts at 00:00 UTC."""
    sums = rolling_sums(actual - expected, WINDOWS)
    return np.stack([_in_sigmas(amount, calibration, i) for i, amount in enumerate(sums)], axis=-1)


def rise_z(actual: FloatArray, known: Known) -> FloatArray:
    """Like `window_z`, but a rise begins where it leaves the envelope; a day's counts while it goes on."""
    z = window_z(actual, known.expected, known.calibration)
    going_on = _DAY_BY_SIX_HOURS * np.maximum(z[..., 2], 0.0)
    sums = rolling_sums(actual, ENVELOPE_WINDOWS)
    for i, (amount, margin) in enumerate(zip(sums, MARGINS, strict=True)):
        beyond = amount - margin * known.envelope[:, i]
        z[..., i] = np.minimum(z[..., i], np.maximum(_in_sigmas(beyond, known.calibration, i), 0.0))
    z[..., -1] = np.minimum(z[..., -1], going_on)
    return z


def _in_sigmas(amount: FloatArray, calibration: Calibration, window: int) -> FloatArray:
    """`window` is the position among the windows."""
    scale = calibration.scale[:, window, np.arange(amount.shape[1]) % DAY_HOURS]
    z = np.divide(amount, scale, out=np.zeros_like(amount), where=scale > 0)
    return np.asarray(np.clip(z, -_MOST_Z, _MOST_Z))


def drop_scores(actual: FloatArray, expected: FloatArray, calibration: Calibration) -> FloatArray:
    """(series, hours, drop windows): how far the missing share exceeds the ordinary one, 0 to 1."""
    scores = []
    for i, window in enumerate(DROP_WINDOWS):
        limit = calibration.drop_limit[:, i, None]
        share = missing_share(actual, expected, calibration.hourly_mean, window)
        score = np.maximum(np.nan_to_num(share, nan=-np.inf) - limit, 0.0) / (1.02 - limit)
        scores.append(np.where(limit > _HOPELESS_DROP, 0.0, score))
    return np.stack(scores, axis=-1)


def score_hours(actual: FloatArray, known: Known, context_hours: int = 0) -> Scores:
    """Score every hour of (series, hours) from it and the 23 hours before it.

    The first `context_hours` are only looked back on: the scores begin after them.
    """
    scored = slice(context_hours, None)
    z = rise_z(actual, known)[:, scored]
    drop = drop_scores(actual, known.expected, known.calibration)[:, scored]
    up = np.max(z * np.asarray(_RISE_WEIGHTS), axis=-1)
    down = _fall(drop[..., 1])
    base = np.maximum(np.maximum(up, down), 0.0)
    unusual = np.zeros_like(base)
    asked = base > _CALM
    unusual[asked] = surprise(known.forest, forest_features(z[asked], drop[asked]))
    values = base + _FOREST_WEIGHT * unusual * np.minimum(base / _FULL_BASE, 1.0)
    excess, day_excess = (
        sums[:, scored] for sums in rolling_sums(actual - known.expected, (GATE_HOURS, DAY_HOURS))
    )
    terms = {window_term(window): z[..., i] for i, window in enumerate(WINDOWS)}
    scores = Scores(
        values=values,
        expected=known.expected[:, scored],
        scale=known.calibration.scale[:, 0, np.arange(context_hours, actual.shape[1]) % DAY_HOURS],
        direction=np.where(down > up, -1.0, 1.0),
        excess=excess,
        day_excess=day_excess,
        lasting=np.ones_like(base),
        terms={**terms, DROP: drop[..., 1], FOREST: unusual, PRICE: np.zeros_like(base)},
    )
    if known.tokens is None or known.price is None:
        return scores
    z_price = price_z(actual, known.tokens, known.price)[:, scored]
    paid = price_excess(actual, known.tokens, known.price, DAY_HOURS)[:, scored]
    return _with_price(scores, z_price, paid)


def _with_price(scores: Scores, z: FloatArray, paid: FloatArray) -> Scores:
    """Where the price strays further than the amount does, the hour is about the price; a fall stays one.

    A lower price counts where the day fell short by half of what it saved: cheap traffic that came on top
    lowers the price too. A rise stays a rise.
    """
    rises = (scores.direction > 0) & (scores.values > _CALM)
    saved = (paid < 0) & (scores.day_excess <= _SHOWN * paid)
    z = np.where((z < 0) & (rises | ~saved), 0.0, z)
    weighed = np.minimum(_PRICE_WEIGHT * np.abs(z), _MOST_PRICE)
    falls = (scores.direction < 0) & (scores.values > _FULL_BASE)
    leads = (weighed > scores.values) & ~(falls & (z > 0))
    strayed = np.where(z < 0, np.maximum(paid, scores.day_excess), paid)
    return Scores(
        values=np.where(leads, weighed, scores.values),
        expected=scores.expected,
        scale=scores.scale,
        direction=np.where(leads, np.sign(z), scores.direction),
        excess=np.where(leads, strayed, scores.excess),
        day_excess=np.where(leads, strayed, scores.day_excess),
        lasting=np.where(leads, PRICE_LASTS, 1.0),
        terms={**scores.terms, PRICE: z},
    )
