"""Plots put together from who it hits, what it is, when and how much."""

from collections.abc import Callable, Sequence
from typing import Protocol

import pandas as pd

from evals.scenarios.places import largest
from evals.scenarios.scenario import Plot
from ledger.scope import EVERYTHING, Scope
from ledger.synthetic.causes import Cause
from ledger.window import Window

Pick = Callable[[pd.DataFrame], Scope]


class MakeCause(Protocol):
    """A kind of cause, with what it needs beside the three."""

    def __call__(self, *, target: Scope, window: Window, magnitude: float) -> Cause: ...


def hit(pick: Pick, make: MakeCause, window: Window, magnitude: float) -> Plot:
    def plot(rows: pd.DataFrame) -> Sequence[Cause]:
        return (make(target=pick(rows), window=window, magnitude=magnitude),)

    return plot


def together(*plots: Plot) -> Plot:
    """Several things at once."""
    return lambda rows: tuple(cause for plot in plots for cause in plot(rows))


def again(pick: Pick, make: MakeCause, windows: Sequence[Window], magnitude: float) -> Plot:
    """The same thing several times."""
    return together(*(hit(pick, make, window, magnitude) for window in windows))


def key(rank: int, *filters: str) -> Pick:
    return lambda rows: largest(rows, "key_id", *filters, rank=rank)


def team(rank: int, *filters: str) -> Pick:
    return lambda rows: largest(rows, "team", *filters, rank=rank)


def project(rank: int) -> Pick:
    return lambda rows: largest(rows, "project", rank=rank)


def model(rank: int, *filters: str) -> Pick:
    return lambda rows: largest(rows, "model", *filters, rank=rank)


def only(*filters: str) -> Pick:
    """A scope by name."""
    return lambda _: Scope.parse(filters)


def team_on(model_name: str, rank: int = 0) -> Pick:
    """What a team sends to one model."""
    return lambda rows: largest(rows, "team", f"model={model_name}", rank=rank).with_value(
        "model", model_name
    )


def cached_key(rank: int) -> Pick:
    """A key that reads most of its prompts from the cache."""
    return lambda rows: largest(
        rows[rows["cache_read_tokens"] > 1.5 * rows["input_tokens"]], "key_id", rank=rank
    )


def everybody(_: pd.DataFrame) -> Scope:
    return EVERYTHING
