"""Applies causes to an organisation's rows and records what each of them did, in scope and in dollars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from ledger.errors import RefusedError
from ledger.scope import DIMENSIONS, Dimension, Scope
from ledger.synthetic.causes import Cause, CauseName, Site
from ledger.synthetic.columns import TOKEN_COLUMNS, merged, shaped
from ledger.synthetic.cost import total_usd
from ledger.window import HOUR, Window

_INJECTION_STREAM = 2_000_003
_ALONE = 0.95
"""A value singles the culprit out when this share of its tokens is the culprit's."""


@dataclass(frozen=True, slots=True)
class Injected:
    """What was done: the ground truth of one incident."""

    cause: CauseName
    scope: Scope
    """The culprit as a report should name it."""
    accepted: Mapping[Dimension, tuple[str, ...]]
    """Values of dimensions that are true of all changed rows, after or before the change."""
    identified_by: tuple[Dimension, ...]
    """Dimensions of `accepted` whose value alone singles the culprit out."""
    window: Window
    """From the first to the last changed hour."""
    delta_usd: Decimal
    """Cost with the cause minus cost without it, over the window."""
    rows: int

    def as_json(self) -> dict[str, object]:
        return {
            "cause": self.cause,
            "scope": self.scope.as_dict(),
            "accepted": {name: list(values) for name, values in self.accepted.items()},
            "identified_by": list(self.identified_by),
            **self.window.as_json(),
            "delta_usd": str(self.delta_usd),
            "rows": self.rows,
        }


@dataclass(frozen=True, slots=True)
class Organisation:
    """Usage rows, and what was injected into them."""

    rows: pd.DataFrame
    injected: tuple[Injected, ...] = ()


def inject(rows: pd.DataFrame, causes: Sequence[Cause], *, seed: int) -> Organisation:
    """Apply `causes` one after the other; raises RefusedError when one finds no rows to work on."""
    organisation = Organisation(rows)
    for position, cause in enumerate(causes):
        rng = np.random.default_rng([seed, _INJECTION_STREAM, position])
        organisation = _apply(organisation, cause, rng)
    return organisation


def rows_in(rows: pd.DataFrame, scope: Scope) -> pd.Series:
    """Which rows belong to the scope."""
    belongs = pd.Series(True, index=rows.index)
    for dimension, value in scope.items:
        belongs &= rows[dimension] == value
    return belongs


def _apply(organisation: Organisation, cause: Cause, rng: np.random.Generator) -> Organisation:
    rows, start_at = organisation.rows, pd.Timestamp(cause.window.start_at)
    in_window = (rows["started_at"] >= start_at) & (rows["started_at"] < pd.Timestamp(cause.window.end_at))
    in_target = rows_in(rows, cause.target)
    before, history = rows[in_window & in_target], rows[in_target & (rows["started_at"] < start_at)]
    if history.empty or (before.empty and not cause.adds_rows):
        raise RefusedError(f"{cause.name}: no rows of {cause.target} to work on, {cause.window}")
    changed = cause.change(Site(before, history, rng))
    kept = rows[in_window] if cause.adds_rows else rows[in_window & ~in_target]
    touched = merged(shaped(pd.concat([kept, changed])))
    injected = _record(cause, before=before, changed=changed, touched=touched, was=rows[in_window])
    everything = shaped(pd.concat([rows[~in_window], touched]))
    return Organisation(everything, (*organisation.injected, injected))


def _record(
    cause: Cause, *, before: pd.DataFrame, changed: pd.DataFrame, touched: pd.DataFrame, was: pd.DataFrame
) -> Injected:
    moved = before if changed.empty else changed
    hours = moved["started_at"]
    accepted = _accepted(moved, moved if cause.adds_rows else before)
    return Injected(
        cause=cause.name,
        scope=cause.culprit,
        accepted=accepted,
        identified_by=_identifying(accepted, touched, cause.culprit),
        window=Window(hours.min().to_pydatetime(), hours.max().to_pydatetime() + HOUR),
        delta_usd=Decimal(f"{total_usd(touched) - total_usd(was):.2f}"),
        rows=len(moved),
    )


def _accepted(changed: pd.DataFrame, before: pd.DataFrame) -> dict[Dimension, tuple[str, ...]]:
    """Per dimension the one value of all changed rows, and the one they had before."""
    accepted = {}
    for dimension in DIMENSIONS:
        values = {_only(changed[dimension]), _only(before[dimension])} - {None}
        if _only(changed[dimension]) is not None:
            accepted[dimension] = tuple(sorted(value for value in values if value is not None))
    return accepted


def _only(values: pd.Series) -> str | None:
    unique = values.unique()
    return str(unique[0]) if len(unique) == 1 and not pd.isna(unique[0]) else None


def _identifying(
    accepted: Mapping[Dimension, tuple[str, ...]], touched: pd.DataFrame, culprit: Scope
) -> tuple[Dimension, ...]:
    tokens = touched[list(TOKEN_COLUMNS)].sum(axis=1)
    inside = rows_in(touched, culprit)

    def alone(dimension: Dimension) -> bool:
        same = touched[dimension].isin(accepted[dimension])
        return bool(tokens[same & inside].sum() >= _ALONE * max(tokens[same].sum(), 1))

    return tuple(dimension for dimension in accepted if alone(dimension))
