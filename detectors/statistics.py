"""Row-wise sums and quantiles over matrices of series, NaN meaning "no such hour"."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def rolling_sum(values: FloatArray, width: int) -> FloatArray:
    """Sum of the last `width` values along the last axis; NaN counts as 0."""
    (result,) = rolling_sums(values, [width])
    return result


def rolling_sums(values: FloatArray, widths: Sequence[int]) -> list[FloatArray]:
    """Like `rolling_sum`, for several widths."""
    total = np.cumsum(np.where(np.isnan(values), 0.0, values), axis=-1)
    results = []
    for width in widths:
        result = total.copy()
        result[..., width:] -= total[..., :-width]
        results.append(result)
    return results


def row_quantiles(values: FloatArray, *quantiles: float) -> tuple[FloatArray, ...]:
    """Lower quantiles along the last axis, NaN left out; NaN where a row has no value at all."""
    ordered = np.sort(values, axis=-1)
    count = (~np.isnan(ordered)).sum(axis=-1)
    last = np.maximum(count - 1, 0)
    return tuple(
        np.take_along_axis(ordered, np.floor(q * last).astype(np.int64)[..., None], axis=-1)[..., 0]
        for q in quantiles
    )


def row_median(values: FloatArray) -> FloatArray:
    """Median along the last axis, NaN left out."""
    ordered = np.sort(values, axis=-1)
    last = np.maximum((~np.isnan(ordered)).sum(axis=-1) - 1, 0)
    lower = np.take_along_axis(ordered, (last // 2)[..., None], axis=-1)[..., 0]
    upper = np.take_along_axis(ordered, ((last + 1) // 2)[..., None], axis=-1)[..., 0]
    return np.asarray((lower + upper) / 2)


def row_mean(values: FloatArray) -> FloatArray:
    """Mean along the last axis, NaN left out; 0 where a row has no value at all."""
    count = (~np.isnan(values)).sum(axis=-1)
    return np.asarray(np.nansum(values, axis=-1) / np.maximum(count, 1))
