"""The usage of the last hours, by the rows of the newest kept model, and what was flagged in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.judging import join_scores, take_scores
from detectors.model import blocks
from detectors.profiles import CONTEXT_HOURS
from detectors.scoring import Scores
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.cells import CellReader
from ledger.kept.series import Members
from ledger.store import Ledger
from ledger.window import HOUR, Window
from tokensleuth.detection import LEVELS
from tokensleuth.fitted_rows import FittedRows, signatures
from tokensleuth.in_force import InForce
from tokensleuth.judged_days import Chain, judge_days
from tokensleuth.kept_facts import ROWS
from tokensleuth.kept_profiles import KeptProfiles
from tokensleuth.spend_matrix import Spend, added_up


@dataclass(frozen=True, slots=True)
class LiveHours:
    """From 24 h before the first midnight that judges on."""

    window: Window
    chain: Chain
    rows: FittedRows
    """Of the newest model; what has become two series since is two rows."""
    spend: Spend
    members: Members
    scope_ids: NDArray[np.int32]
    """The scopes of the ledger with traffic in the window."""

    @property
    def judged(self) -> Window:
        return Window(self.chain.start_at, self.window.end_at)


@dataclass(frozen=True, slots=True)
class Flagged:
    """Rows in which something was flagged; matrices are (rows, judged hours)."""

    rows: IntArray
    actual: FloatArray
    scores: Scores
    flagged: FloatArray
    scored: BoolArray
    """Of every row there is: whether any hour was scored."""


def read_hours(ledger: Ledger, in_force: InForce) -> LiveHours:
    kept = ledger.kept
    chain = Chain.of([KeptProfiles.of(kept.models, model) for model in in_force.models])
    window = Window(chain.start_at - CONTEXT_HOURS * HOUR, in_force.window.end_at)
    cells = CellReader(ledger.reader.engine).cells(window)
    members = kept.series.members(LEVELS)
    fitted = chain.profiles[-1].rows
    scope_ids = np.unique(cells.scope_id)
    highest = max(int(fitted.series_ids.max(initial=-1)), int(members.series_id.max(initial=-1)))
    rows = fitted.told_apart(signatures(members, scope_ids, highest + 1))
    spend = added_up(cells, members, rows.first, window.hours)
    return LiveHours(window, chain, rows, spend, members, scope_ids)


def flagged_rows(hours: LiveHours, settings: DetectorSettings) -> Flagged:
    """Judge all rows; what is quiet is forgotten at once."""
    first = hours.rows.first
    parts = [_part_flagged(hours, rows, first[rows], settings) for rows in blocks(len(first), ROWS)]
    return Flagged(
        rows=np.concatenate([part.rows for part in parts]),
        actual=np.concatenate([part.actual for part in parts]),
        scores=join_scores([part.scores for part in parts], axis=0),
        flagged=np.concatenate([part.flagged for part in parts]),
        scored=np.concatenate([part.scored for part in parts]),
    )


def _part_flagged(hours: LiveHours, rows: slice, series_ids: IntArray, settings: DetectorSettings) -> Flagged:
    cost_usd, tokens = hours.spend.cost_usd[rows], hours.spend.tokens[rows]
    judged = judge_days(hours.chain, series_ids, cost_usd, tokens, hours.window, settings=settings)
    hit = np.flatnonzero((judged.flagged != 0).any(axis=1))
    return Flagged(
        rows=rows.start + judged.rows[hit],
        actual=cost_usd[judged.rows[hit], CONTEXT_HOURS:],
        scores=take_scores(judged.scores, hit),
        flagged=judged.flagged[hit],
        scored=judged.trained,
    )
