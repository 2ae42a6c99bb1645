"""A scenario: an organisation, what happens to it, the range somebody asks about, and the truth of it all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from evals.scenarios.misprice import Mispriced
from evals.scenarios.places import LAST_WEEK
from evals.scenarios.renaming import Renaming
from ledger.prices.overrides import ModelAlias, PriceOverride
from ledger.synthetic.causes import Cause
from ledger.synthetic.cost import without_unpriced_batch
from ledger.synthetic.inject import Injected, inject
from ledger.synthetic.spec import OrganisationSpec
from ledger.synthetic.traffic import generate_usage
from ledger.window import Window
from playbooks import Verdict
from tools.calendar import CalendarEntry

Plot = Callable[[pd.DataFrame], Sequence[Cause]]
"""From the rows of an ordinary organisation to what happens in it."""
Kind = Literal["incident", "artifact", "benign"]

_HABIT_SEED = 7919
"""Habits draw from another random stream than what is graded."""


def nothing(_: pd.DataFrame) -> Sequence[Cause]:
    return ()


@dataclass(frozen=True, slots=True)
class Truth:
    """What there is to tell of a scenario."""

    injected: tuple[Injected, ...] = ()
    benign: bool = True
    """Nothing happened, or what happened was planned or is everybody's growth."""
    onset: bool = True
    """Whether the first hour is graded: not where the range itself is the question."""

    @property
    def kind(self) -> Kind:
        if self.benign:
            return "benign"
        artifacts = all(one.cause == "accounting_artifact" for one in self.injected)
        return "artifact" if artifacts else "incident"

    @property
    def causes(self) -> tuple[str, ...]:
        """What should be told; a quiet week is its normal variation."""
        return tuple(one.cause for one in self.injected) or ("normal_variation",)

    def verdict(self, one: Injected) -> Verdict:
        """The verdict that goes with one of the causes, by the words of the design."""
        if self.benign:
            return "benign"
        return "accounting_artifact" if one.cause == "accounting_artifact" else "confirmed"

    def onset_graded(self, one: Injected) -> bool:
        """Growth climbs for a third of its time: nobody can tell the hour it began."""
        return self.onset and one.cause != "volume_growth"


@dataclass(frozen=True, slots=True)
class Story:
    """What the product gets to see, and what is true."""

    rows: pd.DataFrame
    truth: Truth
    calendar: tuple[CalendarEntry, ...] = ()
    price_override: tuple[PriceOverride, ...] = ()
    model_alias: tuple[ModelAlias, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    spec: OrganisationSpec
    plot: Plot = field(default=nothing)
    asked: Window = LAST_WEEK
    explain: bool = False
    """Whether the range itself is the incident (`--explain`), as where no detector can see the change."""
    habit: Plot = field(default=nothing)
    """What happens every now and then, in the week asked about too: nothing new, so nothing to grade."""
    benign: bool = False
    """Whether what happens is harmless though nobody planned it: everybody grows."""
    planned: bool = False
    """Whether the operator's calendar says what happens, for its hours and its scope."""
    renaming: Renaming | None = None
    """Other names for everything, as somebody who wants to mislead would choose them."""
    held_out: bool = False
    """Whether nobody tuned anything on it."""

    def story(self) -> Story:
        """The same scenario tells the same story, to the row."""
        ordinary = without_unpriced_batch(generate_usage(self.spec))
        usual = inject(ordinary, self.habit(ordinary), seed=self.spec.seed + _HABIT_SEED).rows
        causes = self.plot(ordinary)
        happened = inject(usual, causes, seed=self.spec.seed)
        benign = self.benign or self.planned or not causes
        truth = Truth(happened.injected, benign, onset=not self.explain)
        return self._told(happened.rows, truth, [c for c in causes if isinstance(c, Mispriced)])

    def _told(self, rows: pd.DataFrame, truth: Truth, mispriced: Sequence[Mispriced]) -> Story:
        # A wrong price is the book's: the rows themselves carry no cost.
        shown = rows.assign(cost_usd=np.nan) if mispriced else rows
        story = Story(
            rows=shown,
            truth=truth,
            calendar=tuple(map(planned_entry, truth.injected)) if self.planned else (),
            price_override=tuple(one.override for one in mispriced),
        )
        return renamed(story, self.renaming) if self.renaming else story


def planned_entry(one: Injected) -> CalendarEntry:
    """The `[[calendar]]` table of somebody who announced it."""
    return CalendarEntry(
        start=one.window.start_at,
        end=one.window.end_at,
        what="announced by its owner",
        where=one.scope.as_dict(),
    )


def renamed(story: Story, renaming: Renaming) -> Story:
    """The story under other names; its models keep their prices by aliases."""
    injected = tuple(renaming.injected(one) for one in story.truth.injected)
    return replace(
        story,
        rows=renaming.rows(story.rows),
        truth=replace(story.truth, injected=injected),
        model_alias=renaming.aliases(story.rows),
    )
