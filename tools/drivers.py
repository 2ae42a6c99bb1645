"""What the leaves of a slice did per request, before and after: by this causes are told apart."""

from collections.abc import Mapping

import numpy as np

from ledger.usage import TOKEN_CLASSES, UNCOUNTED_PART
from tools.answer import Scalar, ratio
from tools.factors import OUTPUT, PROMPT, counted_by_tokens
from tools.leaves import OWNER, Leaves, Mask, Side

CACHED = TOKEN_CLASSES.index("cache_read")
COMMON = 0.06
"""Factors of keys this close to each other are one factor."""


def driver_facts(leaves: Leaves, mask: Mask) -> Mapping[str, Scalar]:
    """Ratios and rises of every driver over the leaves of the mask; None where one side says nothing.

    `requests_unknown` is 1 where a source of either side counts none: then nothing is told per request.
    """
    before, after = leaves.before.only(mask), leaves.after.only(mask)
    was, now = _sums(before), _sums(after)
    known = all(side["uncounted"] <= UNCOUNTED_PART * side["tokens"] for side in (was, now))
    if not known:
        was["requests"] = now["requests"] = 0.0
    return {
        "requests_unknown": None if known else 1,
        "cost_ratio": ratio(now["cost"], was["cost"]),
        "requests_ratio": ratio(now["requests"], was["requests"]),
        "failed_share_rise": _rise("failed", "requests", was, now),
        "retried_share_rise": _rise("retried", "requests", was, now),
        "input_tokens_per_request_ratio": _per("prompt", "requests", was, now),
        "output_tokens_per_request_ratio": _per("output", "requests", was, now),
        "cache_read_share_rise": _rise("cached", "prompt", was, now),
        "usd_per_mtok_ratio": _per("cost", "tokens", was, now),
        **_common_factor(leaves, mask),
    }


def _sums(side: Side) -> dict[str, float]:
    tokens = side.tokens.sum(axis=0)
    return {
        "cost": float(side.cost_pico.sum()),
        "requests": float(side.requests.sum()),
        "failed": float(side.failed.sum()),
        "retried": float(side.retried.sum()),
        "prompt": float(tokens[PROMPT].sum()),
        "cached": float(tokens[CACHED]),
        "output": float(tokens[OUTPUT]),
        "tokens": float(tokens.sum()),
        "uncounted": float(side.uncounted.sum()),
    }


def _rise(part: str, whole: str, was: Mapping[str, float], now: Mapping[str, float]) -> float | None:
    if not (was[whole] and now[whole]):
        return None
    return round(now[part] / now[whole] - was[part] / was[whole], 4)


def _per(part: str, whole: str, was: Mapping[str, float], now: Mapping[str, float]) -> float | None:
    if not (was[whole] and now[whole] and was[part]):
        return None
    return ratio(now[part] / now[whole], was[part] / was[whole])


def _common_factor(leaves: Leaves, mask: Mask) -> Mapping[str, Scalar]:
    """How many keys there are, and whether input and output per request rose by one factor in most of them.

    `common_length_ratio` is that factor, 1 where keys or the two texts disagree. Leaves whose requests are
    not known are left out of it.
    """
    facts: dict[str, Scalar] = {"keys": int(np.unique(leaves.groups(OWNER)[mask]).size)}
    mask = mask & ~counted_by_tokens(leaves.before, leaves.after)
    keys = leaves.groups(OWNER)[mask]
    before, after = leaves.before.only(mask), leaves.after.only(mask)
    found = []
    for text in (PROMPT, slice(OUTPUT, OUTPUT + 1)):
        per_request = [
            np.bincount(keys, side.tokens[:, text].sum(axis=1))
            / np.maximum(np.bincount(keys, side.requests), 1e-9)
            for side in (before, after)
        ]
        weight = np.bincount(keys, before.requests) * np.bincount(keys, after.requests)
        known = (weight > 0) & (per_request[0] > 0)
        found.append((known, per_request[1] / np.maximum(per_request[0], 1e-9)))
    known = found[0][0] & found[1][0]
    sent, answered = found[0][1][known], found[1][1][known]
    if not known.any():
        return facts
    middle = float(np.median(np.concatenate([sent, answered])))
    alike = np.mean((np.abs(sent / middle - 1) < COMMON) & (np.abs(answered / middle - 1) < COMMON))
    return facts | {"common_length_ratio": round(middle, 4) if alike >= 0.5 else 1.0}
