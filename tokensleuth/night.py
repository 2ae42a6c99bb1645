"""One midnight of the refit: the days before it judged by the models before, then a model of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from detectors.accepted import Baseline
from detectors.arrays import joined, taken
from detectors.flags import FlagState
from detectors.forest import Forest, grow_forest
from detectors.judging import scale_floor
from detectors.model import blocks, joined_lesson, learn
from detectors.ordinary import ordinary_features, sampled_rows
from detectors.plain_forest import plain
from detectors.scale import Calibration, Measured, calibrate
from detectors.seasonal import Shapes
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, IntArray
from ledger.cells import CellReader
from ledger.kept.hours import MaskedHours
from ledger.kept.models import WHOLE, KeptModel
from ledger.kept.series import Members
from ledger.store import Ledger
from ledger.window import HOUR, Window, instant_text
from tokensleuth.detection import LEVELS
from tokensleuth.fitted_rows import FittedRows
from tokensleuth.judged_days import Chain, hours_to_keep, judge_days
from tokensleuth.kept_facts import ROWS, baseline_fact, judging, signed
from tokensleuth.kept_profiles import (
    KeptProfiles,
    write_calibration,
    write_forest,
    write_lesson,
)
from tokensleuth.learnt_history import LearntHistory, Lifting, learnt_history
from tokensleuth.materiality import material_usd


@dataclass(frozen=True, slots=True)
class Night:
    """A midnight to learn: the end of its history."""

    history: Window
    number: int
    """Refits since all began; each `slow_refit_days`-th renews shapes and the forest."""
    warm_up_until: datetime | None = None
    """The midnight that follows at once, where it is not the next."""

    @property
    def midnight(self) -> datetime:
        return self.history.end_at


def learn_night(
    ledger: Ledger,
    night: Night,
    settings: DetectorSettings,
    baselines: Sequence[Baseline],
    progress: Callable[[int, int], None] | None,
) -> KeptModel:
    """Learn the history of the night a block of series at a time, and write the model."""
    lifting = Lifting.of(ledger.reader, night.history, baselines)
    learning = _Learning.begun(ledger, night, settings, lifting)
    lessons = []
    for number, rows in enumerate(blocks(learning.rows.count, ROWS)):
        lessons.append(learning.learn_block(number, rows))
        if progress is not None:
            progress(rows.stop, learning.rows.count)
    return learning.concluded(lessons)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is remembered of a block of rows until all are learnt; the rest is written."""

    measured: Measured
    trained: BoolArray


@dataclass(frozen=True, slots=True)
class _Learning:
    ledger: Ledger
    night: Night
    settings: DetectorSettings
    lifting: Lifting | None
    members: Members
    rows: FittedRows
    chain: Chain | None
    masks: MaskedHours

    @classmethod
    def begun(
        cls, ledger: Ledger, night: Night, settings: DetectorSettings, lifting: Lifting | None
    ) -> "_Learning":
        kept = ledger.kept
        kept.series.add_used(LEVELS, night.history)
        members = kept.series.members(LEVELS)
        sums = CellReader(ledger.reader.engine).sums(night.history)
        rows = FittedRows.chosen(sums, members, kept.series.in_order(LEVELS), settings.max_series)
        kept.models.write(night.midnight, WHOLE, rows.arrays())
        chain = _chain_before(ledger, night.midnight)
        judged_from = chain.start_at if chain else night.midnight
        kept.hours.delete_outside(Window(night.history.start_at, judged_from))
        masks = kept.hours.masked(night.history)
        return cls(ledger, night, settings, lifting, members, rows, chain, masks)

    def learn_block(self, number: int, rows: slice) -> _Shown:
        series_ids = self.rows.first[rows]
        history = self._history(series_ids, self.masks)
        state = self._judged(history, np.arange(rows.start, rows.stop))
        known = self._known_shapes(series_ids)
        lesson = joined_lesson(
            [
                learn(history.rows(part), self.settings, taken(known, part) if known else None)
                for part in blocks(len(series_ids))
            ]
        )
        write_lesson(self.ledger.kept.models, self.night.midnight, number, lesson, state)
        return _Shown(lesson.measured, lesson.trained)

    def concluded(self, blocks_shown: Sequence[_Shown]) -> KeptModel:
        """Draw the scales to what is usual among all series, renew the forest if it is time, and sign."""
        kept, midnight = self.ledger.kept, self.night.midnight
        measured = joined(Measured, [shown.measured for shown in blocks_shown])
        trained = np.concatenate([shown.trained for shown in blocks_shown])
        calibration = calibrate(measured, scale_floor(self.settings.min_usd))
        write_calibration(kept.models, midnight, calibration)
        forest_at = self._previous.forest_at if self._previous and not self._renews else midnight
        if forest_at == midnight:
            write_forest(kept.models, midnight, self._grown(trained, calibration))
        model = signed(midnight, self.settings, self._facts(trained, forest_at))
        kept.models.add(model)
        return model

    @property
    def _previous(self) -> KeptProfiles | None:
        return self.chain.profiles[-1] if self.chain else None

    @property
    def _renews(self) -> bool:
        return self.night.number % self.settings.slow_refit_days == 0

    def _history(self, series_ids: IntArray, masks: MaskedHours) -> LearntHistory:
        return learnt_history(self.ledger, self.members, series_ids, self.night.history, masks, self.lifting)

    def _judged(self, history: LearntHistory, rows: IntArray) -> FlagState:
        """What is open at the midnight; what the models before flagged is learnt as they expected it."""
        if self.chain is None:
            return FlagState.closed(len(rows))
        window, series_ids = self.night.history, self.rows.first[rows]
        judged = judge_days(
            self.chain, series_ids, history.raw, history.tokens, window, settings=self.settings
        )
        hours = history.columns_from(self.chain.start_at)
        history.mask(judged.rows, hours, judged.masked, judged.scores.expected)
        actual = history.raw[judged.rows, hours]
        kept = hours_to_keep(judged, actual, rows[judged.rows], self.rows)
        self.ledger.kept.hours.add(kept, self.chain.start_at)
        return judged.state

    def _known_shapes(self, series_ids: IntArray) -> Shapes | None:
        if self._previous is None or self._renews:
            return None
        return self._previous.shapes(self._previous.rows.row_of(series_ids))

    def _grown(self, trained: BoolArray, calibration: Calibration) -> Forest | None:
        rows = sampled_rows(trained, calibration, seed=self.settings.seed)
        masks = self.ledger.kept.hours.masked(self.night.history)
        history = self._history(self.rows.first[rows], masks).rows(slice(None))
        midnight = KeptProfiles.of(self.ledger.kept.models, signed(self.night.midnight, self.settings, {}))
        features = ordinary_features(history, midnight.shapes(rows), taken(calibration, rows))
        grown = grow_forest(features, self.settings)
        return plain(grown) if grown else None

    def _facts(self, trained: BoolArray, forest_at: datetime) -> dict[str, object]:
        last_day = Window(self.night.midnight - HOUR, self.night.midnight)
        until = self.night.warm_up_until
        return {
            "number": self.night.number,
            "warm_up_until": instant_text(until) if until else None,
            "forest_at": instant_text(forest_at),
            "history": self.night.history.as_json(),
            "series": len(self.rows.series_ids),
            "rows": self.rows.count,
            "young": int((~trained)[self.rows.position].sum()),
            "left_out": len(self.rows.left_out),
            "usd_per_day": str(material_usd(self.ledger.reader, last_day, 1.0)),
            "baselines": [baseline_fact(b) for b in (self.lifting.baselines if self.lifting else ())],
        }


def _chain_before(ledger: Ledger, midnight: datetime) -> Chain | None:
    kept = ledger.kept.models
    models = judging(kept.all(), midnight)
    return Chain.of([KeptProfiles.of(kept, model) for model in models]) if models else None
